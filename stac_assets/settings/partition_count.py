"""How many partitions an item asset has, and what is told where they are more than Dagster advises.

Neither Dagster nor the API is asked: definitions tell it where collections are named, and whoever learns of
the collections of `"*"` (the command `check`, a run of `collections`, a sensor) where they are not.
"""

from datetime import UTC, date, datetime

from stac_assets.settings.model import Settings
from stac_assets.stac.windows import Granularity
from stac_assets.stac.wording import counted

MOST_PARTITIONS = 100_000
"""Partitions of an asset that Dagster recommends at most.

https://docs.dagster.io/guides/build/partitions-and-backfills/partitioning-assets
"""


def partition_count(settings: Settings, collections: int, granularity: Granularity | None = None) -> int:
    """Collections × windows, those of the settings or of another granularity; the current window counts."""
    last = settings.end_date or datetime.now(UTC).date()
    return collections * _windows(granularity or settings.granularity, settings.start_date, last)


def finest_below(
    settings: Settings, collections: int, coarser_than: Granularity | None = None
) -> Granularity | None:
    """The finest granularity with which there are not too many partitions; None where there is none."""
    order = list(Granularity)
    for granularity in order[order.index(coarser_than) + 1 if coarser_than else 0 :]:
        if partition_count(settings, collections, granularity) <= MOST_PARTITIONS:
            return granularity
    return None


def told_of_many(settings: Settings, collections: int) -> str:
    """A line that says so where an item asset has too many partitions, and what to set; empty elsewhere.

    Args:
        settings: of the catalog; its dates and its granularity count.
        collections: how many of them are partitions.
    """
    many = partition_count(settings, collections)
    if many <= MOST_PARTITIONS:
        return ""
    told = (
        f"{counted(collections, 'collection')} with {settings.granularity} windows from "
        f"{settings.start_date} on are {many:,} partitions of an asset, and Dagster's pages and sensors "
        f"become slow above {MOST_PARTITIONS:,}"
    )
    below = finest_below(settings, collections, coarser_than=settings.granularity)
    where = f"under [{settings.section.key}]"
    if below is not None:
        few = partition_count(settings, collections, below)
        return f'{told}; set `granularity = "{below}"` {where}: {few:,}'
    few = partition_count(settings, collections, Granularity.YEARLY)
    return (
        f"{told}; no granularity stays below, and yearly windows are {few:,}: name fewer `collections` "
        f"or a later `start_date` {where}"
    )


def _windows(granularity: Granularity, first: date, last: date) -> int:
    return sum(1 for _ in granularity.starts(first, last))
