"""Further counts, which prove or disprove that pages with as many items as are counted are all."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from stac_assets.stac.counts import Counts
from stac_assets.stac.documents import Item, Page
from stac_assets.stac.errors import Cancelled, PagingError, StacError
from stac_assets.stac.scope import SECOND, times_of
from stac_assets.stac.windows import Interval

ReadPages = Callable[[Interval, int, int | None], Iterator[Page]]
"""Asks for the pages of an interval, by the number of items on a page and the retries of the first page."""

ALL_TIMES = Interval(datetime(1800, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
"""An interval that has more items than any window; some APIs refuse an open one."""
MOST_TIMES = 2_000
"""The items of a result whose times are noted; they tell where it can be divided."""
USUAL_LIMIT = re.compile("[125]0{3,}")
"""What a limit of results would be, such as 10,000: it is not believed without proof."""


class CutOff(PagingError):
    """The API has more items than its pages, which have as many as it counts."""


class Indivisible(PagingError):
    """An interval has as many items as a limit would leave of it, and no part of it has fewer."""


class Spread:
    """The times of the items of a result, as far as they are needed to divide it."""

    def __init__(self) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        self._items = 0

    def add(self, items: Sequence[Item]) -> None:
        """Note the times of items."""
        self._items += len(items)
        for item in items[: MOST_TIMES - len(self._starts)]:
            if (times := times_of(item)) is not None:
                self._starts.append(times[0])
                self._ends.append(times[1])

    def middle(self, interval: Interval) -> datetime | None:
        """An instant within the interval, before and after which there are items that do not touch it.

        It lies between two items near the middle, at a whole second if there is one. None: there is no such
        instant.
        """
        if not self._starts:
            return None
        first = max(min(self._ends), interval.start or min(self._ends))
        last = min(max(self._starts), interval.end or max(self._starts))
        times = sorted({time for time in (*self._starts, *self._ends, first, last) if first <= time <= last})
        between = list(pairwise(times))
        around = sorted(range(len(between)), key=lambda place: abs(place - len(between) // 2))
        instants = [between[place][0] + (between[place][1] - between[place][0]) / 2 for place in around]
        for instant, place in zip(instants, around, strict=True):
            whole = instant.replace(microsecond=0)
            if between[place][0] < whole < between[place][1]:
                return whole
        return next(iter(instants), None)

    def touching(self, middle: datetime) -> tuple[int, int] | None:
        """How many items touch the time up to an instant, and from it on; None unless all times are noted."""
        if len(self._starts) < self._items:
            return None
        return sum(start <= middle for start in self._starts), sum(end >= middle for end in self._ends)

    def outside(self, interval: Interval) -> list[Interval]:
        """The parts of an interval before the first item and after the last."""
        if not self._starts or interval.start is None or interval.end is None:
            return []
        first, last = min(self._starts).replace(microsecond=0), max(self._ends)
        parts = [(interval.start, first - SECOND), (last + SECOND, interval.end)]
        return [Interval(start, end) for start, end in parts if start <= end]


class Witness:
    """Asks an API for further counts, each on a page of a single item.

    Args:
        read: asks the API for the items of an interval.
        collections: those that are asked for.
        counts: what the run knows of the API's counts.
    """

    def __init__(self, read: ReadPages, collections: frozenset[str], counts: Counts) -> None:
        self._read = read
        self._collections = collections
        self._counts = counts

    def proves(self, interval: Interval, total: int, is_full: bool, spread: Spread) -> bool:
        """Whether pages with as many items as are counted are the whole result.

        Args:
            interval: what was asked for.
            total: the number of documents on its pages, and its count.
            is_full: whether the last page has no room for more.
            spread: the times of the items.

        Raises:
            CutOff: there are more.
            Indivisible: there may be more, and no question for less tells.
        """
        counts = self._counts

        def is_doubted() -> bool:
            return counts.may_end_at(total) or (is_full and not counts.are_honest)

        if not is_doubted():
            return True
        with counts.turn:
            if counts.may_end_at(total) and counts.is_new(self._collections):
                self._ask_widely(total)
            if counts.are_of_pages:
                return False
            return self._in_parts(interval, total, is_full, spread) if is_doubted() else True

    def _ask_widely(self, total: int) -> None:
        page = self._page(lambda: self._read(ALL_TIMES, 1, 0))
        if page is None or page.number_matched is None:
            return
        if page.number_matched == page.length and 0 < page.length < total:
            self._counts.are_of_pages = True
        elif (self._counts.of(page) or 0) > total:
            self._counts.asked(1)

    def _in_parts(self, interval: Interval, total: int, is_full: bool, spread: Spread) -> bool:
        """Whether the counts of two parts of an interval prove its own.

        What touches either part touches the whole, and what touches both touches the instant between them.
        """
        middle = spread.middle(interval)
        if middle is None:
            return self._undivided(interval, total, is_full, spread)
        before = self._count(Interval(interval.start, middle))
        after = self._count(Interval(middle, interval.end))
        if before is None or after is None or before + after < total or min(before, after) in (0, total):
            return False
        if not self._counts.exceed_pages:  # each is 1, as the count of a page of one item would be
            return False
        requests = 2
        if max(before, after) >= total or (
            before + after > total and (before, after) != spread.touching(middle)
        ):
            both = self._count(Interval(middle, middle))
            requests += 1
            if both is None or before + after - both < total:
                return False
            if before + after - both > total:
                raise _cut_off(interval, total)
            if max(before, after) >= total:
                return False
        self._counts.proved(total, requests)
        self._counts.are_honest = True
        return True

    def _undivided(self, interval: Interval, total: int, is_full: bool, spread: Spread) -> bool:
        """Whether items are all although no instant divides them: they are of one time, or last long."""
        if self._counts.may_end_at(total):
            parts = spread.outside(interval)
            counted = [self._count(part) for part in parts]
            if any(counted):
                raise _cut_off(interval, total)
            if None in counted:
                return False
            if USUAL_LIMIT.fullmatch(str(total)):
                raise Indivisible(
                    f"the pages of {interval} have {total:,} items, as many as the API counts, which counts "
                    "no more for any other question: that is what a limit of its results would look like"
                )
            self._counts.proved(total, len(parts))
        return not is_full

    def _count(self, interval: Interval) -> int | None:
        page = self._page(lambda: self._read(interval, 1, 0))
        return None if page is None else self._counts.of(page)

    def _page(self, ask: Callable[[], Iterator[Page]]) -> Page | None:
        """The first page; None where the API does not answer with one, or is not asked for counts."""
        costs = self._counts.costs
        if not costs.are_asked:
            return None
        try:
            with costs.of_a_count():
                return next(ask(), None)
        except Cancelled:
            raise
        except StacError:
            return None


def _cut_off(interval: Interval, total: int) -> CutOff:
    return CutOff(
        f"the pages of {interval} have {total:,} items, as many as the API counts, but it counts more in the "
        "parts of it: its results and its counts end at a limit"
    )
