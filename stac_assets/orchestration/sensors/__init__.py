"""Sensors: new and changed items, and collections that come and go."""
