"""Queries by somebody whom nobody has looked over, of what loads have stored: they read, and nothing else."""
