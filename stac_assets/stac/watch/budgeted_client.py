"""Single pages asked of an API, so many and no more: what a watcher may cost."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stac_assets.stac.api import MISSING, StacApi
from stac_assets.stac.documents import Page
from stac_assets.stac.errors import EndpointMissing, MethodRefused, RequestFailed
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.paging import item_pages
from stac_assets.stac.watch.item_versions import Look, look_at
from stac_assets.stac.watch.updated_filter import Between, Direction, Language
from stac_assets.stac.windows import Window


class Spent(Exception):
    """No request is left, or no time; what was not asked is asked another time."""


@dataclass(frozen=True)
class Span:
    """Days from `start` up to, not including, `end`; None is open."""

    start: date
    end: date | None = None

    def __str__(self) -> str:
        """RFC 3339, as the STAC API parameter `datetime`, without the instant that begins the next day."""
        last = None if self.end is None else _midnight(self.end) - timedelta(microseconds=1)
        return f"{_midnight(self.start).isoformat()}Z/" + (f"{last.isoformat()}Z" if last else "..")


class Questions:
    """Asks for single pages of items.

    Args:
        api: what is asked; see `stac.patience` for its options.
        narrowing: filters of the user's.
        max_requests: in all, retries and the landing page included.
    """

    def __init__(self, api: StacApi, narrowing: Narrowing, max_requests: int) -> None:
        self.api = api
        self._narrowing = narrowing
        self._max_requests = max_requests
        self._figures = Figures()
        self._has_search = True

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._figures.requests + self.api.transport.totals.requests

    @property
    def page_size(self) -> int:
        """Items of a page, unless fewer are asked for."""
        return self.api.options.page_size

    def conformance(self) -> list[str]:
        """The conformance classes; none where the API does not tell."""
        self._check()
        try:
            return self.api.conformance()
        except EndpointMissing:
            return []

    def items(self, collection: str, span: Span, size: int | None = None) -> Look:
        """The first page of items whose interval touches `span`, by search or else `/collections/{id}/items`.

        Raises:
            Spent: no request is left.
            EndpointMissing: the API lists no items.
            StacError: the API did not answer as it should.
        """
        if self._has_search:
            try:
                return self._search(collection, span, size)
            except EndpointMissing:
                self._has_search = False
        request = self.api.collection_items_request(
            _window(collection, span), self._narrowing, str(span), size or self.page_size
        )
        return self._sent(request, size)

    def changed(
        self,
        collection: str,
        span: Span,
        language: Language,
        between: Between,
        direction: Direction | None = None,
        size: int | None = None,
    ) -> Look:
        """The first page of items that changed between two instants; errors as of `items`.

        Raises:
            NotCombinable: see `Language.refined`.
        """
        return self._search(collection, span, size, language, between, direction)

    def _search(
        self,
        collection: str,
        span: Span,
        size: int | None,
        language: Language | None = None,
        between: Between | None = None,
        direction: Direction | None = None,
    ) -> Look:
        method = self.api.search_method
        request = self.api.search_request(
            method, _window(collection, span), self._narrowing, str(span), size or self.page_size
        )
        if language is not None and between is not None:
            request = language.refined(request, between, direction)
        try:
            return self._sent(request, size)
        except MethodRefused:
            if method == "GET":
                raise
            self.api.search_with_get()
            return self._search(collection, span, size, language, between, direction)
        except RequestFailed as error:
            if error.status in MISSING:
                raise self.api.landing.missing("search") from None
            raise

    def _sent(self, request: PageRequest, size: int | None) -> Look:
        self._check()
        page: Page = next(item_pages(self.api.transport, request, self._figures))
        return look_at(page, size or self.page_size)

    def _check(self) -> None:
        if self.requests >= self._max_requests:
            raise Spent(f"{self.requests} requests")


def _window(collection: str, span: Span) -> Window:
    return Window(collection, span.start, span.end or span.start)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
