"""A sample STAC catalog of our own making, and a local STAC API that serves it."""
