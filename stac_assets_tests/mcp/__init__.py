"""Tests of `stac-assets mcp`."""
