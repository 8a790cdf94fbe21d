"""The times of an item, and what they say of the questions by date that should find it.

An item belongs to the day of its `datetime`. An API answers a question by date with the items that it takes
for those of the interval: by their `datetime`, by their own interval, or by the text of either.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Self

import msgspec

from stac_assets.stac.documents import DECODE_ERRORS, Item
from stac_assets.stac.windows import Interval, parse_time

ONE_SECOND = timedelta(seconds=1)
_IN_UTC = re.compile(r"\d{4}-\d\d-\d\d[Tt ][\d:.,]+([Zz]|[+-]00:?00)\s*")


class Shape(Enum):
    """What is particular in the times of an item, so that a question by date may miss it.

    The order is that in which they are looked at: an item has the first shape that fits.
    """

    OUTSIDE = "a `datetime` outside of its own interval"
    ZONED = "times in another zone than UTC, or in none"
    NULL = "an interval and no `datetime`"
    WITHIN = "a `datetime` and an interval around it"
    PLAIN = "a `datetime` alone"


class _Properties(msgspec.Struct):
    datetime: Any = None
    start_datetime: Any = None
    end_datetime: Any = None


_decode_properties = msgspec.json.Decoder(_Properties).decode
_decode_id = msgspec.json.Decoder(str).decode


@dataclass(frozen=True)
class ItemTimes:
    """The times of an item.

    Args:
        nominal: its `datetime`.
        start: its `start_datetime`.
        end: its `end_datetime`.
    """

    nominal: datetime | None
    start: datetime | None
    end: datetime | None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """The times of an item that has become a row."""
        return cls(row["datetime"], row["start_datetime"], row["end_datetime"])

    @classmethod
    def of_item(cls, item: Item) -> Self | None:
        """The times of an item; None where its properties cannot be read."""
        texts = time_texts(item)
        return None if texts is None else cls(*map(parse_time, texts))

    @property
    def owner(self) -> datetime | None:
        """The instant whose day owns the item."""
        return self.nominal or self.start

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The item's own interval, or its `datetime` alone; None where it has no time."""
        begin = self.start or self.nominal or self.end
        end = self.end or self.nominal or self.start
        return None if begin is None or end is None else (begin, end)

    @property
    def is_within(self) -> bool:
        """Whether the instant that owns the item lies in the item's own interval."""
        owner, span = self.owner, self.span
        return owner is not None and span is not None and span[0] <= owner <= span[1]

    def overlaps(self, interval: Interval) -> bool:
        """Whether it is plain why a question for an interval is answered with the item, as with its owner's.

        The item's interval touches it, and holds the instant that owns the item.
        """
        span = self.span
        if span is None or not self.is_within:
            return False
        return (interval.end is None or span[0] <= interval.end) and (
            interval.start is None or interval.start <= span[1]
        )


@dataclass(frozen=True)
class SeenItem:
    """An item on a page, as far as questions by date go.

    Args:
        item_id: its id.
        collection: its collection; empty where it names none.
        times: its times.
        shape: what is particular in them.
    """

    item_id: str
    collection: str
    times: ItemTimes
    shape: Shape

    @property
    def second(self) -> Interval | None:
        """The second of the instant that owns it, as the smallest question that has to find it."""
        return _second(self.times.owner)

    @property
    def other_second(self) -> Interval | None:
        """A second of its own interval that is not that of its `datetime`; None where there is none."""
        owner, span = self.times.owner, self.times.span
        if owner is None or span is None:
            return None
        far = [time for time in span if abs(time - owner) > 2 * ONE_SECOND]
        return _second(far[0]) if far else None


def time_texts(item: Item) -> tuple[Any, Any, Any] | None:
    """`datetime`, `start_datetime` and `end_datetime` as an item has them; None if they cannot be read."""
    try:
        found = _decode_properties(item["properties"])
    except (KeyError, *DECODE_ERRORS):
        return None
    return found.datetime, found.start_datetime, found.end_datetime


def seen_item(item: Item) -> SeenItem | None:
    """The item as far as questions by date go; None where it has no time or no id."""
    texts = time_texts(item)
    try:
        item_id, collection = _decode_id(item["id"]), _decode_id(item.get("collection", b'""'))
    except (KeyError, *DECODE_ERRORS):
        return None
    if texts is None:
        return None
    times = ItemTimes(*map(parse_time, texts))
    return None if times.owner is None else SeenItem(item_id, collection, times, _shape(times, texts))


def _shape(times: ItemTimes, texts: tuple[Any, ...]) -> Shape:
    if not times.is_within:
        return Shape.OUTSIDE
    if any(isinstance(text, str) and not _IN_UTC.fullmatch(text) for text in texts):
        return Shape.ZONED
    if times.nominal is None:
        return Shape.NULL
    span = times.span
    return Shape.WITHIN if span is not None and span[0] < span[1] else Shape.PLAIN


def _second(time: datetime | None) -> Interval | None:
    if time is None:
        return None
    begin = time.replace(microsecond=0)
    try:
        return Interval(begin, begin + ONE_SECOND)
    except OverflowError:
        return Interval(begin, datetime.max.replace(tzinfo=UTC))
