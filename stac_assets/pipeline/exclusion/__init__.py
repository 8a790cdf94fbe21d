"""One load at a time stores into a dataset."""
