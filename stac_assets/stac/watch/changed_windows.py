"""The windows in which a poll found changes, and the calendar that says which windows there are."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from stac_assets.stac.watch.item_versions import ItemVersion, digest
from stac_assets.stac.windows import Granularity, Interval

FOREVER = date(9998, 1, 1)
"""No configured range of days goes further than this."""


@dataclass(frozen=True)
class Calendar:
    """The windows of a range of days.

    Args:
        first: the first day of the range.
        last: its last day, or None for a range without an end.
        granularity: how many days a window spans.
        today: the UTC day of the poll. It is given and not read from the clock, so that tests can choose it.
    """

    first: date
    last: date | None
    granularity: Granularity
    today: date

    @property
    def start(self) -> date:
        """The first day of the first window."""
        return self.granularity.floor(self.first)

    @property
    def end(self) -> date:
        """The day after the last window; `FOREVER` where the range has no end."""
        return FOREVER if self.last is None else self.next(self.last)

    @property
    def interval(self) -> Interval:
        """The interval of all windows, those of the future included."""
        return Interval.of_days(self.start, None if self.last is None else self.end)

    @property
    def newest(self) -> date:
        """The first day of the window that holds today, or of the last window where that is over."""
        return self.granularity.floor(min(self.today, self.last or self.today))

    def window(self, day: date | None) -> date | None:
        """The first day of the window that holds `day`; None for a day outside of all windows."""
        if day is None or not self.start <= day < self.end:
            return None
        return self.granularity.floor(day)

    def next(self, day: date) -> date:
        """The first day of the window after the one that holds `day`."""
        return self.granularity.next(self.granularity.floor(day))

    def recent(self, days: int) -> list[date]:
        """The first day of each window that holds one of the last `days` days, the newest first."""
        oldest = max(self.start, self.granularity.floor(self.today - timedelta(days=days - 1)))
        return list(self.granularity.starts(oldest, self.newest))[::-1]


@dataclass
class ChangedWindows:
    """The changes that one poll of a collection has found so far.

    Args:
        calendar: says which window holds a day.
        labels: for the first day of each changed window its newest evidence: an instant, a count or a
            fingerprint.
        items_of: the number of changed items that were seen, by window.
        more_in: the windows in which more items changed than were seen.
        outside: the number of changed items that no window holds, or that have no time.
        notes: sentences for the summary of the poll.
    """

    calendar: Calendar
    labels: dict[date, str] = field(default_factory=dict)
    items_of: Counter[date] = field(default_factory=Counter)
    more_in: set[date] = field(default_factory=set)
    outside: int = 0
    notes: list[str] = field(default_factory=list)
    _evidence: list[str] = field(default_factory=list)

    def add(self, window: date, label: str, *evidence: str) -> None:
        """Add the window that begins on `window`; `label` and `evidence` tell this change from others."""
        self.labels[window] = max(label, self.labels.get(window, ""))
        self._evidence += (window.isoformat(), label, *evidence)

    def add_item(self, version: ItemVersion, label: str) -> None:
        """Add the window that owns a new or changed item."""
        window = self.calendar.window(version.day)
        if window is None:
            self.outside += 1
        else:
            self.items_of[window] += 1
            self.add(window, label, version.key)

    def next_serial(self, serial: str) -> str:
        """The serial that follows `serial` in the chain: another one for other changes, itself for none."""
        return digest(serial, *self._evidence) if self._evidence else serial
