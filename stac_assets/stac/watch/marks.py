"""Marks: days with the count of all items before them. A watcher keeps them between two polls, as JSON."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Self

import msgspec

from stac_assets.stac.watch.changed_windows import Calendar, ChangedWindows

MOST_MARKS = 128
"""As many are remembered of a collection: they are about a kilobyte of the sensor's cursor."""


class Marks(msgspec.Struct, frozen=True, array_like=True):
    """Days in their order, and how many items touch the days before each of them.

    Args:
        start: the first day that is counted.
        steps: the days from each mark to the next; the first from `start`.
        items: how many more items are before each mark than before the one ahead of it.
        turn: the polls that have compared them so far.
    """

    start: date
    steps: tuple[int, ...]
    items: tuple[int, ...]
    turn: int = 0

    @classmethod
    def of(cls, start: date, counts: Mapping[date, int], turn: int = 0) -> Self:
        """Marks of these days, with the count of the items before each."""
        days = sorted(counts)
        totals = [0, *(counts[day] for day in days)]
        steps = tuple((day - before).days for before, day in pairwise([start, *days]))
        items = tuple(after - before for before, after in pairwise(totals))
        return cls(start, steps, items, turn)

    @property
    def counts(self) -> dict[date, int]:
        """The count of the items before each day."""
        found, day, total = {}, self.start, 0
        for step, items in zip(self.steps, self.items, strict=True):
            day, total = day + timedelta(days=step), total + items
            found[day] = total
        return found


class Told(msgspec.Struct, frozen=True, array_like=True):
    """Items that were found between two marks otherwise than by counting.

    Args:
        items: as many were seen.
        is_least: whether there are more that were not seen.
    """

    items: int = 0
    is_least: bool = False

    def plus(self, other: "Told") -> "Told":
        """Both."""
        return Told(self.items + other.items, self.is_least or other.is_least)

    def explains(self, more: int) -> bool:
        """Whether so many items more are those, as far as can be told: all of them were new then."""
        return 0 < more == self.items or (self.is_least and 0 < more > self.items)


def told_by_mark(marks: Marks, found: ChangedWindows, before: Mapping[date, Told]) -> dict[date, Told]:
    """What was found by this poll, and by those before, up to each mark from the one ahead of it."""
    days, told = list(marks.counts), dict(before)
    for window in found.labels:
        if (place := bisect_right(days, window)) < len(days):
            here = Told(found.items_of[window], window in found.more_in)
            told[days[place]] = told.get(days[place], Told()).plus(here)
    return told


def windows_between(calendar: Calendar, first: date, end: date) -> Sequence[date]:
    """The first days of the windows from one mark up to the next."""
    return list(calendar.granularity.starts(first, end - timedelta(days=1)))


def middle(calendar: Calendar, first: date, end: date) -> date | None:
    """The first day of the window in the middle of two marks; None where there is but one window."""
    windows = windows_between(calendar, first, end)
    return windows[len(windows) // 2] if len(windows) > 1 else None


def widest(calendar: Calendar, start: date, days: Iterable[date]) -> date | None:
    """Where to put another mark: in the middle of those two that have the most windows in between."""
    ends = sorted(days)
    places = [(len(windows_between(calendar, *pair)), pair) for pair in pairwise([start, *ends])]
    return middle(calendar, *max(places)[1]) if places else None


def thinned(calendar: Calendar, start: date, counts: dict[date, int]) -> dict[date, int]:
    """The counts without those marks that tell windows apart the least, where they are too many."""
    while len(counts) > MOST_MARKS:
        days = [start, *sorted(counts)]
        around = zip(days, days[1:-1], days[2:], strict=False)
        _, least = min((len(windows_between(calendar, before, after)), day) for before, day, after in around)
        counts = {day: count for day, count in counts.items() if day != least}
    return counts
