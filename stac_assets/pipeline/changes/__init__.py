"""What a load changes in its table, found by comparing what was fetched with what is stored."""
