"""Other destinations than DuckDB: run, or checked dry; by `make test-destinations`, not `make test`."""
