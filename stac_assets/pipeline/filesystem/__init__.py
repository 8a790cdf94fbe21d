"""The import path of version 0.1.0, which people's own dlt scripts name."""
