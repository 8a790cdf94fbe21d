"""What an API can do beyond answering: page sizes, counts, filters, dates, and how its changes are seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stac_assets.stac.api import StacApi
from stac_assets.stac.documents import Page
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import StacError
from stac_assets.stac.extensions import claims
from stac_assets.stac.figures import Figures
from stac_assets.stac.largest_page import LargestPage, largest_page
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.paging import item_pages
from stac_assets.stac.refused_sizes import of_size
from stac_assets.stac.undated import Dates, InYears
from stac_assets.stac.watch.budgeted_client import BudgetedClient
from stac_assets.stac.watch.changed_windows import Calendar
from stac_assets.stac.watch.state import State
from stac_assets.stac.watch.watcher import Watcher
from stac_assets.stac.windows import Interval

POLL_REQUESTS = 10
"""The requests for which a sensor is tried at most."""
LANGUAGES = ("cql2-text", "cql2-json")


@dataclass(frozen=True)
class DateSupport:
    """Which items dates find.

    Args:
        hidden: the collections that were seen to have items which dates do not find.
        count: how many items dates do not find, by the API's counts; None where it does not count.
        looked_at: how many items were compared or counted.
    """

    hidden: tuple[str, ...] = ()
    count: int | None = None
    looked_at: int = 0


class Support:
    """Asks one API what it can do, by an endpoint that lists items.

    Args:
        api: the API, with few retries.
        endpoint: the endpoint.
        narrowing: the filters of a search.
        collections: where items were seen, or may be; at least one.
    """

    def __init__(
        self, api: StacApi, endpoint: Endpoint, narrowing: Narrowing, collections: Sequence[str]
    ) -> None:
        self._api, self._endpoint, self._narrowing = api, endpoint, narrowing
        self._collections = tuple(collections if endpoint.joins_collections else collections[:1])

    def largest_page(self, item_bytes: float | None) -> LargestPage:
        """The largest page that the API answers with; see `largest_page`."""
        return largest_page(self._asked_once, self._collections, item_bytes)

    def dates(self, page: Page) -> DateSupport:
        """Which of the items of a page, which came without a date, dates find."""
        dates = Dates(self._ask, lambda: max(page.length, 10), self._api.count_costs)
        if (count := counted_by(page)) is not None:
            hidden = dates.count_hidden(self._collections, count)
            if hidden == 0:
                return DateSupport((), 0, count)
            dates.learn(page, self._collections)
            return DateSupport(tuple(sorted(dates.hidden_in(page))), hidden, count)
        dates.learn(page, self._collections)
        return DateSupport(tuple(sorted(dates.hidden_in(page))), None, page.length)

    def watched(self, collection: str, calendar: Calendar) -> tuple[State | None, StacError | None]:
        """How a sensor would watch a collection, after what its first tick asks; or why that is not known."""
        sent = self._api.transport.totals.requests
        client = BudgetedClient(self._api, self._narrowing, sent + POLL_REQUESTS)
        changes = Watcher(client, calendar, 1, spare=0).poll(collection, None)
        return changes.state, changes.error

    def _asked_once(self, collections: Sequence[str], interval: Interval, size: int) -> Page:
        """The same, where a size that is refused is not asked for in smaller ones."""
        assert self._endpoint.first_requests is not None
        asked = InYears(tuple(collections), interval)
        request, _ = self._endpoint.first_requests(self._api, asked, Narrowing())
        return next(item_pages(self._api.transport, of_size(request, size), Figures(), 0))

    def _ask(self, collections: Sequence[str], interval: Interval, size: int) -> Page:
        """The first page of all items, whatever narrows a search: a page of some says less of pages."""
        assert self._endpoint.first_page is not None, f"{self._endpoint.name} lists no items"
        asked = InYears(tuple(collections), interval)
        return self._endpoint.first_page(self._api, asked, Narrowing(), size, 0)


def counted_by(page: Page) -> int | None:
    """The count of a page, if it is that of the whole result."""
    return None if counts_pages(page) else page.number_matched


def counts_pages(page: Page) -> bool:
    """Whether the count is that of the page, as another page follows it."""
    return page.has_next and page.number_matched is not None and page.number_matched <= page.length


def filter_claims(classes: Iterable[str]) -> list[str]:
    """The extensions by which items are filtered that the conformance classes claim, in words."""
    known = list(classes)
    languages = [name for name in LANGUAGES if any(uri.rstrip("/").endswith(name) for uri in known)]
    found = [f"filter ({', '.join(languages) or 'language not told'})"] if claims(known, "filter") else []
    return [*found, *(["query"] if claims(known, "query") else [])]
