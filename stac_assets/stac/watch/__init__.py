"""Finding the windows of a collection that have changed since the last poll."""
