"""Partitions over collections and dates, and the windows that a run's partition keys stand for."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import lru_cache
from typing import Any

import click
import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.collection_keys import partitionable, without_partition
from stac_assets.settings import Settings
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import Granularity, PartitionKey, Window

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Dagster's tags of a run over several partitions."""
COLLECTION, DATE = "collection", "date"

LONG_AGO = date(2025, 1, 1)
"""A day that is past.

Dagster counts partitions of the future from now on, and takes another number of them for other partitions, so
that a backfill that is under way would end. From a fixed day on it is always the same number.
"""

_CRON = {
    Granularity.DAILY: "0 0 * * *",
    Granularity.WEEKLY: "0 0 * * 1",
    Granularity.MONTHLY: "0 0 1 * *",
    Granularity.YEARLY: "0 0 1 1 *",
}


def partitions_of(endpoint: Endpoint, catalog: Catalog) -> dg.PartitionsDefinition | None:
    """The partitions of an endpoint's asset; None where a load replaces the whole table."""
    if endpoint.has_items:
        return item_partitions(catalog)
    return collection_partitions(catalog) if endpoint.is_partitioned else None


def collection_partitions(catalog: Catalog) -> dg.PartitionsDefinition:
    """One partition per configured collection, or those of the API once `collections` is materialized."""
    if catalog.settings.all_collections:
        return dg.DynamicPartitionsDefinition(name=catalog.collection_partitions_name)
    names = partitionable(catalog.settings.named_collections)
    if not names:
        raise ConfigurationError(without_partition(catalog.settings.named_collections))
    return dg.StaticPartitionsDefinition(names)


def date_partitions(settings: Settings) -> dg.TimeWindowPartitionsDefinition:
    """One partition per window of UTC days, up to `end_date`, which may be to come, or the current one."""
    granularity = settings.granularity
    last = settings.end_date
    beyond = sum(1 for _ in granularity.starts(LONG_AGO, last)) if last and last > LONG_AGO else 1
    return dg.TimeWindowPartitionsDefinition(
        start=granularity.floor(settings.start_date).isoformat(),
        end=granularity.next(granularity.floor(last)).isoformat() if last else None,
        cron_schedule=_CRON[granularity],
        fmt="%Y-%m-%d",
        timezone="UTC",
        end_offset=beyond,
    )


def item_partitions(catalog: Catalog) -> dg.MultiPartitionsDefinition:
    """Collection × date: keys read `sentinel-2-l2a|2024-01-05`."""
    return CollectionsAndDates(
        {COLLECTION: collection_partitions(catalog), DATE: date_partitions(catalog.settings)}
    )


class UnknownPartition(click.ClickException, ConfigurationError):
    """There is no partition of a key; Dagster's commands show the message alone, as one of their own."""


_known_ranges: ContextVar[dict[dg.PartitionKeyRange, Sequence[str]] | None] = ContextVar(
    "_known_ranges", default=None
)


@contextmanager
def known_ranges() -> Iterator[None]:
    """Look up the keys of a range once, as long as this lasts: nobody is told of partitions that come to be.

    Dagster asks for all keys of a run with the figures of each of its partitions: 134,000 keys for a year of
    days, and three queries of its storage each time.
    """
    token = _known_ranges.set({})
    try:
        yield
    finally:
        _known_ranges.reset(token)


class CollectionsAndDates(dg.MultiPartitionsDefinition):
    """Collection × date: a range is every date of every collection between its corners."""

    def validate_partition_key(self, partition_key: str, context: Any) -> None:
        """Raise `UnknownPartition` for a key that there is not."""
        with dg.partition_loading_context(new_ctx=context):
            if not self.has_partition_key(partition_key):
                raise _unknown(partition_key, *(each.partitions_def for each in self.partitions_defs))

    def get_partition_keys_in_range(
        self, partition_key_range: dg.PartitionKeyRange, dynamic_partitions_store: Any = None
    ) -> Sequence[str]:
        """The keys between the corners of a range, collection by collection."""
        known = _known_ranges.get()
        if known is not None and partition_key_range in known:
            return known[partition_key_range]
        keys = self._keys_between(partition_key_range, dynamic_partitions_store)
        if known is not None:
            known[partition_key_range] = keys
        return keys

    def _keys_between(self, partition_key_range: dg.PartitionKeyRange, store: Any) -> Sequence[str]:
        first, last = (
            self.get_partition_key_from_str(key).keys_by_dimension
            for key in (partition_key_range.start, partition_key_range.end)
        )
        with dg.partition_loading_context(dynamic_partitions_store=store):
            collections, dates = (
                tuple(
                    dimension.partitions_def.get_partition_keys_in_range(
                        dg.PartitionKeyRange(first[dimension.name], last[dimension.name])
                    )
                )
                for dimension in self.partitions_defs
            )
        return _product(collections, dates)


def _unknown(key: str, *dimensions: dg.PartitionsDefinition) -> UnknownPartition:
    """What there is instead of a partition, to be asked for while Dagster's partitions are loaded."""
    ranges = []
    for dimension in dimensions:
        keys = dimension.get_partition_keys()
        if not keys:
            return UnknownPartition(
                f"there is no partition {key!r}, as no collection is known yet: those that the API lists "
                "become partitions when the asset `collections` is materialized; do that first"
            )
        ranges.append(keys[0] if len(keys) == 1 else f"{keys[0]} … {keys[-1]} ({len(keys)})")
    return UnknownPartition(f"there is no partition {key!r}; expected one of {' | '.join(ranges)}")


@lru_cache(maxsize=4)
def _product(collections: tuple[str, ...], dates: tuple[str, ...]) -> Sequence[str]:
    return [dg.MultiPartitionKey({COLLECTION: c, DATE: day}) for c in collections for day in dates]


def windows_of(keys: Iterable[str], settings: Settings) -> tuple[Window, ...]:
    """The windows that the partition keys of a run name, in order of collection and date."""
    return tuple(sorted(settings.window_at(*PartitionKey.parse(str(key))) for key in keys))


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of a run over neighbouring partitions, of one collection or several.

    Dagster takes a range of two dimensions to be every date of every collection between its corners.
    """
    return {RANGE_START: first, RANGE_END: last}


def range_request(first: str, last: str, **tags: str) -> dict[str, Any]:
    """Arguments of a `dg.RunRequest` for the partitions from `first` to `last`, which may be one."""
    if first == last:
        return {"partition_key": first, "tags": tags}
    return {"tags": {**tags, **range_tags(first, last)}}
