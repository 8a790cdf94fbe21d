"""Dagster's own UI in a headless browser, run by `make test-browser` and not by `make test`."""
