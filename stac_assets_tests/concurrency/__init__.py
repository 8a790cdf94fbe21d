"""Tests of many runs at once, which `make test-concurrency` runs."""
