"""Destinations other than DuckDB, run or checked dry: `make test-destinations`."""
