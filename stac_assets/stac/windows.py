"""UTC days, the windows made of them, and which day owns an item."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Self

from stac_assets.stac.errors import ConfigurationError

ONE_DAY = timedelta(days=1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Granularity(StrEnum):
    """How many days a partition spans."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"

    def floor(self, day: date) -> date:
        """First day of the window that holds `day`; weeks start on Monday (ISO 8601)."""
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
        """First day of the window after the one that begins at `start`."""
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
        """First day of each window, from that which holds `first` to that which holds `last`."""
        start = self.floor(first)
        while start <= last:
            yield start
            start = self.next(start)


@dataclass(frozen=True)
class Interval:
    """Two instants and all between them, both included: what a request asks for. In UTC, whole seconds."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """RFC 3339, as the STAC API parameter `datetime`."""
        return "/".join(f"{time.replace(tzinfo=None).isoformat()}Z" for time in (self.start, self.end))

    def halves(self) -> "tuple[Interval, Interval] | None":
        """Both halves, which share the instant between them; None for a second, which is not split."""
        middle = (self.start + (self.end - self.start) / 2).replace(microsecond=0)
        if not self.start < middle < self.end:
            return None
        return Interval(self.start, middle), Interval(middle, self.end)


@dataclass(frozen=True, order=True)
class Window:
    """The UTC days from `start` up to, not including, `end`, of one collection."""

    collection: str
    start: date
    end: date

    @property
    def span(self) -> Interval:
        """The closed interval that touches every instant of the window."""
        return Interval(_midnight(self.start), _midnight(self.end))

    @property
    def interval(self) -> str:
        """The same as text (STAC API `datetime`)."""
        return str(self.span)

    @property
    def key(self) -> str:
        """Dagster's partition key: the collection and the first day."""
        return partition_key(self.collection, self.start)

    def days(self) -> Iterator[date]:
        """Every day of the window."""
        day = self.start
        while day < self.end:
            yield day
            day += ONE_DAY

    def day_keys(self) -> list[str]:
        """The partition keys that rows have, one for every day of the window."""
        return [partition_key(self.collection, day) for day in self.days()]

    def __str__(self) -> str:
        last = self.end - ONE_DAY
        span = f"{self.start}" if last == self.start else f"{self.start} to {last}"
        return f"{self.collection}, {span}"


class PartitionKey(NamedTuple):
    """A collection and a UTC day; as text `collection|YYYY-MM-DD`, which rows, Dagster and messages share.

    In a row the day is that which owns the item; in Dagster it is the first day of a window.
    """

    collection: str
    day: date

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `text` writes. Only a collection may hold the separator, never a day.

        Raises:
            ConfigurationError: it writes none.
        """
        collection, separator, day = text.rpartition("|")
        if not separator or not collection:
            raise ConfigurationError(f"partition is {text!r}; expected collection|YYYY-MM-DD")
        return cls(collection, parse_day(day, "partition"))

    def __str__(self) -> str:
        return partition_key(self.collection, self.day)


@lru_cache(maxsize=1024)
def partition_key(collection: str, day: date) -> str:
    """The text of a `PartitionKey`, kept for the many rows of one day."""
    return f"{collection}|{day.isoformat()}"  # strftime would not fill up years below 1000


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def windows(collection: str, first: date, last: date, granularity: Granularity) -> list[Window]:
    """The windows that hold every day from `first` to `last`, both included.

    A day inside a week, month or year begins that whole window, so a partition is never half of one.
    """
    return [Window(collection, start, granularity.next(start)) for start in granularity.starts(first, last)]


def parse_day(text: object, name: str) -> date:
    """The UTC day that `text` (`YYYY-MM-DD`, or a date) names.

    Raises:
        ConfigurationError: it is no such day; the message says `name`.
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
    """The instant that a STAC time names, in UTC and cut to microseconds; None where it names none.

    Accepts RFC 3339 and what real catalogs hold beside it: a space for the `T`, more than six
    digits, a date alone; a time without a zone is UTC.
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
