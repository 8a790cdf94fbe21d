"""Some items of a collection, of days from its first to its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from stac_assets.explore.mirror import Rows
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.stac.windows import PartitionKey, parse_day
from stac_assets.stac.wording import counted

MOST_DAYS = 200
"""Days that a sample is of: each is looked up by its partition key."""


@dataclass(frozen=True)
class Sample:
    """Items of one collection that a query is about.

    Args:
        collection: its id.
        days: of which all items belong to it; None where all days do.
        items: how many these are.
        total: how many the collection has.
    """

    collection: str
    days: Sequence[str] | None
    items: int
    total: int

    @property
    def condition(self) -> str:
        """Which rows it has, in SQL with a `%s` for each of the values."""
        if self.days is None:
            return "collection = %s"
        return f"{PARTITION_KEY} IN ({', '.join(['%s'] * len(self.days))})"

    @property
    def values(self) -> list[str]:
        """The values of the condition."""
        if self.days is None:
            return [self.collection]
        return [str(PartitionKey(self.collection, parse_day(day, "day"))) for day in self.days]

    @property
    def words(self) -> str:
        """What it is, for people."""
        if self.items == self.total:
            return f"All {counted(self.total, 'item')}"
        some = f" of {counted(len(self.days), 'day')}" if self.days is not None else ""
        return f"A sample: {self.items:,} of {counted(self.total, 'item')},{some} from the first to the last"


def sampled(collection: str, days: Rows, most: int) -> Sample:
    """All items of a collection, or those of some of its days.

    Args:
        collection: its id.
        days: its days in order, as columns `day` (`YYYY-MM-DD`) and `items`.
        most: rows that it may have; of the only day of a sample there may be more.
    """
    counts = [int(count) for count in days["items"]]
    total = sum(counts)
    if total <= most:
        return Sample(collection, None, total, total)
    number = min(MOST_DAYS, max(1, len(counts) * most // total))
    while True:
        places = sorted({round(place * (len(counts) - 1) / max(1, number - 1)) for place in range(number)})
        items = sum(counts[place] for place in places)
        if items <= most or number == 1:
            names = [str(days["day"].iloc[place]) for place in places]
            return Sample(collection, names, items, total)
        number = max(1, min(number - 1, number * most // items))


def newest(collection: str, days: Rows, least: int) -> Sample:
    """The last days that have so many items, or all days; the other arguments are as of `sampled`."""
    backwards = [int(count) for count in days["items"]][::-1]
    needed = 1 + len(list(takewhile(lambda items: items < least, accumulate(backwards))))
    names = [str(day) for day in days["day"].iloc[-needed:]]
    return Sample(collection, names, sum(backwards[:needed]), sum(backwards))
