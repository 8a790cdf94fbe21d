"""The Dagster rooms: assets, their partitions, and what a materialization tells."""
