"""Files of stac-geoparquet: what is exported, and what others read of it."""
