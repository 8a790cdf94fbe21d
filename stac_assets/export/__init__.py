"""Items of a dataset as files of stac-geoparquet 1.1, which geo tools and other STAC servers read."""
