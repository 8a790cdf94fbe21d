"""A real STAC API on 127.0.0.1, held in memory, that misbehaves on request.

with StacApi(items=[make_item("a"), make_item("b")], next_style="merge") as api:
    api.fault("/search", status=503, headers={"Retry-After": "0"})
    load(api.url)
    assert [request.path for request in api.requests] == ["/", "/search", "/search"]
"""

import datetime as dt
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote, urlencode

from stac_assets.demo import documents
from stac_assets_tests.stac_api_extensions import CLASSES, Extension, Unusable, in_order, matching, reduced
from stac_assets_tests.stac_api_faults import FaultyServer, Reply, Request

Document = dict[str, Any]
Box = tuple[float, ...]

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
SPLICE = "splice-3f6c1c0a5e0b4a43-"
OGC = "http://www.opengis.net"
OPENAPI = "vnd.oai.openapi+json;version=3.0"
CONFORMS_TO = (
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    f"{OGC}/spec/ogcapi-features-1/1.0/conf/core",
    f"{OGC}/spec/ogcapi-features-1/1.0/conf/oas30",
    f"{OGC}/spec/ogcapi-features-1/1.0/conf/geojson",
    f"{OGC}/spec/ogcapi-features-3/1.0/conf/queryables",
)


def make_item(
    id: str,
    collection: str = "c1",
    datetime: str | None = "2024-01-01T10:00:00Z",
    *,
    start: str | None = None,
    end: str | None = None,
    extra: Document | None = None,
    **properties: Any,
) -> Document:
    """A small valid STAC item; with `start` and `end` an interval whose datetime is null.

    `extra` adds or replaces top-level members.
    """
    interval = {"datetime": None, "start_datetime": start, "end_datetime": end}
    times = interval if start or end else {"datetime": datetime}
    return {**documents.item(id, collection, {**times, **properties}), **(extra or {})}


make_collection = documents.collection


@dataclass(frozen=True)
class RawItem:
    """An item as JSON text that is sent byte for byte, with what the API needs to know to find it."""

    text: bytes
    collection: str
    start: dt.datetime | None
    end: dt.datetime | None
    id: str = ""
    """Left empty it is the text's own "id", or made from the text's hash where it has none to be read."""
    bbox: Box | None = None
    """West, south, east, north; an item without is in no bbox."""
    verbatim: bool = True
    """False for an item that came as a dict; `on_page` gets it as one."""

    @classmethod
    def of(cls, item: "Document | RawItem") -> "RawItem":
        if not isinstance(item, RawItem):
            text, properties = json.dumps(item).encode(), item.get("properties") or {}
            start, end = (
                _lenient_time(properties.get(name) or properties.get("datetime"))
                for name in ("start_datetime", "end_datetime")
            )
            box = _box(item.get("bbox"))
            return cls(text, item["collection"], start, end, str(item["id"]), box, verbatim=False)
        if item.id:
            return item
        try:
            return replace(
                item, id=str(json.loads(item.text.decode(errors="surrogateescape"), strict=False)["id"])
            )
        except (ValueError, TypeError, LookupError, RecursionError):
            return replace(item, id=sha256(item.text).hexdigest())


class RequestError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, description: str, **headers: str) -> None:
        super().__init__(description)
        self.reply = Reply.error(status, description, headers)


@dataclass(kw_only=True, eq=False)
class StacApi(FaultyServer):
    """The API. All options can be changed while it runs."""

    prefix: str = "/v1"
    collections: list[Document] = field(default_factory=list)
    """Served as they are. One is made for an item that names an unknown one."""
    items: InitVar[Iterable[Document | RawItem]] = ()
    """Served in the order in which they were first put. Only given here; see `put` for later."""

    collections_page_size: int | None = None
    """The default and highest `limit` of /collections; None answers all of them in one page."""
    default_limit: int = 10
    max_limit: int | None = None
    next_style: Literal["token", "merge", "relative", "get_from_post", "headers"] = "token"
    number_matched: Literal["numberMatched", "context"] | None = "numberMatched"
    on_page: Callable[[Document, Request], Document | bytes] | None = None
    """Alters every page of items before it is sent; features that came as RawItem are RawItem in it."""

    post_search: bool | int = True
    """True, or the status with which POST /search is refused (False is 405)."""
    post_fails_after: int | None = None
    """Answer that many pages to POST /search (since `reset`), and refuse all later ones."""
    get_search: bool | int = True
    has_search: bool = True
    search_links: tuple[str, ...] = ("GET", "POST")
    """The methods for which the landing page has a search link, whether they work or not."""
    has_collections: bool = True
    """False: 404 at /collections itself, no link to it; each collection is there still."""
    has_conformance: bool = True
    conforms_to_in_root: bool = True
    conforms_to: list[str] = field(default_factory=lambda: list(CONFORMS_TO))
    extensions: tuple[Extension, ...] = ()
    """Those of item search that it has, and claims in its conformance classes."""
    feigned_extensions: Literal["ignored", "nothing found", "unsorted"] | None = None
    """What it does with their parameters, if not what it claims."""
    has_queryables: bool = True
    queryables: Document = field(
        default_factory=lambda: {"id": {"type": "string"}, "datetime": {"type": "string"}}
    )
    token: str | None = None
    """The bearer token that every request needs."""

    def __post_init__(self, items: Iterable[Document | RawItem]) -> None:
        super().__init__()
        self._items: dict[tuple[str, str], RawItem] = {}
        self._post_pages = 0
        for item in items:
            self.put(item)

    def put(self, item: Document | RawItem) -> None:
        """Add an item, or replace the one with its collection and id, which keeps its place."""
        raw = RawItem.of(item)
        with self._lock:
            self._items[raw.collection, raw.id] = raw
            if all(known.get("id") != raw.collection for known in self.collections):
                self.collections.append(make_collection(raw.collection))

    def remove(self, collection: str, id: str) -> None:
        with self._lock:
            del self._items[collection, id]

    def clear(self) -> None:
        """Remove all items. The collections stay."""
        with self._lock:
            self._items.clear()

    def reset(self) -> None:
        super().reset()
        self._post_pages = 0

    def answer(self, request: Request) -> Reply:
        try:
            self._authorize(request)
            return self._route(request)
        except RequestError as problem:
            return problem.reply

    def _authorize(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if self.token is not None and scheme.lower() != "bearer":
            raise RequestError(401, "a bearer token is needed", **{"WWW-Authenticate": "Bearer"})
        if self.token is not None and given != self.token:
            raise RequestError(403, "this is not the token")

    def _route(self, request: Request) -> Reply:
        match request.method, *request.segments:
            case ["GET"]:
                return _json(self._landing_page())
            case ["GET", "conformance"] if self.has_conformance:
                return _json({"conformsTo": self._classes()})
            case ["GET", "api"]:
                info = {"title": "StacApi", "version": "1"}
                return _json({"openapi": "3.0.3", "info": info, "paths": {}}, OPENAPI)
            case ["GET", "api.html"]:
                return Reply(200, b"<!doctype html><title>StacApi</title>", {"Content-Type": "text/html"})
            case ["GET", "queryables"] if self.has_queryables:
                return self._queryables("")
            case ["GET", "collections"] if self.has_collections:
                return self._collections(request)
            case ["GET", "collections", collection, *rest]:
                known = [it for it in list(self.collections) if it.get("id") == collection]
                if not known:
                    raise RequestError(404, f"there is no collection {collection}")
                match rest:
                    case []:
                        return _json(known[0])
                    case ["queryables"] if self.has_queryables:
                        return self._queryables(f"/collections/{quote(collection, '')}")
                    case ["items"]:
                        parameters = {**_from_query(request.query), "collections": [collection]}
                        return self._page(request, parameters)
                    case ["items", id] if item := self._items.get((collection, id)):
                        return Reply(200, item.text, {"Content-Type": "application/geo+json"})
            case ["GET", "search"] if self.has_search:
                if self.get_search is not True:
                    raise _refusal(self.get_search)
                return self._page(request, _from_query(request.query))
            case ["POST", "search"] if self.has_search:
                return self._post_search(request)
            case ["POST", *rest] if rest != ["search"]:
                raise RequestError(405, "only GET is allowed here", Allow="GET")
        raise RequestError(404, f"there is no {request.path}")

    def _landing_page(self) -> Document:
        def link(rel: str, path: str, media: str = "application/json", **more: str) -> Document:
            return {"rel": rel, "href": self.url + path, "type": media, **more}

        links = [link("self", ""), link("root", "")]
        links.append(link("service-desc", "/api", f"application/{OPENAPI}"))
        links.append(link("service-doc", "/api.html", "text/html"))
        if self.has_collections:
            links.append(link("data", "/collections"))
        if self.has_conformance:
            links.append(link("conformance", "/conformance"))
        if self.has_search:
            links += [
                link("search", "/search", "application/geo+json", method=it) for it in self.search_links
            ]
        if self.has_queryables:
            links.append(link(f"{OGC}/def/rel/ogc/1.0/queryables", "/queryables", "application/schema+json"))
        ids = [str(it.get("id")) for it in list(self.collections)]
        links += [link("child", f"/collections/{quote(id, '')}") for id in ids]
        root: Document = {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "stac-api",
            "title": "StacApi",
            "description": "A STAC API for tests",
            "links": links,
        }
        return {**root, "conformsTo": self._classes()} if self.conforms_to_in_root else root

    def _classes(self) -> list[str]:
        return [*self.conforms_to, *(uri for name in self.extensions for uri in CLASSES[name])]

    def _queryables(self, path: str) -> Reply:
        schema = "https://json-schema.org/draft/2019-09/schema"
        about = {"$schema": schema, "$id": f"{self.url}{path}/queryables", "type": "object"}
        return _json({**about, "properties": self.queryables}, "schema+json")

    def _collections(self, request: Request) -> Reply:
        found, size = list(self.collections), self.collections_page_size
        offset, limit = 0, len(found)
        if size is not None:
            offset, limit = self._offset(request, request.query), min(_limit(request.query, size), size)
        shown = found[offset : offset + limit]
        return _json({"collections": shown, **self._paging(request, len(found), offset, limit)})

    def _post_search(self, request: Request) -> Reply:
        with self._lock:
            works = self.post_search is True
            if self.post_fails_after is not None:
                works = self._post_pages < self.post_fails_after
            self._post_pages += 1
        if not works:
            raise _refusal(self.post_search)
        if not isinstance(request.body, dict):
            raise RequestError(400, "the body is no JSON object")
        return self._page(request, request.body)

    def _page(self, request: Request, parameters: Document) -> Reply:
        """A page of the items that the parameters, in the form of a POST body, ask for."""
        wanted = _filter(parameters)
        offset, limit = self._offset(request, parameters), _limit(parameters, self.default_limit)
        limit = min(limit, self.max_limit or limit)
        with self._lock:
            found = [item for item in self._candidates(parameters) if wanted(item)]
            found = self._extended(found, parameters)
        shown, hook = found[offset : offset + limit], self.on_page
        fields = parameters.get("fields") if "fields" in self.extensions else None
        page: Document = {
            "type": "FeatureCollection",
            "features": [_shown(item, hook is not None, fields) for item in shown],
            **self._paging(request, len(found), offset, limit),
        }
        return _json(hook(page, request) if hook else page, "geo+json")

    def _candidates(self, parameters: Document) -> Iterable[RawItem]:
        """The items among which the parameters choose, in the order in which they are served."""
        return self._items.values()

    def _extended(self, found: list[RawItem], parameters: Document) -> list[RawItem]:
        """What the extensions make of the items that are found without them."""
        known = {name: parameters[name] for name in self.extensions if parameters.get(name)}
        if self.feigned_extensions == "ignored" or not known:
            return found
        if self.feigned_extensions == "nothing found":
            return [] if known.keys() & {"filter", "query"} else found
        try:
            is_sorted = self.feigned_extensions != "unsorted"
            return in_order(matching(found, known), known.get("sortby") if is_sorted else None)
        except Unusable as error:
            raise RequestError(400, str(error)) from None

    def _paging(self, request: Request, matched: int, offset: int, limit: int) -> Document:
        """The links and the counts of a page."""
        links: list[Document] = [{"rel": "root", "href": self.url, "type": "application/json"}]
        if offset + limit < matched:
            links.append(self._next_link(request, offset + limit))
        returned = max(0, min(limit, matched - offset))
        counts: Document = {}
        if self.number_matched == "numberMatched":
            counts = {"numberMatched": matched, "numberReturned": returned}
        elif self.number_matched == "context":
            counts = {"context": {"matched": matched, "returned": returned, "limit": limit}}
        return {"links": links, **counts}

    def _next_link(self, request: Request, offset: int) -> Document:
        token = b64encode(b"offset:%d" % offset).decode()
        path = self.url + "".join("/" + quote(segment, "") for segment in request.segments)
        if self.next_style == "relative":
            path = "./search" if request.path == "/search" else ""
        link: Document = {"rel": "next", "type": "application/geo+json"}
        if self.next_style == "headers":
            link["headers"] = {"Search-After": token}
        if request.method == "GET":
            return {**link, "method": "GET", "href": f"{path}?{urlencode({**request.query, 'token': token})}"}
        if self.next_style == "get_from_post":
            return {**link, "method": "GET", "href": f"{path}?{_to_query({**request.body, 'token': token})}"}
        if self.next_style == "merge":
            return {**link, "method": "POST", "href": path, "merge": True, "body": {"token": token}}
        return {**link, "method": "POST", "href": path, "body": {**request.body, "token": token}}

    def _offset(self, request: Request, parameters: Document) -> int:
        token = parameters.get("token")
        if token is None:
            return 0
        if self.next_style == "headers" and request.headers.get("search-after") != token:
            raise RequestError(400, "the next link's headers are missing")
        try:
            return int(b64decode(token, validate=True).removeprefix(b"offset:"))
        except (ValueError, TypeError):
            raise RequestError(400, f"{token!r} is no token of this API") from None


def _shown(item: RawItem, is_decoded: bool, fields: Any) -> RawItem | Document:
    """An item as a page has it: its text, or decoded to be changed, or what `fields` wants of it."""
    if fields and not is_decoded:
        return _reduced_text(item, json.dumps(fields))
    if fields:
        return reduced(json.loads(item.text), fields)
    return json.loads(item.text) if is_decoded and not item.verbatim else item


@lru_cache(maxsize=20_000)
def _reduced_text(item: RawItem, fields: str) -> RawItem:
    """What `fields`, as JSON, wants of an item; remembered, since a database would not decode it anew."""
    text = json.dumps(reduced(json.loads(item.text), json.loads(fields))).encode()
    return replace(item, text=text)


def _json(document: Document | bytes, kind: str = "json") -> Reply:
    """An answer with the document, in which every RawItem stands byte for byte."""
    raw: list[bytes] = []

    def splice(item: object) -> str:
        if not isinstance(item, RawItem):
            raise TypeError(f"{item!r} is no JSON")
        raw.append(item.text)
        return f"{SPLICE}{len(raw) - 1}"

    if not isinstance(document, bytes):
        text = json.dumps(document, default=splice).encode()
        document = re.sub(rb'"%b(\d+)"' % SPLICE.encode(), lambda found: raw[int(found[1])], text)
    return Reply(200, document, {"Content-Type": f"application/{kind}"})


def _refusal(switch: bool | int) -> RequestError:
    return RequestError(405 if isinstance(switch, bool) else switch, "this method of search is not to be had")


def _from_query(query: dict[str, str]) -> Document:
    lists = {name: query[name].split(",") for name in ("collections", "ids", "bbox") if query.get(name)}
    return {**query, **lists}


def _to_query(body: Document) -> str:
    def text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    lists = {name: ",".join(map(text, value)) for name, value in body.items() if isinstance(value, list)}
    return urlencode({**{name: text(value) for name, value in body.items()}, **lists})


def _limit(parameters: Document, default: int) -> int:
    limit = default if parameters.get("limit") is None else parameters["limit"]
    if not re.fullmatch(r"0*[1-9]\d*", str(limit), re.ASCII):
        raise RequestError(400, f"limit {limit!r} is no positive whole number")
    return int(limit)


def _filter(parameters: Document) -> Callable[[RawItem], bool]:
    """Which items the parameters want; empty ones want all."""
    collections, ids = (parameters.get(name) or [] for name in ("collections", "ids"))
    if not isinstance(collections, list) or not isinstance(ids, list):
        raise RequestError(400, "collections and ids are lists")
    since, until = _window(str(parameters.get("datetime") or ""))
    box = _box(parameters["bbox"]) if parameters.get("bbox") else None
    if parameters.get("bbox") and not box:
        raise RequestError(400, f"{parameters['bbox']!r} is no bbox")

    def wanted(item: RawItem) -> bool:
        return (
            (not collections or item.collection in collections)
            and (not ids or item.id in ids)
            and (since is None or (item.end is not None and item.end >= since))
            and (until is None or (item.start is not None and item.start <= until))
            and (box is None or (item.bbox is not None and _boxes_touch(box, item.bbox)))
        )

    return wanted


def _window(text: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Both ends of a `datetime` parameter, None where it is open."""
    if not text:
        return None, None
    ends = text.split("/") if "/" in text else [text, text]
    if len(ends) != 2 or not {*ends} - {"", ".."}:
        raise RequestError(400, f"datetime {text!r} is no window")
    since, until = (None if end in ("", "..") else _strict_time(end) for end in ends)
    if since and until and since > until:
        raise RequestError(400, f"datetime {text!r} ends before it starts")
    return since, until


def _strict_time(text: str) -> dt.datetime:
    time = _lenient_time(text) if RFC3339.fullmatch(text) else None
    if time is None:
        raise RequestError(400, f"{text!r} is no RFC 3339 time")
    return time


def _lenient_time(text: object) -> dt.datetime | None:
    """An item's time, in UTC unless it says otherwise; None, which is in no window, for what is no time."""
    try:
        time = dt.datetime.fromisoformat(str(text).upper())
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _box(numbers: Any) -> Box | None:
    """West, south, east, north; None for what is no bbox."""
    try:
        box = tuple(map(float, numbers))
    except (ValueError, TypeError):
        return None
    if len(box) == 6:
        box = (box[0], box[1], box[3], box[4])
    return box if len(box) == 4 and box[1] <= box[3] else None


def _boxes_touch(one: Box, other: Box) -> bool:
    def spans(box: Box) -> list[tuple[float, float]]:
        return [(box[0], box[2])] if box[0] <= box[2] else [(box[0], 180.0), (-180.0, box[2])]

    in_longitude = any(a[0] <= b[1] and b[0] <= a[1] for a in spans(one) for b in spans(other))
    return in_longitude and one[1] <= other[3] and other[1] <= one[3]
