"""The items of one STAC API: those of a window by search or by listing, and single ones."""

import threading
from collections.abc import Iterator, Sequence

from stac_assets.stac.count_costs import CountCosts
from stac_assets.stac.counts import Counts
from stac_assets.stac.crawl import Crawl
from stac_assets.stac.documents import Page
from stac_assets.stac.empty_results import EmptyResults
from stac_assets.stac.errors import LongRequest, MethodRefused, RequestFailed
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.http.page_request import PageRequest, link
from stac_assets.stac.http.transport import Transport
from stac_assets.stac.item_lookup import ItemLookup
from stac_assets.stac.item_requests import ItemRequests
from stac_assets.stac.joined_parts import joined_first_page, joined_pages
from stac_assets.stac.landing import Landing
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.page_limits import PageLimits
from stac_assets.stac.paging import item_pages
from stac_assets.stac.refused_sizes import RefusedSizes, size_of
from stac_assets.stac.scope import Scope
from stac_assets.stac.windows import ALWAYS, Asked, Interval
from stac_assets.stac.witness import ReadPages

MISSING = frozenset({404, 405, 501})
"""Statuses that say that an API does not have an endpoint."""
UNDATED_RETRIES = 2
"""The retries of a question without a date."""
LONGEST_URL = 2000
"""Characters of a URL that no server or proxy refuses; with more only a single collection is asked for."""
OUTLINE_SIZE = 1_999
"""The items of a page that tells only their ids and times, which are some hundred bytes of each.

It is no round number, because a last page that is full has to be proven to be the last."""


class ItemReading:
    """Asks one API for items. Any number of threads may share it.

    Args:
        options: the URL, the credentials, and how politely requests are sent.
        cancelled: once it is set, requests raise `Cancelled`.
    """

    def __init__(self, options: ApiOptions, cancelled: threading.Event | None = None) -> None:
        self.options = options
        self.transport = Transport(options, cancelled)
        self.landing = Landing(options.base_url, self.transport)
        self._search_with_get = threading.Event()
        if options.search_method == "GET":
            self._search_with_get.set()
        self.post_refused: int | None = None
        """The status with which the API refused to search by POST, once it has."""
        self.count_costs = CountCosts(options.counts)
        self._limits = PageLimits(options.page_size, self.count_costs)
        self._outline_limits = PageLimits(OUTLINE_SIZE, self.count_costs)
        self.sizes = RefusedSizes(self._limits)
        self._outline_sizes = RefusedSizes(self._outline_limits)
        self.requests = ItemRequests(self.landing, self._limits)
        self._empty = EmptyResults(self.transport)

    @property
    def page_size(self) -> int:
        """The number of items to ask for: as many as the API is known to answer with."""
        return self._limits.page_size

    def fitting(self, size: int) -> int:
        """The number of items that the API is asked for where `size` are wanted."""
        return self._limits.fitting(size)

    @property
    def counts(self) -> Counts:
        """What the run has learned of the API's counts."""
        return self._limits.counts

    @property
    def search_method(self) -> str:
        """The method of a search: POST, unless that is refused, or GET is set or is alone linked."""
        is_get = self._search_with_get.is_set() or self.landing.methods("search") == {"GET"}
        return "GET" if is_get else "POST"

    def search_with_get(self, status: int | None = None) -> None:
        """Search by GET from now on, because the API refused POST with this status."""
        self.post_refused = status
        self._search_with_get.set()

    def search(self, window: Asked, narrowing: Narrowing, figures: Figures) -> Iterator[Page]:
        """The pages of all items that touch `window`, by `/search`, each item once.

        Raises:
            LongRequest: the API searches by GET, and so many collections are more than a URL takes.
            EndpointMissing: the API has no item search.
            StacError: see `Crawl.pages`.
        """

        def pages(part: Narrowing, figures: Figures) -> Iterator[Page]:
            def read(interval: Interval, size: int, retries: int | None) -> Iterator[Page]:
                return self._search_pages(window.collections, part, figures, interval, size, retries)

            return self._crawl(read, window, part, figures)

        return joined_pages(narrowing, figures, pages)

    def outline(
        self, window: Asked, narrowing: Narrowing, figures: Figures, size: int | None = None
    ) -> Iterator[Page]:
        """The same as `search` finds, of each item only its id, its collection and its times.

        The API has to have the Fields extension; else whole items come.

        Args:
            window: the collections and their days.
            narrowing: the user's filters.
            figures: counts what is met.
            size: the number of items of a page; by default `OUTLINE_SIZE`, or what the API can answer with.

        Raises:
            LongRequest, EndpointMissing, StacError: as of `search`.
        """

        def read(interval: Interval, size: int, retries: int | None) -> Iterator[Page]:
            return self._search_pages(
                window.collections, narrowing, figures, interval, size, retries, is_outline=True
            )

        scope = Scope(frozenset(window.collections))
        limits = self._outline_limits if size is None else PageLimits(size, self.count_costs)
        return Crawl(read, window, limits, figures, scope).pages()

    def by_id(self, collections: Sequence[str], ids: Sequence[str], figures: Figures) -> Iterator[Page]:
        """The pages of those items of some collections that have these ids, by `/search`.

        Raises:
            LongRequest: the API searches by GET, and so many ids are more than a URL takes.
            StacError: the API failed.
        """
        method = self.search_method
        request = self.requests.by_id(method, collections, ids)
        if method == "GET" and len(link(request)) > LONGEST_URL:
            raise LongRequest(f"a search for {len(ids)} ids does not fit into a URL")
        yield from self._asked(request, "search", figures, None, self.sizes)

    def collection_items(self, window: Asked, narrowing: Narrowing, figures: Figures) -> Iterator[Page]:
        """The pages of all items that touch `window`, by `/collections/{id}/items`, each item once.

        Of `narrowing` only the `bbox` counts, because this endpoint knows nothing else (OGC API - Features).

        Raises:
            EndpointMissing: the API does not list items.
            StacError: see `Crawl.pages`.
        """

        def pages(part: Narrowing, figures: Figures) -> Iterator[Page]:
            def read(interval: Interval, size: int, retries: int | None) -> Iterator[Page]:
                return self._listed_pages(window, part, figures, interval, size, retries)

            return self._crawl(read, window, part, figures)

        return joined_pages(narrowing, figures, pages)

    def first_page_of_search(
        self, window: Asked, narrowing: Narrowing, size: int, retries: int | None = None
    ) -> Page:
        """The first page of a search for the items that touch `window`, whatever comes of it.

        Where the box crosses the antimeridian it is one of up to twice as many items, and its count is the
        sum of those of both parts.

        Args:
            window: the collection and its days.
            narrowing: the user's filters.
            size: the number of items to ask for.
            retries: how often the request is sent again after a fault; by default as the options say.

        Raises:
            EndpointMissing: the API does not have the endpoint.
            StacError: the API failed.
        """

        def first(part: Narrowing) -> Page:
            arguments = window.collections, part, Figures(), window.interval, size, retries
            try:
                return next(self._search_pages(*arguments))
            except MethodRefused:  # so that from now on searches are GET
                return next(self._search_pages(*arguments))

        return joined_first_page([*map(first, narrowing.parts)])

    def first_page_of_collection(
        self, window: Asked, narrowing: Narrowing, size: int, retries: int | None = None
    ) -> Page:
        """The first page of `/collections/{id}/items`; arguments and errors as of `first_page_of_search`."""

        def first(part: Narrowing) -> Page:
            return next(self._listed_pages(window, part, Figures(), window.interval, size, retries))

        return joined_first_page([*map(first, narrowing.parts)])

    def _crawl(self, read: ReadPages, window: Asked, part: Narrowing, figures: Figures) -> Iterator[Page]:
        scope = Scope(frozenset(window.collections), part.bbox)
        return Crawl(read, window, self._limits, figures, scope).pages()

    def _search_pages(
        self,
        collections: Sequence[str],
        narrowing: Narrowing,
        figures: Figures,
        interval: Interval,
        size: int,
        retries: int | None,
        is_outline: bool = False,
    ) -> Iterator[Page]:
        method = self.search_method
        request = self.requests.search(method, collections, narrowing, interval, size, is_outline)
        if method == "GET" and len(collections) > 1 and len(link(request)) > LONGEST_URL:
            raise LongRequest(f"a search for {len(collections)} collections does not fit into a URL")
        try:
            sizes = self._outline_sizes if is_outline else self.sizes
            yield from self._asked(request, "search", figures, _patience(interval, retries), sizes)
        except MethodRefused as error:
            if method == "GET":  # a `next` link that insists on POST
                raise RequestFailed(str(error), error.status) from None
            self.search_with_get(error.status)
            raise

    def _listed_pages(
        self,
        window: Asked,
        narrowing: Narrowing,
        figures: Figures,
        interval: Interval,
        size: int,
        retries: int | None,
    ) -> Iterator[Page]:
        [collection] = window.collections
        request = self.requests.listing(collection, narrowing, interval, size)
        yield from self._asked(request, "items", figures, _patience(interval, retries), self.sizes)

    def _asked(
        self,
        request: PageRequest,
        relation: str,
        figures: Figures,
        retries: int | None,
        sizes: RefusedSizes,
    ) -> Iterator[Page]:
        """The pages of an answer; a single empty one where the API says in its way that nothing is found.

        Raises:
            EndpointMissing: the API lacks the endpoint of that link relation.
            StacError: the API failed.
        """

        def ask(request: PageRequest) -> Iterator[Page]:
            return self._answered(request, relation, figures, retries)

        yield from sizes.pages(request, figures, ask)

    def _answered(
        self, request: PageRequest, relation: str, figures: Figures, retries: int | None
    ) -> Iterator[Page]:
        begun = figures.pages
        try:
            pages = item_pages(self.transport, request, figures, retries)
            if (size_of(request) or 0) > 1:
                with self.count_costs.of_a_page():
                    first = next(pages)
                yield first
            yield from pages
        except RequestFailed as error:
            if figures.pages == begun and self._empty.is_told(error, request, figures):
                yield Page([], [])
                return
            is_refused = isinstance(error, MethodRefused)
            if not is_refused and error.status in MISSING and not self.transport.has_answered(request.url):
                raise self.landing.missing(relation) from None
            raise

    def item(self, collection: str, item_id: str, figures: Figures) -> Answer | None:
        """The answer with one item; None where the API has none of that id; see `ItemLookup.item`."""
        return ItemLookup(self.transport, self.landing).item(collection, item_id, figures)


def _patience(interval: Interval, retries: int | None) -> int | None:
    """The retries of a question; one without a date may be too much for an API that answers all others."""
    return UNDATED_RETRIES if retries is None and interval == ALWAYS else retries
