"""One tick of `new_items_sensor`: poll for changes, and request a run for each range of partitions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, zip_longest

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.partitions import range_request
from stac_assets.orchestration.sensors.budget import (
    MAX_REQUESTS,
    MAX_RUNS,
    MAX_SECONDS,
    REQUESTS_OF_A_LOOK,
)
from stac_assets.orchestration.sensors.busy import BusyPartitions
from stac_assets.orchestration.sensors.cursor import Cursor, Entry, read_cursor, watched
from stac_assets.orchestration.sensors.full_round import told_of_round
from stac_assets.orchestration.sensors.window_ranges import Range, chunks, count, parted, with_changes
from stac_assets.orchestration.specs import NEW_ITEMS, asset_key
from stac_assets.stac.api import StacApi
from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.watch.budgeted_client import BudgetedClient, variation_at
from stac_assets.stac.watch.changed_windows import Calendar
from stac_assets.stac.watch.patience import impatient, stopping_after
from stac_assets.stac.watch.watcher import Changes, Watcher
from stac_assets.stac.windows import partition_key
from stac_assets.stac.wording import counted


@dataclass(frozen=True)
class Tick:
    """What a tick does: the runs that it requests, the next cursor, and lines that say what it found."""

    runs: list[dg.RunRequest]
    cursor: str
    lines: list[str]


class NewItems:
    """Evaluates one tick.

    Args:
        catalog: what is watched.
        instance: of Dagster; asked for runs, and for nothing else.
        collections: in the order of their partitions.
        now: the time of the evaluation. Its UTC day tells the windows, its seconds how counts are asked for.
    """

    def __init__(
        self, catalog: Catalog, instance: dg.DagsterInstance, collections: Sequence[str], now: datetime
    ) -> None:
        settings = catalog.settings
        self._catalog = catalog
        self._settings = settings
        self._instance = instance
        self._now = now
        self._collections = collections
        self._calendar = Calendar(
            settings.start_date, settings.end_date, settings.granularity, today=now.date()
        )
        self._granularity = settings.granularity
        self._assets = [asset_key(catalog, name) for name in settings.item_assets]
        self._lines: list[str] = []

    def tick(self, cursor_text: str | None) -> Tick:
        """Poll each collection, and request what has changed and is not being loaded already."""
        cursor, why_empty = read_cursor(cursor_text, self._settings)
        if why_empty:
            self._lines.append(f"begins anew, as {why_empty}")
        entries = {name: cursor.collections[name] for name in self._collections if name in cursor.collections}
        names, following = _from(self._collections, cursor.next), ""
        looked_at, failed = 0, False
        for name, changes, after in self._polls(names, entries):
            following = "" if after == self._collections[0] else after
            looked_at, failed = names.index(after) if after else 0, bool(changes.error)
            self._lines.append(changes.summary)
            if changes.state is not None:
                queued = entries[name].queued if name in entries else []
                queued = with_changes(queued, changes.windows, changes.state.serial, self._granularity)
                entries[name] = Entry(changes.state, queued)
        looked_at = looked_at or len(names)  # the next tick begins anywhere, or where this one did
        if len(names) > 1 and (looked_at == len(names) or not failed):  # a failure tells nothing of the pace
            told = told_of_round(looked_at, len(names), self._settings.sensor_seconds)
            self._lines.insert(0, told)
        runs = []
        if any(entry.queued for entry in entries.values()):
            runs = self._requested([name for name in names if name in entries], entries)
        return Tick(runs, Cursor(cursor.version, cursor.scope, entries, following).text(), self._lines)

    def _polls(self, names: Sequence[str], entries: dict[str, Entry]) -> Iterator[tuple[str, Changes, str]]:
        """What each collection has, until requests or time run out, and which to begin with next time."""
        settings, seed = self._settings, self._seed() if len(entries) < len(names) else ""
        with stopping_after(MAX_SECONDS) as stopped:
            api = StacApi(impatient(settings.api), stopped)
            client = BudgetedClient(api, watched(settings), MAX_REQUESTS, variation_at(self._now))
            spare = max(1, MAX_REQUESTS // len(self._collections) - REQUESTS_OF_A_LOOK)
            watcher = Watcher(client, self._calendar, settings.watch_days, spare)
            for place, name in enumerate(names):
                changes = watcher.poll(name, entries[name].state if name in entries else None, seed)
                if changes.is_complete:
                    yield name, changes, ""
                    continue
                # a collection that has had a whole tick leaves the next one to the others
                again = changes.error is None and place > 0
                yield name, changes, name if again else names[(place + 1) % len(names)]
                if not (isinstance(changes.error, RequestFailed) and changes.error.status):
                    return

    def _seed(self) -> str:
        """Another text for each baseline: a run key from before the cursor was reset must not come again."""
        filters = dg.RunsFilter(tags={"dagster/sensor_name": self._catalog.prefixed(NEW_ITEMS)})
        return "".join(run.run_id for run in self._instance.get_runs(filters=filters, limit=1))

    def _requested(self, names: Sequence[str], entries: dict[str, Entry]) -> list[dg.RunRequest]:
        """Runs for what may be loaded now; everything else stays in `entries`."""
        busy = BusyPartitions(self._instance, self._assets, self._collections)
        most, waiting, ready = self._settings.max_partitions_per_run, {}, []
        for name in names:
            free, waiting[name] = self._parted(name, entries[name].queued, busy)
            ready.append([(name, part) for part in chunks(free, most, self._granularity)])
        ordered = [one for one in chain.from_iterable(zip_longest(*ready)) if one is not None]
        for name, part in ordered[MAX_RUNS:]:
            waiting[name].append(part)
        for name in names:
            queued = sorted(waiting[name], key=lambda part: part.first)
            entries[name] = Entry(entries[name].state, queued)
        if ordered[MAX_RUNS:]:
            left = self._count(part for _, part in ordered[MAX_RUNS:])
            self._lines.append(
                f"{counted(left, 'partition is', 'partitions are')} left for the next ticks; "
                f"one requests {counted(MAX_RUNS, 'run')}"
            )
        return [self._run(name, part, entries[name].state.strategy) for name, part in ordered[:MAX_RUNS]]

    def _parted(
        self, name: str, queued: list[Range], busy: BusyPartitions
    ) -> tuple[list[Range], list[Range]]:
        """The windows of a collection that may be loaded now, and those that have to wait."""

        def is_other(day: date) -> bool:
            return self._calendar.window(day) != day

        def is_future(day: date) -> bool:  # without an `end_date` partitions come with the days
            return self._calendar.last is None and day > self._calendar.newest

        def is_busy(day: date) -> bool:
            return busy.run_of(name, day) is not None

        queued, _ = parted(queued, is_other, self._granularity)  # the settings' range is another one now
        queued, future = parted(queued, is_future, self._granularity)
        free, loading = parted(queued, is_busy, self._granularity)
        if loading:
            run = busy.run_of(name, loading[0].first)
            self._lines.append(f"{name}: {self._waiting(loading)} for the end of run {run}")
        if future:
            self._lines.append(f"{name}: {self._waiting(future)} to begin")
        return free, [*loading, *future]

    def _run(self, name: str, windows: Range, strategy: str) -> dg.RunRequest:
        """The run of one range; its key is another one for every change of any of its windows."""
        first, last = partition_key(name, windows.first), partition_key(name, windows.last)
        return dg.RunRequest(
            run_key=f"{name}|{windows.days}|{windows.label}|{windows.serial}",
            **range_request(first, last, **{"stac/strategy": strategy}),
            asset_selection=self._assets,
        )

    def _waiting(self, ranges: Iterable[Range]) -> str:
        return counted(self._count(ranges), "partition waits", "partitions wait")

    def _count(self, ranges: Iterable[Range]) -> int:
        return count(ranges, self._granularity)


def _from(names: Sequence[str], first: str) -> list[str]:
    """All the names, in a circle, beginning with one of them."""
    start = names.index(first) if first in names else 0
    return [*names[start:], *names[:start]]
