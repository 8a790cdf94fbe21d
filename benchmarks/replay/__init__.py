"""A STAC API on 127.0.0.1 that is never the bottleneck, with items of our own making."""
