"""A STAC API: its landing page, its endpoints, and the items of a window."""

import difflib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from stac_assets.stac.credentials import followed
from stac_assets.stac.documents import Item, Link, Page, decode_members, decode_object, links_of
from stac_assets.stac.errors import (
    AuthenticationError,
    EndpointMissing,
    MethodRefused,
    NotAStacApi,
    RequestFailed,
    UnknownCollection,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.options import ApiOptions
from stac_assets.stac.origins import shown
from stac_assets.stac.paging import PageRequest, item_pages, object_pages
from stac_assets.stac.transport import Answer, Transport
from stac_assets.stac.windows import Window

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
MISSING = frozenset({404, 405, 501})
NEEDS = {
    "search": ("search",),
    "data": ("collections", "collection", "collection_items", "item"),
    "conformance": ("conformance",),
    QUERYABLES: ("queryables",),
}
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
NEVER_FETCHED = {"child", "item", "data", "search", "self", "root"}
"""Relations of the landing page whose documents other endpoints load."""


@dataclass(frozen=True)
class Narrowing:
    """What narrows a search beside its window, in pystac-client's words."""

    bbox: tuple[float, ...] | None = None
    intersects: dict[str, Any] | None = None
    query: Any = None
    filter: Any = None

    def __bool__(self) -> bool:
        return any(part is not None for part in (self.bbox, self.intersects, self.query, self.filter))


class StacApi:
    """The endpoints of one STAC API. The landing page is read once, when first needed."""

    def __init__(self, options: ApiOptions, cancelled: threading.Event | None = None) -> None:
        self.options = options
        self.transport = Transport(options, cancelled)
        self._root: dict[str, Any] | None = None
        self._root_answer: Answer | None = None
        self._root_lock = threading.Lock()
        self._search_with_get = threading.Event()

    @property
    def base_url(self) -> str:
        """URL of the landing page, without a trailing slash."""
        return self.options.base_url

    # The landing page -------------------------------------------------------------------------

    def root(self) -> dict[str, Any]:
        """The landing page.

        Raises:
            NotAStacApi: the base URL answers with something else.
        """
        with self._root_lock:
            if self._root is None:
                self._root_answer, self._root = self._read_root()
            return self._root

    def root_members(self) -> Item:
        """The landing page as the JSON text of its members."""
        self.root()
        assert self._root_answer is not None
        return decode_members(self._root_answer)

    def _read_root(self) -> tuple[Answer, dict[str, Any]]:
        what = f"{shown(self.base_url)} is no STAC API"
        advice = "base_url must be the URL of a landing page, as in https://earth-search.aws.element84.com/v1"
        try:
            answer = self.transport.send("GET", self.base_url)
            document = decode_object(answer)
        except AuthenticationError:
            raise
        except RequestFailed as error:
            raise NotAStacApi(f"{what}: {error}. {advice}") from None
        if not isinstance(document.get("links"), list) or "stac_version" not in document:
            raise NotAStacApi(
                f"{what}: its JSON has no `stac_version` and `links`; it begins with {answer.beginning()}. "
                f"{advice}"
            )
        relations = {link.rel for link in links_of(document)}
        if "conformsTo" not in document and not relations & {"search", "data", "conformance"}:
            raise NotAStacApi(
                f"{what}: it is a static STAC catalog (no conformsTo, no search, no data link), "
                f"which has no endpoints to ask. {advice}"
            )
        return answer, document

    def links(self) -> list[Link]:
        """The links of the landing page."""
        return links_of(self.root())

    def link_document(self, link: Link) -> tuple[int, bytes] | None:
        """Status and JSON text behind a link of the landing page; None where it is not fetched.

        Fetched are JSON documents of the API's own origin that no other endpoint loads.
        """
        if link.rel in NEVER_FETCHED or "json" not in (link.type or ""):
            return None
        url = followed(self.base_url + "/", link.href)
        if not self.transport.credentials.trusts(url):
            return None
        answer = self.transport.send("GET", url, allow=frozenset(range(400, 500)))
        try:
            decode_object(answer)
        except RequestFailed:
            return answer.status, b""
        return answer.status, answer.body

    def conformance(self) -> list[str]:
        """The conformance classes: `/conformance`, else the root's `conformsTo`."""
        classes = None
        url = self._endpoint("conformance", "/conformance", required=False)
        answer = self.transport.send("GET", url, allow=MISSING)
        if answer.status < 300:
            classes = decode_object(answer).get("conformsTo")
        if not isinstance(classes, list):
            classes = self.root().get("conformsTo")
        if not isinstance(classes, list):
            raise self.missing("conformance")
        return list(dict.fromkeys(str(uri) for uri in classes))

    # Collections ------------------------------------------------------------------------------

    def collections(self) -> Iterator[Item]:
        """The members of every collection document, of all pages, each collection once."""
        url = self._endpoint("data", "/collections")
        seen = set()
        try:
            for page in object_pages(self.transport, PageRequest("GET", url), "collections"):
                for members in page:
                    identifier = bytes(members.get("id", b""))
                    if identifier not in seen:
                        seen.add(identifier)
                        yield members
        except RequestFailed as error:
            if error.status in MISSING:
                raise self.missing("data") from None
            raise

    def collection_ids(self) -> list[str]:
        """Identifiers of every collection, in the API's order."""
        ids = (msgspec.json.decode(members["id"]) for members in self.collections() if "id" in members)
        return [identifier for identifier in ids if isinstance(identifier, str)]

    def collection(self, collection: str) -> Answer:
        """The answer that holds one collection document.

        Raises:
            UnknownCollection: there is none of that id; the message lists near matches.
        """
        url = f"{self._endpoint('data', '/collections')}/{quote(collection, safe='')}"
        answer = self.transport.send("GET", url, allow=MISSING)
        if answer.status < 300:
            return answer
        known = self.collection_ids()
        near = difflib.get_close_matches(collection, known, n=5, cutoff=0.5)
        listing = ", ".join(near or sorted(known)[:10]) or "none at all"
        raise UnknownCollection(
            f"{shown(self.base_url)} has no collection {collection!r}; "
            f"{'near matches' if near else f'it has {len(known)}, among them'}: {listing}. "
            "Set `collections` under [sources.pystac_client_source]"
        )

    def queryables(self, collection: str | None) -> dict[str, Any] | None:
        """The queryables of a collection, or of the root for None; None where the API has none."""
        if collection is None:
            url = self._endpoint(QUERYABLES, "/queryables", required=False)
        else:
            url = f"{self._endpoint('data', '/collections')}/{quote(collection, safe='')}/queryables"
        answer = self.transport.send("GET", url, allow=MISSING)
        return decode_object(answer) if answer.status < 300 else None

    # Items ------------------------------------------------------------------------------------

    def search(self, window: Window, narrowing: Narrowing, figures: Figures) -> Iterator[Page]:
        """The pages of every item whose interval touches `window`: POST, or GET where POST is refused.

        Raises:
            MethodRefused: POST was refused after pages had been read; call again, GET is used then.
            EndpointMissing: the API has no item search.
        """
        if not self._search_with_get.is_set():
            pages = 0
            try:
                for page in item_pages(
                    self.transport, self.search_request("POST", window, narrowing), figures
                ):
                    pages += 1
                    yield page
                return
            except MethodRefused:
                self._search_with_get.set()
                if pages:
                    raise
        try:
            yield from item_pages(self.transport, self.search_request("GET", window, narrowing), figures)
        except RequestFailed as error:
            if error.status in (404, 501) and not figures.pages:
                raise self.missing("search") from None
            raise

    def search_request(self, method: str, window: Window, narrowing: Narrowing) -> PageRequest:
        """The first request of a search; pystac-client builds and checks its parameters."""
        from pystac_client import ItemSearch

        url = self._endpoint("search", "/search")
        parameters = ItemSearch(
            url,
            method=method,
            limit=self.options.page_size,
            collections=[window.collection],
            datetime=window.interval,
            bbox=narrowing.bbox,
            intersects=narrowing.intersects,
            query=narrowing.query,
            filter=narrowing.filter,
        ).get_parameters()
        if method == "POST":
            return PageRequest("POST", url, body=dict(parameters))
        return PageRequest("GET", url, params=dict(parameters))

    def collection_items(self, window: Window, narrowing: Narrowing, figures: Figures) -> Iterator[Page]:
        """The pages of `/collections/{id}/items` for `window`; only `bbox` narrows it (OGC API Features)."""
        request = self.collection_items_request(window, narrowing)
        try:
            yield from item_pages(self.transport, request, figures)
        except RequestFailed as error:
            if error.status in MISSING and not figures.pages:
                raise self.missing("data") from None
            raise

    def collection_items_request(self, window: Window, narrowing: Narrowing) -> PageRequest:
        """The first request for the items of a collection."""
        collections = self._endpoint("data", "/collections")
        url = f"{collections}/{quote(window.collection, safe='')}/items"
        params: dict[str, Any] = {"datetime": window.interval, "limit": self.options.page_size}
        if narrowing.bbox is not None:
            params["bbox"] = ",".join(map(str, narrowing.bbox))
        return PageRequest("GET", url, params=params)

    def item(self, collection: str, item_id: str, figures: Figures) -> Answer | None:
        """The answer that holds one item, or None where the API says that there is none (404, 410)."""
        collections = self._endpoint("data", "/collections")
        url = f"{collections}/{quote(collection, safe='')}/items/{quote(item_id, safe='')}"
        answer = self.transport.send("GET", url, figures=figures, allow=frozenset({404, 410}))
        return answer if answer.status < 300 else None

    # What the API has -------------------------------------------------------------------------

    def _endpoint(self, relation: str, path: str, required: bool = True) -> str:
        """URL of an endpoint: the landing page's link, or the usual path where that leads elsewhere."""
        usual = self.base_url + path
        for link in self.links():
            if link.rel == relation and link.href:
                url = followed(self.base_url + "/", link.href).rstrip("/")
                return url if self.transport.credentials.trusts(url) else usual
        if required:
            raise self.missing(relation)
        return usual

    def missing(self, relation: str) -> EndpointMissing:
        """The error for an endpoint, by link relation, that the API lacks."""
        lost = NEEDS[relation]
        left = [name for name in ENDPOINTS if name not in lost]
        path = {"data": "/collections", "search": "/search", QUERYABLES: "/queryables"}.get(
            relation, f"/{relation}"
        )
        verb = "reads" if len(lost) == 1 else "read"
        return EndpointMissing(
            f"the landing page {shown(self.base_url)} offers no usable {path} (link relation {relation!r}), "
            f"which {', '.join(lost)} {verb}; these assets can still run: {', '.join(left)}"
        )
