"""A client that sends a limited number of requests, one page each: it bounds what a poll may cost."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from stac_assets.stac.api import MISSING, StacApi
from stac_assets.stac.documents import Page
from stac_assets.stac.errors import EndpointMissing, MethodRefused, RequestFailed
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.paging import item_pages
from stac_assets.stac.watch.item_versions import Direction, VersionPage, joined_versions, versions_on
from stac_assets.stac.watch.updated_filter import UpdatedFilter
from stac_assets.stac.windows import Interval


def variation_at(now: datetime) -> timedelta:
    """Less than a millisecond, and another one for every 100 seconds of a day.

    An API may keep its counts: pgstac answers the same question with the count of yesterday. No item begins
    in the last millisecond of a day, so that a question which ends a little earlier has the same answer, and
    is another one.
    """
    return timedelta(microseconds=1 + int(now.timestamp()) // 100 % 998)


class BudgetExhausted(Exception):
    """The requests of a poll are used up; the next poll goes on."""


class BudgetedClient:
    """Asks for single pages of items until its budget is used up.

    Args:
        api: the API; `impatient` makes its options short of patience.
        narrowing: the user's filters.
        max_requests: the budget, from which retries and the landing page are paid too.
        variation: by how much the questions for counts differ from those of other polls; see `variation_at`.
    """

    def __init__(
        self, api: StacApi, narrowing: Narrowing, max_requests: int, variation: timedelta = timedelta()
    ) -> None:
        self.api = api
        self._narrowing = narrowing
        self._max_requests = max_requests
        self._variation = variation
        self._figures = Figures()
        self._has_search = True

    @property
    def requests(self) -> int:
        """The number of requests that were sent."""
        return self._figures.requests + self.api.transport.totals.requests

    @property
    def page_size(self) -> int:
        """The number of items of a page for which no other size is given."""
        return self.api.page_size

    @property
    def asks_for_counts(self) -> bool:
        """Whether counts may be asked for."""
        return self.api.count_costs.are_asked

    def conformance(self) -> list[str]:
        """The conformance classes; an empty list where the API does not tell them."""
        self._check_budget()
        try:
            return self.api.conformance()
        except EndpointMissing:
            return []

    def items(self, collection: str, interval: Interval, size: int | None = None) -> VersionPage:
        """The first page of the items that touch `interval`, by search or else by `/collections/{id}/items`.

        Raises:
            BudgetExhausted: no request is left.
            EndpointMissing: the API lists no items.
            StacError: the API failed.
        """
        if self._has_search:
            try:
                return joined_versions(self._searched(collection, interval, size))
            except EndpointMissing:
                self._has_search = False
        size_given = size or self.page_size
        parts = [
            self.api.requests.listing(collection, part, interval, size_given)
            for part in self._narrowing.parts
        ]
        return joined_versions([self._sent(request, size) for request in parts])

    def count(self, collection: str, interval: Interval, size: int) -> int | None:
        """How many items touch `interval`, which has an end; None where the API does not count.

        Items on the page are believed before a smaller count.

        Args:
            collection: the id of the collection.
            interval: of whole days.
            size: the number of items of the page.

        Raises:
            BudgetExhausted, EndpointMissing, StacError: as for `items`.
        """
        assert interval.end is not None
        page = self.items(collection, Interval(interval.start, interval.end - self._variation), size)
        return None if page.number_matched is None else max(page.number_matched, len(page.versions))

    def changed_items(
        self,
        collection: str,
        interval: Interval,
        changed: Interval,
        updated_filter: UpdatedFilter,
        direction: Direction | None = None,
        size: int | None = None,
    ) -> VersionPage:
        """The first page of the items that touch `interval` and changed in `changed`, whose end is excluded.

        Raises:
            NotCombinable: see `UpdatedFilter.applied`.
            BudgetExhausted, EndpointMissing, StacError: as for `items`.
        """

        def narrow(request: PageRequest) -> PageRequest:
            return updated_filter.applied(request, changed, direction)

        pages = self._searched(collection, interval, size, narrow)
        return joined_versions(pages, updated_filter.field, direction)

    def _searched(
        self,
        collection: str,
        interval: Interval,
        size: int | None,
        narrow: Callable[[PageRequest], PageRequest] = lambda request: request,
    ) -> list[VersionPage]:
        """The first page of each part of a search."""
        return [self._search(collection, part, interval, size, narrow) for part in self._narrowing.parts]

    def _search(
        self,
        collection: str,
        narrowing: Narrowing,
        interval: Interval,
        size: int | None,
        narrow: Callable[[PageRequest], PageRequest],
    ) -> VersionPage:
        method = self.api.search_method
        request = self.api.requests.search(method, [collection], narrowing, interval, size or self.page_size)
        try:
            return self._sent(narrow(request), size)
        except MethodRefused as error:
            if method == "GET":
                raise
            self.api.search_with_get(error.status)
            return self._search(collection, narrowing, interval, size, narrow)
        except RequestFailed as error:
            if error.status in MISSING:
                raise self.api.landing.missing("search") from None
            raise

    def _sent(self, request: PageRequest, size: int | None) -> VersionPage:
        page = next(self.api.sizes.pages(request, self._figures, self._asked))
        return versions_on(page, self.api.fitting(size or self.page_size))

    def _asked(self, request: PageRequest) -> Iterator[Page]:
        self._check_budget()
        return item_pages(self.api.transport, request, self._figures)

    def _check_budget(self) -> None:
        if self.requests >= self._max_requests:
            raise BudgetExhausted(f"{self.requests} requests were sent")
