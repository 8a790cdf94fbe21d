"""The three endpoints whose rows are items (STAC API - Item Search, OGC API - Features)."""

from typing import TYPE_CHECKING

from stac_assets.stac.endpoints.endpoint import BOX_COLUMNS, Endpoint, Replaces, columns
from stac_assets.stac.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stac_assets.stac.api import StacApi
    from stac_assets.stac.documents import Page
    from stac_assets.stac.http.page_request import PageRequest
    from stac_assets.stac.narrowing import Narrowing
    from stac_assets.stac.survey import Surveyor
    from stac_assets.stac.windows import Asked

ITEM_COLUMNS = columns(
    id=("text!", "Identifier of the item, unique within its collection"),
    collection=("text!", "Identifier of the collection"),
    stac_version=("text", "STAC version that the document claims"),
    datetime=("timestamp", "Nominal time of the item, UTC; null where only an interval is given"),
    start_datetime=("timestamp", "Begin of the item's interval, UTC"),
    end_datetime=("timestamp", "End of the item's interval, UTC"),
    created=("timestamp", "When the metadata was created, UTC"),
    updated=("timestamp", "When the metadata was last changed, UTC"),
    **BOX_COLUMNS,
    geometry=("json", "GeoJSON geometry, as sent"),
    properties=("json", "All properties, as sent"),
    assets=("json", "Assets by key, as sent"),
    links=("json", "Links, as sent"),
    stac_extensions=("json", "Schema URLs of the extensions used"),
    bbox=("json", "Bounding box as sent: 4 or 6 numbers"),
    extra=("json", "Any other top-level member; of a list, the second part names absent members"),
)
FILTERS = frozenset({"bbox", "intersects", "query", "filter"})
BY_COLLECTION_AND_DATE = ("collection", "date")

_PARTITIONS = """
One row per item of a collection, in one partition per collection and date: the item belongs to the UTC day
of its `datetime`, or of its `start_datetime` where it has only an interval. After a materialization the table
holds, for that partition, exactly what the API holds now.

Scalar properties are typed columns (`eo:cloud_cover` is `eo_cloud_cover`); the whole document is kept as
JSON.
"""


def _probe_collection_items(survey: "Surveyor") -> str:
    return survey.described(survey.first_page(COLLECTION_ITEMS, survey.window))


def _probe_search(survey: "Surveyor") -> str:
    page = survey.first_page(SEARCH, survey.window)
    return f"{survey.api.search_method}; {survey.described(page)}"


def _probe_item(survey: "Surveyor") -> str:
    item_id = survey.known_item()
    if survey.api.item(survey.window.collection, item_id, Figures()) is None:
        raise survey.api.landing.missing("data")
    return item_id


def _collection_items(
    api: "StacApi", window: "Asked", narrowing: "Narrowing", figures: Figures
) -> "Iterator[Page]":
    return api.collection_items(window, narrowing, figures)


def _first_page_of_collection(
    api: "StacApi", window: "Asked", narrowing: "Narrowing", size: int, retries: int | None
) -> "Page":
    return api.first_page_of_collection(window, narrowing, size, retries)


def _collection_items_requests(
    api: "StacApi", window: "Asked", narrowing: "Narrowing"
) -> "tuple[PageRequest, PageRequest]":
    request = api.requests.listing(window.collections[0], narrowing, window.interval)
    return request, request


def _search(api: "StacApi", window: "Asked", narrowing: "Narrowing", figures: Figures) -> "Iterator[Page]":
    return api.search(window, narrowing, figures)


def _first_page_of_search(
    api: "StacApi", window: "Asked", narrowing: "Narrowing", size: int, retries: int | None
) -> "Page":
    return api.first_page_of_search(window, narrowing, size, retries)


def _outline(
    api: "StacApi", window: "Asked", narrowing: "Narrowing", figures: Figures, size: int | None
) -> "Iterator[Page]":
    return api.outline(window, narrowing, figures, size)


def _by_id(
    api: "StacApi", collections: "Sequence[str]", ids: "Sequence[str]", figures: Figures
) -> "Iterator[Page]":
    return api.by_id(collections, ids, figures)


def _search_requests(
    api: "StacApi", window: "Asked", narrowing: "Narrowing"
) -> "tuple[PageRequest, PageRequest]":
    asked, method = (window.collections, narrowing, window.interval), api.search_method
    by_link = api.requests.search("GET", *asked)
    return by_link if method == "GET" else api.requests.search(method, *asked), by_link


COLLECTION_ITEMS = Endpoint(
    name="collection_items",
    path="GET /collections/{id}/items",
    relations=("data", "items"),
    upstream="collection",
    description=f"""
Items by `GET /collections/{{id}}/items`. **Use it for APIs that have no `/search`**; only `bbox` narrows it.
{_PARTITIONS}""",
    columns=ITEM_COLUMNS,
    partitioned_by=BY_COLLECTION_AND_DATE,
    replaces=Replaces.DAY,
    narrowed_by=frozenset({"bbox"}),
    pages=_collection_items,
    first_page=_first_page_of_collection,
    first_requests=_collection_items_requests,
    probe=_probe_collection_items,
)
SEARCH = Endpoint(
    name="search",
    path="POST /search, or GET",
    relations=("search",),
    upstream="collection",
    description=f"""
Items by `POST /search`, or GET where POST is refused. **The item table to use normally.**
{_PARTITIONS}""",
    columns=ITEM_COLUMNS,
    partitioned_by=BY_COLLECTION_AND_DATE,
    replaces=Replaces.DAY,
    narrowed_by=FILTERS,
    joins_collections=True,
    pages=_search,
    first_page=_first_page_of_search,
    outline=_outline,
    by_id=_by_id,
    first_requests=_search_requests,
    probe=_probe_search,
)
ITEM = Endpoint(
    name="item",
    path="GET /collections/{id}/items/{item_id}",
    relations=("data",),
    upstream="search",
    description="""
Single items by `GET /collections/{id}/items/{item_id}`. **Use it to refresh a few documents**: those whose
ids stand in the run configuration, or else those that `search` holds for the partition, at most `item_limit`.
One row per item, replaced item by item; an item that the API no longer has is removed.
""",
    columns=ITEM_COLUMNS,
    partitioned_by=BY_COLLECTION_AND_DATE,
    replaces=Replaces.ITEM,
    narrowed_by=FILTERS,
    probe=_probe_item,
)
