"""What a watcher found: the windows that hold changes, by the settings' own calendar."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from stac_assets.stac.watch.budgeted_client import Span
from stac_assets.stac.watch.item_versions import Sighting, digest
from stac_assets.stac.windows import Granularity

FOREVER = date(9998, 1, 1)
"""No setting names a later day (see `values.py`)."""


@dataclass(frozen=True)
class Calendar:
    """Which windows there are.

    Args:
        first: `start_date` of the settings.
        last: their `end_date`, or None.
        granularity: of the windows.
        today: the UTC day of the evaluation, given and not read from the clock.
    """

    first: date
    last: date | None
    granularity: Granularity
    today: date

    @property
    def span(self) -> Span:
        """All windows, those of the future included."""
        last = self.granularity.floor(self.last) if self.last else None
        return Span(self.granularity.floor(self.first), self.granularity.next(last) if last else None)

    @property
    def newest(self) -> date:
        """The window that holds today, or the last one of the settings."""
        return self.granularity.floor(min(self.today, self.last or self.today))

    def window(self, day: date | None) -> date | None:
        """First day of the window that holds `day`; None for a day outside of the settings' range."""
        span = self.span
        if day is None or day < span.start or day >= (span.end or FOREVER):
            return None
        return self.granularity.floor(day)

    def trailing(self, days: int) -> list[date]:
        """The windows that hold the last `days` days, the newest first."""
        oldest = max(self.span.start, self.granularity.floor(self.today - timedelta(days=days - 1)))
        return list(self.granularity.starts(oldest, self.newest))[::-1]


@dataclass
class Finds:
    """What one look at a collection found.

    `changes` says of each window what was seen there last: the newest instant, the count, or a fingerprint.
    """

    calendar: Calendar
    changes: dict[date, str] = field(default_factory=dict)
    items: int = 0
    outside: int = 0
    """Items outside of the settings' range of days, or without a time."""
    notes: list[str] = field(default_factory=list)
    _seen: list[str] = field(default_factory=list)

    def change(self, window: date, label: str, *keys: str) -> None:
        """A window holds something else than before."""
        self.changes[window] = max(label, self.changes.get(window, ""))
        self._seen += (window.isoformat(), label, *keys)

    def items_changed(self, sightings: Iterable[Sighting], label: str) -> None:
        """Items were added or changed."""
        for sighting in sightings:
            window = self.calendar.window(sighting.day)
            if window is None:
                self.outside += 1
            else:
                self.items += 1
                self.change(window, label, sighting.key)

    def turned(self, turn: str) -> str:
        """The next link of a chain: another one for every change, and the same for the same history."""
        return digest(turn, *self._seen) if self._seen else turn
