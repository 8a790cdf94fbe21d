"""Tables as files, locally or in a bucket: of each partition its own, which a load replaces as a whole."""
