"""What the asset graph says of each asset: what the endpoint is, what a row is, and which to use when."""

GROUP = "stac_api"
"""One group for all: the UI would show several folded up, and the graph is to be seen at a glance."""

API = "stac_api"
"""Key of the external asset that stands for the API itself."""

UPSTREAM = {
    "client_root": (API,),
    "conformance": ("client_root",),
    "landing_pages": ("client_root",),
    "collections": ("client_root",),
    "queryables": ("client_root",),
    "collection": ("collections",),
    "collection_items": ("collection",),
    "search": ("collection",),
    "item": ("search",),
}

_ITEMS = """
One row per item of a collection, in one partition per collection and date: the item belongs to the UTC day
of its `datetime`, or of its `start_datetime` where it has only an interval. After a materialization the table
holds, for that partition, exactly what the API holds now.

Scalar properties are typed columns (`eo:cloud_cover` is `eo_cloud_cover`); the whole document is kept as
JSON.
"""

DESCRIPTIONS = {
    API: """
The STAC API that the tables mirror; nothing here materializes it. `new_items_sensor` and
`new_collections_sensor` watch it.
""",
    "client_root": """
The landing page of the API, `GET /`. One row: who the API is, the classes it conforms to and its links.
Every other asset starts from the links found here.
""",
    "conformance": """
The conformance classes that the API claims, `GET /conformance` (or the landing page's `conformsTo`).
One row per class. Look here before relying on an extension such as `filter` or `sort`.
""",
    "landing_pages": """
The links of the landing page, one row each, with the JSON document behind those of the API's own origin.
Links that other assets load (`child`, `item`, `data`, `search`, `self`, `root`) are listed, not followed.
""",
    "collections": """
All collections, `GET /collections`, every page of it. One row per collection with its extent, licence and
the whole document. With `collections = "*"` materializing it also registers the item assets' partitions.
""",
    "queryables": """
What items can be searched by, `GET /queryables` of the API and of each configured collection.
One row per collection (null for the API itself) and property, with its JSON schema.
""",
    "collection": """
One collection document, `GET /collections/{id}`, partitioned by collection: for a fresh extent or summary of
a single collection without listing them all.
""",
    "collection_items": f"""
Items by `GET /collections/{{id}}/items`. **Use it for APIs that have no `/search`**; only `bbox` narrows it.
{_ITEMS}""",
    "search": f"""
Items by `POST /search`, or GET where POST is refused. **The item table to use normally.**
{_ITEMS}""",
    "item": """
Single items by `GET /collections/{id}/items/{item_id}`. **Use it to refresh a few documents**: those whose
ids stand in the run configuration, or else those that `search` holds for the partition, at most `item_limit`.
One row per item, replaced item by item; an item that the API no longer has is removed.
""",
}
