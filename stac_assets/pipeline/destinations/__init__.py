"""dlt's destinations, as far as exact partitions need more than dlt does."""
