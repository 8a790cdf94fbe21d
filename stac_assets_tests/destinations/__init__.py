"""Destinations other than DuckDB, really run: `make test-destinations`."""
