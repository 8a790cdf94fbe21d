"""`examples/` and `AGENTS.md`, used as they say."""
