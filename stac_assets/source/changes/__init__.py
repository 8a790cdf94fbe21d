"""What a load would change in its table: nothing, in many a partition."""
