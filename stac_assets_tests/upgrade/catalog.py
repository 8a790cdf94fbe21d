"""The STAC API whose tables and history `projects.tar.xz` holds, and what has happened there since.

Its URL is part of the project: dlt's state, Dagster's history and the sensors' cursors name it. So it has a
host of its own, which no name server knows, and is served as a proxy serves it: on whatever port is free.

The documents are written here in full, because the project's rows hold them byte for byte.
"""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from stac_assets_tests.stac_api import Document, RawItem, StacApi
from stac_assets_tests.stac_api_faults import Request

ORIGIN = "http://catalog.test"
COLLECTIONS = ("rivers", "lakes", "glaciers")
"""In the order in which the API lists them. Each is watched by another strategy of `new_items_sensor`."""
ENDPOINTS = (
    *("client_root", "conformance", "landing_pages", "collections", "queryables", "collection"),
    *("search", "collection_items", "item"),
)
"""The assets and tables of version 0.1.0."""
UNDATED = "rivers-undated"
DAYS = range(1, 6)
"""Days of January 2024 that hold items; the project's partitions are the first ten."""


class HostedApi(StacApi):
    """The API as it was when the project was made; `HTTP_PROXY=…` leads to it."""

    def __init__(self) -> None:
        super().__init__(collections=[a_collection(name) for name in COLLECTIONS], items=all_items())
        self.extensions = ("filter", "sortby")
        self.on_page = _without_count_of_glaciers

    @property
    def url(self) -> str:
        """The URL of the landing page, which documents and cursors hold."""
        return ORIGIN + self.prefix

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a process finds the API, and this machine without a proxy."""
        local = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        return {"HTTP_PROXY": f"http://127.0.0.1:{self.port}", **local}

    def serve(self, http: BaseHTTPRequestHandler) -> None:
        """Answer a request, whose target is a whole URL, as a proxy's are."""
        http.path = urlsplit(http.path)._replace(scheme="", netloc="").geturl()
        super().serve(http)

    @property
    def documents(self) -> dict[tuple[str, str], Document]:
        """The items as they are now, by collection and id, without the one that can be no row."""
        items = self._items.values()
        return {(it.collection, it.id): json.loads(it.text) for it in items if it.id != UNDATED}

    def move_on(self) -> None:
        """Change the API a little: items come, change and go, and a collection comes."""
        self.put(river(3, "a", level=2.75, updated="2024-03-01T09:00:00Z"))
        self.put(river(8, "new", level=0.5, updated="2024-03-01T10:00:00Z"))
        self.remove("lakes", "lakes-2-a")
        self.put(lake(6, "new"))
        self.put(glacier(4, "a", hour=11))
        self.put(glacier(9, "new"))
        self.collections.append(a_collection("deltas"))


CHANGED = {
    *("rivers|2024-01-03", "rivers|2024-01-08"),
    *("lakes|2024-01-02", "lakes|2024-01-06"),
    *("glaciers|2024-01-04", "glaciers|2024-01-09"),
}
"""The partitions that `move_on` changes."""
WAITING = "lakes|2024-01-05"
"""The partition that was to be loaded when the project was left, and waits in the cursor."""
FAILED = {"lakes|2024-01-03", "lakes|2024-01-04"}
"""The partitions that the backfill could not load."""


def a_collection(name: str) -> Document:
    """A collection as the API lists it."""
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "description": f"Collection {name}",
        "license": "proprietary",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": [],
        "title": name.title(),
        "keywords": ["water", "été"],
        "vendor:rank": 1,
    }


def an_item(id: str, properties: Document, **members: Any) -> Document:
    """An item of the collection with which its id begins; `members` replaces or adds top-level ones."""
    collection = id.partition("-")[0]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": id,
        "collection": collection,
        "geometry": {"type": "Point", "coordinates": [10.0, 50.0]},
        "bbox": [10.0, 50.0, 10.0, 50.0],
        "properties": properties,
        "links": [],
        "assets": {"data": {"href": f"https://example.com/{collection}/{id}.tif", "roles": ["data"]}},
        **members,
    }


def all_items() -> list[Document | RawItem]:
    """The items of the API when the project was made."""
    items: list[Document | RawItem] = [make(day, name) for day in DAYS for name in "ab" for make in MAKERS]
    items.append(river(2, "odd", **{"eo:cloud_cover": "many", "updated": "2024-01-12T00:00:00Z"}))
    items.append(long_flood())
    items.append(undated())
    return items


def river(day: int, name: str, **properties: Any) -> Document:
    """An item that tells when it changed: watched by `updated`."""
    known = {
        "datetime": f"2024-01-0{day}T10:00:00.123456Z",
        "level": day + 0.25,
        "eo:cloud_cover": day,
        "frozen": day == 1,
        "updated": f"2024-01-1{day}T08:00:00Z",
    }
    eo = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
    members = {"stac_extensions": [eo], "vendor": {"été": None}}
    return an_item(f"rivers-{day}-{name}", {**known, **properties}, **members)


def lake(day: int, name: str) -> Document:
    """An item that does not tell when it changed, of a collection that is counted: watched by counts."""
    properties = {"datetime": f"2024-01-0{day}T00:00:00Z", "salt": day > 3, "names": ["l", "L"]}
    return an_item(f"lakes-{day}-{name}", properties)


def glacier(day: int, name: str, hour: int = 10) -> Document:
    """An item of a collection that is not counted: watched by a look at the first items."""
    properties = {"datetime": f"2024-01-0{day}T{hour}:00:00+02:00", "thickness": None}
    return an_item(f"glaciers-{day}-{name}", properties)


MAKERS = (river, lake, glacier)


def long_flood() -> Document:
    """An item whose time is an interval, which answers the windows of three days."""
    times = {"start_datetime": "2024-01-01T12:00:00Z", "end_datetime": "2024-01-03T12:00:00Z"}
    return an_item("rivers-flood", {"datetime": None, **times, "updated": "2024-01-11T00:00:00Z"})


def undated() -> RawItem:
    """A document that is found by date and says nothing of it: no row, but one of `rejected_items`."""
    document = an_item(UNDATED, {"datetime": "spring", "updated": "2024-01-11T00:00:00Z"})
    found = RawItem.of(river(4, "b"))
    return RawItem(RawItem.of(document).text, "rivers", found.start, found.end, UNDATED)


def _without_count_of_glaciers(page: Document, request: Request) -> Document:
    asked = request.body if isinstance(request.body, dict) else request.query
    if "glaciers" in (*request.segments, *str(asked.get("collections")).split("'")):
        page.pop("numberMatched", None)
    return page
