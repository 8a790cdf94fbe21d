"""A whole catalog, all its years, of pgstac: imitated in `make test`, and itself in `make test-pgstac`."""
