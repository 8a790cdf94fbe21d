"""UTC days, the windows and intervals made of them, and the times of items."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Protocol, Self

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.wording import counted

ONE_DAY = timedelta(days=1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Granularity(StrEnum):
    """How many days a window spans."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"

    def floor(self, day: date) -> date:
        """The first day of the window that holds `day`; a week starts on Monday (ISO 8601)."""
        match self:
            case Granularity.DAILY:
                return day
            case Granularity.WEEKLY:
                return day - timedelta(days=day.weekday())
            case Granularity.MONTHLY:
                return day.replace(day=1)
            case Granularity.YEARLY:
                return day.replace(month=1, day=1)

    def next(self, start: date) -> date:
        """The first day of the window after the one that begins at `start`."""
        match self:
            case Granularity.DAILY:
                return start + ONE_DAY
            case Granularity.WEEKLY:
                return start + 7 * ONE_DAY
            case Granularity.MONTHLY:
                return (start + 31 * ONE_DAY).replace(day=1)
            case Granularity.YEARLY:
                return start.replace(year=start.year + 1)

    def starts(self, first: date, last: date) -> Iterator[date]:
        """The first day of each window from the one that holds `first` to the one that holds `last`."""
        start = self.floor(first)
        while start <= last:
            yield start
            start = self.next(start)


@dataclass(frozen=True)
class Interval:
    """All instants from `start` to `end`, in UTC. An end that is None is open.

    The text of an interval is the STAC API parameter `datetime` (RFC 3339), for which both ends belong to it.
    """

    start: datetime | None
    end: datetime | None = None

    @classmethod
    def of_days(cls, start: date, end: date | None) -> Self:
        """Every instant of the days from `start` up to, but not including, `end`; None is open.

        It ends a microsecond before midnight, so that it does not touch the next day.
        """
        return cls(_midnight(start), None if end is None else _midnight(end) - timedelta(microseconds=1))

    def __str__(self) -> str:
        return "/".join(
            ".." if time is None else f"{time.replace(tzinfo=None).isoformat()}Z"
            for time in (self.start, self.end)
        )

    def halves(self) -> "tuple[Interval, Interval] | None":
        """Both halves, which share the whole second between them.

        None where there is no such second, because the interval is a single one or is open.
        """
        if self.start is None or self.end is None:
            return None
        middle = (self.start + (self.end - self.start) / 2).replace(microsecond=0)
        if not self.start < middle < self.end:
            return None
        return Interval(self.start, middle), Interval(middle, self.end)


ALWAYS = Interval(None, None)
"""No time at all: a question for it has no `datetime`, and finds what no date finds."""


class Asked(Protocol):
    """What one crawl asks for: the same days of one collection or several."""

    @property
    def collections(self) -> tuple[str, ...]:
        """The collections."""
        ...

    @property
    def interval(self) -> Interval:
        """The interval, both ends included."""
        ...


@dataclass(frozen=True, order=True)
class Window:
    """The UTC days from `start` up to, but not including, `end`, of one collection."""

    collection: str
    start: date
    end: date

    @property
    def interval(self) -> Interval:
        """The interval from the first midnight to the last, both included.

        So nothing of the last second is missed, however exactly an API compares times. What begins at the
        last midnight comes along; it belongs to the next window.
        """
        return Interval(_midnight(self.start), _midnight(self.end))

    @property
    def collections(self) -> tuple[str, ...]:
        """The only collection, as every `Asked` has them."""
        return (self.collection,)

    @property
    def key(self) -> str:
        """The partition key of the window: its collection and its first day."""
        return partition_key(self.collection, self.start)

    def days(self) -> Iterator[date]:
        """Every day of the window."""
        day = self.start
        while day < self.end:
            yield day
            day += ONE_DAY

    def day_keys(self) -> list[str]:
        """The keys of the days of the window, one of which each of its rows has."""
        return [partition_key(self.collection, day) for day in self.days()]

    def __str__(self) -> str:
        return f"{self.collection}, {_days(self.start, self.end)}"


@dataclass(frozen=True)
class Span:
    """The UTC days from `start` up to, but not including, `end`, of several collections at a time."""

    collections: tuple[str, ...]
    start: date
    end: date

    @classmethod
    def of(cls, windows: Sequence[Window]) -> Self:
        """The least span that holds all windows."""
        collections = dict.fromkeys(window.collection for window in windows)
        start, end = min(window.start for window in windows), max(window.end for window in windows)
        return cls(tuple(collections), start, end)

    @property
    def interval(self) -> Interval:
        """The interval from the first midnight to the last, as that of a window."""
        return Interval(_midnight(self.start), _midnight(self.end))

    def __str__(self) -> str:
        first, *others = self.collections
        more = f" and {counted(len(others), 'other collection')}" if others else ""
        return f"{first}{more}, {_days(self.start, self.end)}"


class PartitionKey(NamedTuple):
    """A collection and a UTC day, written `collection|YYYY-MM-DD`.

    In a row the day is the one that owns the item; as the name of a window it is the window's first day.
    """

    collection: str
    day: date

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `text` writes. The separator may occur in the collection, but never in the day.

        Raises:
            ConfigurationError: `text` is not a key.
        """
        collection, separator, day = text.rpartition("|")
        if not separator or not collection:
            raise ConfigurationError(f"partition is {text!r}; expected collection|YYYY-MM-DD")
        return cls(collection, parse_day(day, "partition"))

    def __str__(self) -> str:
        return partition_key(self.collection, self.day)


@lru_cache(maxsize=1024)
def partition_key(collection: str, day: date) -> str:
    """The text of a `PartitionKey`; it is cached because many rows share a day."""
    return f"{collection}|{day.isoformat()}"  # strftime would not pad years below 1000


def _days(start: date, end: date) -> str:
    last = end - ONE_DAY
    return f"{start}" if last == start else f"{start} to {last}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def windows(collection: str, first: date, last: date, granularity: Granularity) -> list[Window]:
    """The windows that hold every day from `first` to `last`, both included.

    Each window is whole: a `first` day inside a week, month or year stands for all of it.
    """
    return [Window(collection, start, granularity.next(start)) for start in granularity.starts(first, last)]


def parse_day(text: object, name: str) -> date:
    """The UTC day that `text` (`YYYY-MM-DD`, or a date) names.

    Raises:
        ConfigurationError: `text` is no such day; the message calls it by `name`.
    """
    if isinstance(text, datetime):
        return text.date()
    if isinstance(text, date):
        return text
    try:
        if not isinstance(text, str) or not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{name} is {text!r}; expected a UTC day as YYYY-MM-DD") from None


def parse_time(text: object) -> datetime | None:
    """The instant that a STAC time names, in UTC and truncated to microseconds; None where it names none.

    RFC 3339 is accepted, and so is what real catalogs hold besides: a space instead of the `T`, more than
    six digits of a second, and a date alone. A time without a zone is UTC.
    """
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        try:
            time = datetime.fromisoformat(text.strip().upper())
        except ValueError:
            return None
    if time.tzinfo is UTC:
        return time
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        return None
