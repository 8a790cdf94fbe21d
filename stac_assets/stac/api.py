"""A STAC API: its endpoints, and the items of a window."""

import difflib
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from stac_assets.stac.crawl import Crawl
from stac_assets.stac.documents import Item, Link, Page, decode_item, decode_object
from stac_assets.stac.endpoints.endpoint import QUERYABLES
from stac_assets.stac.errors import (
    ConfigurationError,
    EndpointMissing,
    MethodRefused,
    RequestFailed,
    UnknownCollection,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.links import absolute, shown
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.transport import Transport
from stac_assets.stac.landing import Landing, read_object
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.page_limits import Habits
from stac_assets.stac.paging import item_pages, object_pages
from stac_assets.stac.windows import Interval, Window

MISSING = frozenset({404, 405, 501})
NEVER_FETCHED = {"child", "item", "data", "search", "self", "root"}
"""Relations of the landing page whose documents other endpoints load."""


class StacApi:
    """The endpoints of one STAC API."""

    def __init__(self, options: ApiOptions, cancelled: threading.Event | None = None) -> None:
        self.options = options
        self.transport = Transport(options, cancelled)
        self.landing = Landing(options.base_url, self.transport)
        self._search_with_get = threading.Event()
        self._habits = Habits(options.page_size)

    @property
    def search_method(self) -> str:
        """The method that a search begins with: POST, until the API has refused it."""
        return "GET" if self._search_with_get.is_set() else "POST"

    def search_with_get(self) -> None:
        """From now on searches are GET; POST was refused."""
        self._search_with_get.set()

    # What the landing page tells --------------------------------------------------------------

    def link_document(self, link: Link) -> tuple[int, bytes] | None:
        """Status and JSON text behind a link of the landing page; None where it is not fetched.

        Fetched are JSON documents of the API's own origin that no other endpoint loads.
        """
        if link.rel in NEVER_FETCHED or "json" not in (link.type or ""):
            return None
        url = absolute(self.landing.base_url + "/", link.href)
        if not self.transport.credentials.trusts(url):
            return None
        answer = self.transport.send("GET", url, allow=frozenset(range(400, 500)))
        try:
            decode_object(answer)
        except RequestFailed:
            return answer.status, b""
        if answer.status >= 400:  # an error may echo the request
            return answer.status, self.transport.credentials.hide(answer.body.decode()).encode()
        return answer.status, answer.body

    def conformance(self) -> list[str]:
        """The conformance classes: `/conformance`, else the root's `conformsTo`."""
        classes = None
        url = self.landing.endpoint("conformance", required=False)
        answer = read_object(self.transport, url, MISSING)
        if answer.status < 300:
            classes = decode_object(answer).get("conformsTo")
        if not isinstance(classes, list):
            classes = self.landing.document().get("conformsTo")
        if not isinstance(classes, list):
            raise self.landing.missing("conformance")
        return list(dict.fromkeys(str(uri) for uri in classes))

    # Collections ------------------------------------------------------------------------------

    def collections(self) -> Iterator[Item]:
        """The members of every collection document, of all pages, each collection once."""
        url = self.landing.endpoint("data")
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
                raise self.landing.missing("data") from None
            raise

    def collection_ids(self) -> list[str]:
        """Identifiers of every collection, in the API's order."""
        ids = (json.loads(bytes(members["id"])) for members in self.collections() if "id" in members)
        return [identifier for identifier in ids if isinstance(identifier, str)]

    def collection(self, collection: str) -> Answer:
        """The answer that holds one collection document.

        Raises:
            UnknownCollection: there is none of that id; the message lists near matches.
        """
        url = f"{self.landing.endpoint('data')}/{quote(collection, safe='')}"
        answer = read_object(self.transport, url, MISSING)
        if answer.status < 300:
            return answer
        try:
            known = self.collection_ids()
        except EndpointMissing:
            known = []
        near = difflib.get_close_matches(collection, known, n=5, cutoff=0.5)
        listing = ", ".join(near or sorted(known)[:10]) or "none at all"
        raise UnknownCollection(
            f"{shown(self.landing.base_url)} has no collection {collection!r}; "
            f"{'near matches' if near else f'it has {len(known)}, among them'}: {listing}. "
            "Set `collections` under [sources.pystac_client_source]"
        )

    def has_collection(self, collection: str) -> bool:
        """Whether the API has a collection of that id."""
        url = f"{self.landing.endpoint('data')}/{quote(collection, safe='')}"
        return read_object(self.transport, url, frozenset({404, 410})).status < 300

    def queryables(self, collection: str | None) -> dict[str, Any] | None:
        """The queryables of a collection, or of the root for None; None where the API has none."""
        if collection is None:
            url = self.landing.endpoint(QUERYABLES, required=False)
        else:
            url = f"{self.landing.endpoint('data')}/{quote(collection, safe='')}/queryables"
        answer = read_object(self.transport, url, MISSING)
        return decode_object(answer) if answer.status < 300 else None

    # Items ------------------------------------------------------------------------------------

    def search(self, window: Window, narrowing: Narrowing, figures: Figures) -> Iterator[Page]:
        """The pages of every item whose interval touches `window`, each item once; errors as of `Crawl`.

        Raises:
            EndpointMissing: the API has no item search.
        """

        def read(interval: Interval, size: int, retries: int | None) -> Iterator[Page]:
            return self._search_pages(window, narrowing, figures, interval, size, retries)

        return Crawl(read, window, self._habits, figures).pages()

    def _search_pages(
        self,
        window: Window,
        narrowing: Narrowing,
        figures: Figures,
        interval: Interval,
        size: int,
        retries: int | None,
    ) -> Iterator[Page]:
        method = self.search_method
        request = self.search_request(method, window, narrowing, interval, size)
        try:
            yield from item_pages(self.transport, request, figures, retries)
        except MethodRefused as error:
            if method == "GET":  # a `next` link that insists on POST
                raise RequestFailed(str(error), error.status) from None
            self.search_with_get()
            raise
        except RequestFailed as error:
            if error.status in MISSING and not self.transport.has_answered(request.url):
                raise self.landing.missing("search") from None
            raise

    def matched(self, resource: str, window: Window, narrowing: Narrowing) -> int | None:
        """How many items the API counts that touch `window`, by a page of one; None where it does not count.

        Raises:
            MethodRefused: of a search by POST; the next one is GET.
            StacError: the API does not answer.
        """
        figures, span = Figures(), window.span
        if resource == "search":
            pages = self._search_pages(window, narrowing, figures, span, 1, 0)
        else:
            request = self.collection_items_request(window, narrowing, span, 1)
            pages = item_pages(self.transport, request, figures, 0)
        page = next(pages, None)
        return page.number_matched if page else None

    def search_request(
        self,
        method: str,
        window: Window,
        narrowing: Narrowing,
        interval: Interval | str | None = None,
        size: int | None = None,
    ) -> PageRequest:
        """The first request of a search; pystac-client builds and checks its parameters.

        Args:
            method: `POST` or `GET`.
            window: whose collection, and whose time if no `interval` of it is given.
            narrowing: filters.
            interval: a part of the window, or any other (STAC API `datetime`).
            size: items of a page; by default the setting.
        """
        from pystac_client import ItemSearch

        url = self.landing.endpoint("search")
        try:
            parameters = ItemSearch(
                url,
                method=method,
                limit=size or self._habits.page_size,
                collections=[window.collection],
                datetime=str(interval or window.span),
                bbox=narrowing.bbox,
                intersects=narrowing.intersects,
                query=narrowing.query,
                filter=narrowing.filter,
            ).get_parameters()
        except Exception as error:  # what cql2 raises for an expression that it cannot read has no class
            reason = (str(error).strip() or repr(error)).splitlines()[-1].strip()
            raise ConfigurationError(
                f"the search for {window} cannot be put together: {reason}; "
                "see the settings bbox, intersects, query and filter"
            ) from None
        if method == "POST":
            return PageRequest("POST", url, body=dict(parameters))
        return PageRequest("GET", url, params=dict(parameters))

    def collection_items(self, window: Window, narrowing: Narrowing, figures: Figures) -> Iterator[Page]:
        """The pages of `/collections/{id}/items` for `window`, each item once; errors as of `Crawl`.

        Only `bbox` narrows it (OGC API Features).

        Raises:
            EndpointMissing: the API does not list items.
        """

        def read(interval: Interval, size: int, retries: int | None) -> Iterator[Page]:
            request = self.collection_items_request(window, narrowing, interval, size)
            try:
                yield from item_pages(self.transport, request, figures, retries)
            except RequestFailed as error:
                if error.status in MISSING and not self.transport.has_answered(request.url):
                    raise self.landing.missing("items") from None
                raise

        return Crawl(read, window, self._habits, figures).pages()

    def collection_items_request(
        self,
        window: Window,
        narrowing: Narrowing,
        interval: Interval | str | None = None,
        size: int | None = None,
    ) -> PageRequest:
        """The first request for the items of a collection; arguments as of `search_request`."""
        collections = self.landing.endpoint("data")
        url = f"{collections}/{quote(window.collection, safe='')}/items"
        params: dict[str, Any] = {
            "datetime": str(interval or window.span),
            "limit": size or self._habits.page_size,
        }
        if narrowing.bbox is not None:
            params["bbox"] = ",".join(map(str, narrowing.bbox))
        return PageRequest("GET", url, params=params)

    def item(self, collection: str, item_id: str, figures: Figures) -> Answer | None:
        """The answer that holds one item, or None where the API says that there is none (404, 410)."""
        collections = self.landing.endpoint("data")
        url = f"{collections}/{quote(collection, safe='')}/items/{quote(item_id, safe='')}"

        def checked(answer: Answer) -> Answer | None:
            if answer.status >= 300:
                return None
            decode_item(answer)
            return answer

        return self.transport.read(checked, "GET", url, figures=figures, allow=frozenset({404, 410}))
