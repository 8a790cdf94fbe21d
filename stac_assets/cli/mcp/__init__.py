"""`stac-assets mcp`: a server that lets an assistant look at what is mirrored, and change nothing."""
