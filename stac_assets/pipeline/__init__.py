"""Where rows go and how a load is run: fetch, in parallel and without dlt; then store, one at a time."""
