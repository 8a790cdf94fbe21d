"""The nine endpoints of a STAC API. A new one is a file beside this one and an entry here."""

from collections.abc import Mapping

from stac_assets.stac.endpoints.client_root import CLIENT_ROOT
from stac_assets.stac.endpoints.collection import COLLECTION
from stac_assets.stac.endpoints.collections import COLLECTIONS
from stac_assets.stac.endpoints.conformance import CONFORMANCE
from stac_assets.stac.endpoints.endpoint import Column, Endpoint, Refused, Replaces, Row
from stac_assets.stac.endpoints.items import COLLECTION_ITEMS, ITEM, ITEM_COLUMNS, SEARCH
from stac_assets.stac.endpoints.landing_pages import LANDING_PAGES
from stac_assets.stac.endpoints.queryables import QUERYABLES

__all__ = [
    "ENDPOINTS",
    "ITEM_COLUMNS",
    "ITEM_ENDPOINTS",
    "SEARCH",
    "Column",
    "Endpoint",
    "Refused",
    "Replaces",
    "Row",
]

ENDPOINTS: Mapping[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        CLIENT_ROOT,
        CONFORMANCE,
        LANDING_PAGES,
        COLLECTIONS,
        COLLECTION,
        QUERYABLES,
        COLLECTION_ITEMS,
        SEARCH,
        ITEM,
    )
}
"""By name, in an order in which each comes after what it needs."""

ITEM_ENDPOINTS = (SEARCH, COLLECTION_ITEMS, ITEM)
"""Those whose rows are items, the one to use normally first."""
