"""Tests of `deploy/`, which `make test-deploy` runs."""
