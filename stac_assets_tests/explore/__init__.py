"""What `stac-assets explore` shows: by its cells, as a script, and in a browser."""
