"""Loads into stand-ins for warehouses, which run what `destinations` only parses."""
