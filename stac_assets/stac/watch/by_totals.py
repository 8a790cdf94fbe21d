"""Totals: counts of all items before some days, by which changes of any date are found in a few requests.

One item more or less changes the count of every mark behind it, so that halving finds the two marks between
which it lies: all windows there have changed, as far as anybody knows. A poll that finds nothing puts more
marks between those that are far apart.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce
from itertools import pairwise

from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.watch.budgeted_client import BudgetedClient, BudgetExhausted
from stac_assets.stac.watch.changed_windows import ChangedWindows
from stac_assets.stac.watch.marks import MOST_MARKS, Marks, Told, middle, thinned, widest, windows_between
from stac_assets.stac.windows import Interval
from stac_assets.stac.wording import counted

MOST_REQUESTS = 20
"""Requests that a poll of one collection sends for totals."""
SPLITS = 4
"""Marks that a poll adds at most which finds nothing."""


class NoTotals(Exception):
    """The API does not count, or takes too long to do so."""


class _Enough(BudgetExhausted):
    """The requests for totals are used up."""


class ByTotals:
    """Compares the totals of one collection.

    Args:
        client: sends the requests, and counts in other words at each poll.
        collection: the id of the collection.
        found: collects the changed windows, and knows those that were found otherwise.
        end: the day up to which items are counted.
        spare: requests that may be sent for what is not urgent: more marks, and a second look at one of them.
    """

    def __init__(
        self, client: BudgetedClient, collection: str, found: ChangedWindows, end: date, spare: int
    ) -> None:
        self._client = client
        self._collection = collection
        self._found = found
        self._calendar = found.calendar
        self._end = end
        self._spare = min(spare, MOST_REQUESTS)
        self._now: dict[date, int] = {}

    def compare(self, marks: Marks | None, told: Mapping[date, Told]) -> Marks:
        """Find the windows between the marks whose counts differ.

        Args:
            marks: what the last poll counted; None, or marks of another first day, for a baseline.
            told: what was found otherwise since then; see `told_by_mark`.

        Returns:
            The marks for the next poll.

        Raises:
            NoTotals: the API does not count.
            BudgetExhausted: no request of the tick is left.
            StacError: the API failed.
        """
        start = self._calendar.start
        before = marks.counts if marks and marks.start == start else {}
        turn = marks.turn + 1 if marks else 0
        counts, differing = self._differing(before, turn) if before else ({}, [])
        for first, end, more in differing:
            self._tell(first, end, more, [told[day] for day in told if first < day <= end])
        counts = {day: count for day, count in counts.items() if day <= self._end}
        try:
            if self._end not in counts:
                counts[self._end] = self._count(self._end)
            for first, end, _ in differing:  # so that the next change there is found more exactly
                if end <= self._end and (day := middle(self._calendar, first, end)):
                    counts[day] = self._count(day)
            for _ in range(0 if differing else min(self._spare, SPLITS) if before else self._spare):
                day = widest(self._calendar, start, counts) if len(counts) < MOST_MARKS else None
                if day is None:
                    break
                counts[day] = self._count(day)
        except BudgetExhausted:
            if self._end not in counts:
                raise
        return Marks.of(start, thinned(self._calendar, start, counts), turn)

    def _differing(
        self, before: dict[date, int], turn: int
    ) -> tuple[dict[date, int], list[tuple[date, date, int]]]:
        """What is counted now, and where it differs: from which day up to which, and by how many items.

        Where there are requests to spare, another mark than the last is asked for too, each poll the next,
        because one item that came and one that went leave the last count as it was.
        """
        days = sorted(before)
        more = {self._calendar.start: 0, days[-1]: self._more(before, days[-1])}
        if self._spare > 1:
            one = days[turn % len(days)]
            more[one] = self._more(before, one)
        while (place := self._widest_difference(days, more)) is not None:
            try:
                more[place] = self._more(before, place)
            except _Enough:
                break
        ends = sorted(more)
        pairs = list(pairwise(ends))
        counts = {day: self._now[day] for day in days if day in self._now}
        for first, end in pairs:
            if more[first] == more[end]:
                counts |= {day: before[day] + more[end] for day in days if first < day < end}
        return counts, [(a, b, more[b] - more[a]) for a, b in pairs if more[a] != more[b]]

    def _widest_difference(self, days: list[date], more: dict[date, int]) -> date | None:
        """The mark in the middle of the most marks between two counts that differ; None where none is."""
        ends, found = sorted(more), list[list[date]]()
        for first, end in pairwise(ends):
            if more[first] != more[end]:
                found.append([day for day in days if first < day < end])
        inner = max(found, key=len, default=[])
        return inner[len(inner) // 2] if inner else None

    def _tell(self, first: date, end: date, more: int, told: Iterable[Told]) -> None:
        """Add the windows between two marks, unless what was found there already explains the difference."""
        windows = windows_between(self._calendar, first, end)
        if reduce(Told.plus, told, Told()).explains(more) or self._found.labels.keys() >= {*windows}:
            return
        total = str(max(self._now.values()))
        for window in windows:
            self._found.add(window, total, f"{more:+}")
        days = f"{windows[0]}" if len(windows) == 1 else f"{windows[0]} to {windows[-1]}"
        self._found.notes.append(f"{counted(abs(more), 'item')} {'more' if more > 0 else 'less'} in {days}")

    def _more(self, before: dict[date, int], day: date) -> int:
        return self._count(day) - before[day]

    def _count(self, day: date) -> int:
        """The API's count of the items that touch the days before `day`."""
        if day in self._now:
            return self._now[day]
        if len(self._now) >= MOST_REQUESTS:
            raise _Enough
        costs = self._client.api.count_costs
        if not costs.are_asked:
            raise NoTotals
        try:
            with costs.of_a_count():
                count = self._client.count(
                    self._collection, Interval.of_days(self._calendar.start, day), size=1
                )
        except RequestFailed:
            if costs.are_asked:
                raise
            raise NoTotals from None
        if count is None:
            raise NoTotals
        self._now[day] = count
        return count
