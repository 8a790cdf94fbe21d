"""The feed `item_changes`: what it tells, and that it tells all."""
