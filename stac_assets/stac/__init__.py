"""The STAC room: HTTP, paging, windows and documents of a STAC API. Imports neither dlt nor Dagster."""
