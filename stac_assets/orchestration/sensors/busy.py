"""Partitions that a run is loading, or is about to: what the run's tags say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from stac_assets.orchestration.partitions import RANGE_END, RANGE_START
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import parse_day

PARTITION = "dagster/partition"
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class Flight:
    """The partitions of one run: every date from `first` to `last` of each of the collections."""

    run_id: str
    collections: frozenset[str]
    first: date
    last: date


class InFlight:
    """The partitions of all unfinished runs of some assets, a backfill's runs among them.

    A run that began before an item changed may not have seen the change; so its partitions wait for its end.

    Args:
        instance: has the runs.
        assets: that are loaded.
        collections: all of them, in the order of their partitions, which is that of Dagster's ranges.
    """

    def __init__(
        self, instance: dg.DagsterInstance, assets: Iterable[str], collections: Sequence[str]
    ) -> None:
        keys = {dg.AssetKey(asset) for asset in assets}
        runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED))
        flights = (_flight(run, collections) for run in runs if keys & (run.asset_selection or keys))
        self._flights = [flight for flight in flights if flight is not None]

    def run_of(self, collection: str, day: date) -> str | None:
        """Id of a run that loads the partition which begins on `day`; None where there is none."""
        for flight in self._flights:
            if collection in flight.collections and flight.first <= day <= flight.last:
                return flight.run_id
        return None


def _flight(run: dg.DagsterRun, collections: Sequence[str]) -> Flight | None:
    """What a run loads; None for one that has no partitions of collections and dates."""
    single = run.tags.get(PARTITION)
    start, end = run.tags.get(RANGE_START, single), run.tags.get(RANGE_END, single)
    if not start or not end:
        return None
    (first_collection, _, first), (last_collection, _, last) = start.rpartition("|"), end.rpartition("|")
    try:
        days = parse_day(first, "partition"), parse_day(last, "partition")
    except ConfigurationError:
        return None
    named = {first_collection, last_collection}
    if len(named) > 1 and named <= set(collections):
        named = set(collections[collections.index(first_collection) :])
        named &= set(collections[: collections.index(last_collection) + 1])
    return Flight(run.run_id, frozenset(named), *days)
