"""HTTP as a STAC API needs it: requests, credentials, links and limits."""
