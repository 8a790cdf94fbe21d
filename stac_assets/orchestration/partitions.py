"""Partitions over collections and dates, and the windows that a run's partition keys stand for."""

from collections.abc import Iterable

import dagster as dg

from stac_assets.settings import Settings
from stac_assets.stac.windows import Granularity, Window, parse_day

COLLECTION, DATE = "collection", "date"
DYNAMIC_COLLECTIONS = "collections"
"""Name of the dynamic partitions that `collections = "*"` fills."""

_CRON = {
    Granularity.DAILY: "0 0 * * *",
    Granularity.WEEKLY: "0 0 * * 1",
    Granularity.MONTHLY: "0 0 1 * *",
    Granularity.YEARLY: "0 0 1 1 *",
}


def collection_partitions(settings: Settings) -> dg.PartitionsDefinition:
    """One partition per configured collection, or those of the API once `collections` is materialized."""
    if settings.all_collections:
        return dg.DynamicPartitionsDefinition(name=DYNAMIC_COLLECTIONS)
    return dg.StaticPartitionsDefinition(list(settings.named_collections))


def date_partitions(settings: Settings) -> dg.TimeWindowPartitionsDefinition:
    """One partition per window of UTC days, the open, current one included."""
    granularity = settings.granularity
    last = settings.end_date
    return dg.TimeWindowPartitionsDefinition(
        start=granularity.floor(settings.start_date).isoformat(),
        end=granularity.next(granularity.floor(last)).isoformat() if last else None,
        cron_schedule=_CRON[granularity],
        fmt="%Y-%m-%d",
        timezone="UTC",
        end_offset=1,
    )


def item_partitions(settings: Settings) -> dg.MultiPartitionsDefinition:
    """Collection × date: keys read `sentinel-2-l2a|2024-01-05`."""
    return dg.MultiPartitionsDefinition(
        {COLLECTION: collection_partitions(settings), DATE: date_partitions(settings)}
    )


def windows_of(keys: Iterable[str], settings: Settings) -> tuple[Window, ...]:
    """The windows that the partition keys of a run name, in order of collection and date."""
    parts = (str(key).rsplit("|", 1) for key in keys)
    return tuple(sorted(settings.window_at(c, parse_day(day, "partition")) for c, day in parts))
