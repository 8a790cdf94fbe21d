"""One tick of `backfill_sensor`: runs for partitions that were never loaded, by Dagster's own records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.partitions import range_request
from stac_assets.orchestration.sensors.budget import MAX_RUNS
from stac_assets.orchestration.sensors.busy import UNFINISHED, BusyPartitions
from stac_assets.orchestration.sensors.window_ranges import Range, chunks, joined
from stac_assets.orchestration.specs import BACKFILL, asset_key
from stac_assets.stac.windows import partition_key
from stac_assets.stac.wording import counted

NAMED = 3
"""Failed partitions that a tick names."""
BACKFILLS = 50
"""The latest backfills, which are looked at for one that is under way."""


@dataclass(frozen=True)
class Gaps:
    """The partitions of a collection that were never loaded: to ask for, in a run, and those that failed."""

    free: list[Range]
    loading: int
    failed: dict[str, str]
    """The run in which each failed, by key."""


class Backfill:
    """Evaluates one tick; it asks Dagster's instance alone, neither the API nor the database.

    It has no cursor, since what is missing is what the instance says is missing.

    Args:
        catalog: what is loaded.
        instance: of Dagster; knows what was materialized, what is in a run, and what failed.
        collections: in the order of their partitions.
        now: the time of the evaluation; which windows have begun depends on its UTC day.
    """

    def __init__(
        self, catalog: Catalog, instance: dg.DagsterInstance, collections: Sequence[str], now: datetime
    ) -> None:
        settings = catalog.settings
        self._settings, self._instance, self._collections = settings, instance, collections
        self._granularity, self._today = settings.granularity, now.date()
        self._sensor = catalog.prefixed(BACKFILL)
        self._assets = [asset_key(catalog, name) for name in settings.item_assets]
        last = settings.end_date or self._today
        self._days = list(self._granularity.starts(settings.start_date, last))

    def tick(self) -> tuple[list[dg.RunRequest], list[str]]:
        """The runs that are requested, and lines that say what is missing and why it is not requested."""
        under_way = self._backfill()
        if under_way:
            return [], [f"waits for the end of backfill {under_way}"]
        gaps = {name: gap for name, gap in self._gaps() if gap.free or gap.loading or gap.failed}
        ranges = [(name, part) for name, gap in gaps.items() for part in self._chunks(gap.free)]
        ranges.sort(key=lambda one: self._urgency(one[1]))
        own = dg.RunsFilter(tags={"dagster/sensor_name": self._sensor}, statuses=UNFINISHED)
        room = max(0, MAX_RUNS - self._instance.get_runs_count(own))
        lines = list(self._lines(gaps, sum(map(self._count, (part for _, part in ranges[room:])))))
        seed = self._seed()
        return [self._run(name, part, seed) for name, part in ranges[:room]], lines

    def _backfill(self) -> str | None:
        """Id of a backfill of these assets that is under way: it has partitions that are in no run yet."""
        for backfill in self._instance.get_backfills(limit=BACKFILLS):
            if backfill.status.value == "REQUESTED" and set(self._assets) & set(
                backfill.asset_selection or ()
            ):
                return backfill.backfill_id
        return None

    def _gaps(self) -> Iterator[tuple[str, Gaps]]:
        storage = self._instance.event_log_storage
        loaded = set.intersection(*(self._instance.get_materialized_partitions(key) for key in self._assets))
        tried: dict[str, str] = {}
        for key in self._assets:
            attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(
                key
            )
            tried |= {partition: run for partition, (run, _) in attempts.items()}
        busy = BusyPartitions(self._instance, self._assets, self._collections)
        for name in self._collections:
            free: list[Range] = []
            loading, failed = 0, dict[str, str]()
            for day in self._days:
                key = partition_key(name, day)
                if key in loaded:
                    continue
                if busy.run_of(name, day):
                    loading += 1
                elif key in tried:
                    failed[key] = tried[key]
                else:
                    free.append(Range(day, day, "", ""))
            yield name, Gaps(joined(free, self._granularity), loading, failed)

    def _chunks(self, free: list[Range]) -> Iterator[Range]:
        return chunks(free, self._settings.max_partitions_per_run, self._granularity)

    def _urgency(self, part: Range) -> tuple[bool, int]:
        """What has begun comes first, the newest of it before all; then the future, the nearest day first."""
        is_future = part.first > self._today
        return is_future, part.first.toordinal() if is_future else -part.last.toordinal()

    def _lines(self, gaps: dict[str, Gaps], left: int) -> Iterator[str]:
        loading = sum(gap.loading for gap in gaps.values())
        failed = {key: run for gap in gaps.values() for key, run in gap.failed.items()}
        if not gaps:
            yield f"{counted(len(self._collections), 'collection')}: every partition was loaded once"
        if left:
            words = "partition that was never loaded is", "partitions that were never loaded are"
            yield f"{counted(left, *words)} left for the next ticks; {counted(MAX_RUNS, 'run')} at a time"
        if loading:
            yield counted(loading, "partition is being loaded", "partitions are being loaded")
        if failed:
            named = ", ".join(f"{key} (run {run})" for key, run in list(failed.items())[-NAMED:])
            more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
            yield (
                f"{counted(len(failed), 'partition')} failed and not asked for again: "
                f"{named}{more}. Materialize them, or start a backfill: it offers the failed ones"
            )

    def _run(self, name: str, part: Range, seed: str) -> dg.RunRequest:
        first, last = partition_key(name, part.first), partition_key(name, part.last)
        return dg.RunRequest(
            run_key=f"{name}|{part.days}|{seed}",
            **range_request(first, last, **{"stac/strategy": "backfill"}),
            asset_selection=self._assets,
        )

    def _seed(self) -> str:
        """Another text after each run of the sensor, so that what was wiped since has another run key."""
        filters = dg.RunsFilter(tags={"dagster/sensor_name": self._sensor})
        return "".join(run.run_id for run in self._instance.get_runs(filters=filters, limit=1))

    def _count(self, part: Range) -> int:
        return sum(1 for _ in self._granularity.starts(part.first, part.last))
