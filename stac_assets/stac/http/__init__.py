"""HTTP for a STAC API: requests, retries, credentials, links and limits."""
