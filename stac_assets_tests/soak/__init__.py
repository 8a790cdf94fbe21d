"""Minutes of kills and faults, run by `make test-soak` and not by `make test`."""
