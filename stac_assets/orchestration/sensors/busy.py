"""Partitions that a run is loading, or is about to load: what the tags of unfinished runs say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from stac_assets.orchestration.partitions import RANGE_END, RANGE_START
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import PartitionKey

PARTITION = "dagster/partition"
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class RunPartitions:
    """The partitions of one run: every date from `first` to `last` of each of the collections."""

    run_id: str
    collections: frozenset[str]
    first: date
    last: date


class BusyPartitions:
    """The partitions of all unfinished runs of some assets, a backfill's runs among them.

    A run that began before an item changed may not have seen the change; so its partitions wait for its end.

    Args:
        instance: has the runs.
        assets: keys of the assets that are loaded.
        collections: all collections, in the order of their partitions, which is that of Dagster's ranges.
    """

    def __init__(
        self, instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey], collections: Sequence[str]
    ) -> None:
        keys = frozenset(assets)
        runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED))
        parts = (_partitions(run, collections) for run in runs if keys & (run.asset_selection or keys))
        self._runs = [part for part in parts if part is not None]

    def run_of(self, collection: str, day: date) -> str | None:
        """Id of a run that loads the partition which begins on `day`; None where there is none."""
        for run in self._runs:
            if collection in run.collections and run.first <= day <= run.last:
                return run.run_id
        return None


def _partitions(run: dg.DagsterRun, collections: Sequence[str]) -> RunPartitions | None:
    """What a run loads; None for one that has no partitions of collections and dates."""
    single = run.tags.get(PARTITION)
    start, end = run.tags.get(RANGE_START, single), run.tags.get(RANGE_END, single)
    if not start or not end:
        return None
    try:
        first, last = PartitionKey.parse(start), PartitionKey.parse(end)
    except ConfigurationError:
        return None
    named = {first.collection, last.collection}
    if len(named) > 1 and named <= set(collections):
        named = set(collections[collections.index(first.collection) :])
        named &= set(collections[: collections.index(last.collection) + 1])
    return RunPartitions(run.run_id, frozenset(named), first.day, last.day)
