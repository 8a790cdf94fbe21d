"""A sample STAC catalog of our own making, and a local STAC API that serves it."""

DEFAULT_FOLDER = ".demo"
"""Where everything of a demo is, as `make ui` takes it."""
