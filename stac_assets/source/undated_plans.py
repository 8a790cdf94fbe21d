"""How far each collection of a load is read without a date, by what is learned of the first pages."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.question import Asking
from stac_assets.stac.documents import Page
from stac_assets.stac.errors import Cancelled, RequestFailed, StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.undated import Dates, InYears
from stac_assets.stac.windows import ALWAYS, Interval

MANY = 10
"""Windows of a collection from which on a look at the collection costs little beside them."""
SHORT_PAGES = 3
"""A collection of so few pages is read whole: questions about what dates find, and by date, cost as much."""
SHORT_UNCOUNTED = 2
"""As many pages are read in the hope that they are all, where the API does not count."""
SUSPECT_PAGES = 25
"""The pages that are read of a collection of which dates may hide something, although nothing shows that."""
JOINT_PAGES = 50
"""The pages that are read of several collections together, where dates may hide something of any of them."""
PROBE_RETRIES = 2
"""The retries of a question without which a load can do."""

logger = logging.getLogger("stac_assets")


@dataclass(frozen=True)
class Plan:
    """How far a collection is read without a date.

    Args:
        is_needed: whether dates are known to hide some of its items.
        hidden: how many items dates hide; None where the API does not count.
        matched: how many items there are; likewise.
    """

    is_needed: bool
    hidden: int | None = None
    matched: int | None = None


class Plans:
    """Asks the questions that tell how far to read, for all collections of a load.

    Args:
        asking: whom is asked, and how.
        largest: the items of a collection that is read whole at most.
    """

    def __init__(self, asking: Asking, largest: int) -> None:
        self._asking = asking
        self._largest = largest
        self._are_counted_equal = False
        self._odd: set[str] = set()
        self._lock = threading.Lock()
        self.seen: dict[tuple[str, ...], Page] = {}
        """The first page of the collections that were looked at together."""
        self.dates = Dates(self._first_page, lambda: asking.api.page_size, asking.api.count_costs)
        self.cost = Figures()
        """What the questions cost that are no reading."""

    def to_look_at(self, windows: Sequence[FetchedWindow]) -> list[list[FetchedWindow]]:
        """The windows of each collection that is worth a look, by one look at all collections together.

        It costs at most three requests where dates hide nothing. Where they may hide something, all windows
        come back together: reading all collections at once takes fewer requests than each, if they are small.
        """
        by_collection = _by_collection(windows)
        collections = tuple(by_collection)
        if len(collections) < 2 or not self._asking.endpoint.joins_collections:
            return list(by_collection.values())
        try:
            page = self._first_page(collections, ALWAYS, self._asking.api.page_size)
        except Cancelled:
            raise
        except StacError as error:
            logger.info("%s; each collection is looked at alone", error)
            return list(by_collection.values())
        if self.may_be_short(page, SHORT_UNCOUNTED):
            return [list(windows)]
        self.seen[collections] = page
        self.dates.learn(page, collections)
        if page.number_matched is not None:
            hidden = self._count_hidden(page, collections)
            self._are_counted_equal = hidden == 0
            if hidden:
                return list(by_collection.values())
        self.note_odd(page)
        if self._odd or self.dates.may_hide_more(page):
            return [list(windows)]
        return self.apart(windows)

    def apart(self, windows: Sequence[FetchedWindow]) -> list[list[FetchedWindow]]:
        """The windows of each collection that is worth a look of its own, by what was seen of all."""
        return [
            its
            for collection, its in _by_collection(windows).items()
            if collection in self._odd or (len(its) >= MANY and not self._are_counted_equal)
        ]

    def note_odd(self, page: Page) -> None:
        """Note the collections of which a page shows that dates hide something."""
        self._odd |= self.dates.hidden_in(page)

    def most_of(self, collections: Sequence[str], is_needed: bool, by_outline: bool) -> int:
        """How many items are read at most.

        Args:
            collections: their ids.
            is_needed: whether dates are known to hide some of them.
            by_outline: whether their ids and times are read first, which is cheap.
        """
        if by_outline or (is_needed and len(collections) == 1):
            return self._largest
        pages = SUSPECT_PAGES if len(collections) == 1 else JOINT_PAGES
        return min(self._largest, pages * self._asking.api.page_size)

    def may_be_short(self, sample: Page, number: int) -> bool:
        """Whether the whole answer is likely to be so short that reading it on costs less than questions."""
        if not sample.has_next:
            return sample.number_matched is None or sample.number_matched <= sample.length
        if sample.number_matched is not None:
            return sample.number_matched <= min(self._largest, SHORT_PAGES * sample.length // number)
        return number < SHORT_UNCOUNTED

    def plan(self, sample: Page, collections: Sequence[str]) -> Plan | None:
        """How far to read on after the first pages; None where dates will find everything."""
        self.dates.learn(sample, collections)
        if sample.number_matched is None and len(self._asking.narrowing.parts) > 1:
            # the pages are those of one part
            count = self._first_page(collections, ALWAYS, 1).number_matched
            sample = replace(sample, number_matched=count)
        matched, hidden = sample.number_matched, None
        if matched is not None and not self._are_counted_equal:
            hidden = self._count_hidden(sample, collections)
        if hidden or self.dates.hidden_in(sample):
            return Plan(True, hidden, matched)
        if self.dates.may_hide_more(sample):
            return Plan(False)
        return None

    def _first_page(self, collections: Sequence[str], interval: Interval, size: int) -> Page:
        first_page = self._asking.endpoint.first_page
        assert first_page is not None
        asked = InYears(tuple(collections), interval)
        with self._lock:
            self.cost.requests += len(self._asking.narrowing.parts)
        api, narrowing = self._asking.api, self._asking.narrowing
        before = api.page_size
        if size == 1:
            return self._counted(partial(first_page, api, asked, narrowing, size))
        page = first_page(api, asked, narrowing, size, PROBE_RETRIES)
        with self._lock:
            self.cost.page_size_reductions += api.page_size < before
        return page

    def _counted(self, ask: Callable[[int], Page]) -> Page:
        """A page with a count. One that is slow is not asked for again; it gets so many retries otherwise."""
        costs = self._asking.api.count_costs
        try:
            with costs.of_a_count():
                return ask(0)
        except RequestFailed:
            if not costs.are_asked:
                raise
        with costs.of_a_count():
            return ask(PROBE_RETRIES - 1)

    def _count_hidden(self, page: Page, collections: Sequence[str]) -> int | None:
        """How many items dates do not find, by counts; where these are given up, items have to tell."""
        hidden = self.dates.count_hidden(collections, page.number_matched or 0)
        if not self._asking.api.count_costs.are_asked:
            self.dates.learn(page, collections)
        return hidden


def _by_collection(windows: Sequence[FetchedWindow]) -> dict[str, list[FetchedWindow]]:
    found: dict[str, list[FetchedWindow]] = {}
    for fetched in windows:
        found.setdefault(fetched.window.collection, []).append(fetched)
    return found


def joined(sample: Page, page: Page) -> Page:
    """The first pages of an answer as one."""
    items, rejected = [*sample.items, *page.items], [*sample.rejected, *page.rejected]
    return Page(items, page.links, rejected, sample.number_matched)
