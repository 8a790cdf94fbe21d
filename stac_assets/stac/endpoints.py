"""The nine endpoints of a STAC API, and which link relation of the landing page each stands behind."""

ENDPOINTS = (
    "client_root",
    "conformance",
    "landing_pages",
    "collections",
    "collection",
    "queryables",
    "collection_items",
    "search",
    "item",
)
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
NEEDS = {
    "search": ("search",),
    "data": ("collections", "collection", "collection_items", "item"),
    "items": ("collection_items",),
    "conformance": ("conformance",),
    QUERYABLES: ("queryables",),
}
"""The endpoints that cannot be asked where the landing page lacks a relation."""
