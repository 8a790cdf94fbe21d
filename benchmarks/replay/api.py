"""What the replay API answers (STAC API - Core, Collections, Item Search; OGC API - Features)."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from benchmarks.replay.catalog import Catalog, milliseconds
from stac_assets.demo.documents import Json, collection

DEFAULT_LIMIT, MAX_LIMIT = 10, 10_000
CONFORMS_TO = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
]


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    items: int = 0


class Api:
    """Answers for one catalog, below `url`."""

    def __init__(self, catalog: Catalog, url: str) -> None:
        self._catalog = catalog
        self._url = url

    def answer(self, method: str, target: str, body: bytes) -> Reply:
        """The answer to one request."""
        parts = urlsplit(target)
        steps = tuple(step for step in parts.path.split("/") if step)
        query = dict(parse_qsl(parts.query))
        name = self._catalog.collection
        match method, steps:
            case "GET", ():
                return _json(self._landing_page())
            case "GET", ("conformance",):
                return _json({"conformsTo": CONFORMS_TO})
            case "GET", ("collections",):
                return _json({"collections": [self._collection()], "links": []})
            case "GET", ("collections", collection) if collection == name:
                return _json(self._collection())
            case "GET", ("collections", collection, "items") if collection == name:
                return self._page("GET", parts.path, {**query, "collections": name})
            case "GET", ("search",):
                return self._page("GET", parts.path, query)
            case "POST", ("search",):
                return self._page("POST", parts.path, json.loads(body or b"{}"))
        return Reply(404, b'{"code":"404","description":"there is no such thing here"}')

    def _page(self, method: str, path: str, asked: Mapping[str, Any]) -> Reply:
        wanted = asked.get("collections") or [self._catalog.collection]
        wanted = wanted.split(",") if isinstance(wanted, str) else wanted
        found = self._catalog.between(*_interval(asked.get("datetime")))
        if self._catalog.collection not in wanted:
            found = range(0)
        limit = min(int(asked.get("limit") or DEFAULT_LIMIT), MAX_LIMIT)
        start = max(found.start, int(asked.get("token") or 0))
        page = range(start, min(start + limit, found.stop))
        links = [{"rel": "root", "type": "application/json", "href": self._url}]
        if page.stop < found.stop:
            links.append(self._next(method, path, {**asked, "limit": limit, "token": str(page.stop)}))
        tail = json.dumps(
            {"links": links, "numberMatched": len(found), "numberReturned": len(page)}, separators=(",", ":")
        ).encode()
        pieces = self._catalog.rendered(page)
        body = b"".join([b'{"type":"FeatureCollection","features":[', *pieces, b"],", tail[1:]])
        return Reply(200, body, len(page))

    def _next(self, method: str, path: str, asked: Mapping[str, Any]) -> Json:
        link = {"rel": "next", "type": "application/geo+json", "method": method, "href": self._url + path}
        if method == "POST":
            return {**link, "body": asked, "merge": False}
        return {**link, "href": f"{link['href']}?{urlencode(asked)}"}

    def _landing_page(self) -> Json:
        def link(rel: str, path: str = "", media: str = "application/json", **more: str) -> Json:
            return {"rel": rel, "type": media, "href": self._url + path, **more}

        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "benchmark",
            "description": "Generated items to measure with",
            "conformsTo": CONFORMS_TO,
            "links": [
                link("self"),
                link("root"),
                link("conformance", "/conformance"),
                link("data", "/collections"),
                link("search", "/search", "application/geo+json", method="GET"),
                link("search", "/search", "application/geo+json", method="POST"),
            ],
        }

    def _collection(self) -> Json:
        name = self._catalog.collection
        items = f"{self._url}/collections/{name}/items"
        return collection(name, links=[{"rel": "items", "type": "application/geo+json", "href": items}])


def _interval(text: str | None) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    start, _, end = text.partition("/")
    end = end or start
    first, last = (None if edge in ("", "..") else milliseconds(edge) for edge in (start, end))
    return first, last


def _json(document: Json) -> Reply:
    return Reply(200, json.dumps(document).encode())
