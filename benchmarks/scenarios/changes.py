"""What it costs to tell changes, and to find that there are none."""

from benchmarks.bench import Bench, Way
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.scenarios.ways import ours_of
from benchmarks.sizes import PAGE_SIZE

SCENARIO = "changes"
MOST_TOLD = 1.05
"""What a load that tells its changes may take more."""
MOST_UNCHANGED = 0.1
"""What a load of unchanged items may take to store, of the first store."""


def changes(bench: Bench) -> None:
    """Items of 17 KB with and without the feed; then years of items again, in which nothing has changed."""
    _telling(bench)
    for kind, items in (("large", bench.sizes.large), ("small", bench.sizes.loads[-1])):
        _unchanged(bench, kind, items)


def _telling(bench: Bench) -> None:
    items = bench.sizes.large
    with ReplayServer(Catalog("large", items, max(1, items // bench.sizes.per_day))) as server:
        given = ours_of(server, page_size=PAGE_SIZE)
        ways: list[Way] = [
            (
                f"`item_changes = {str(told).lower()}`",
                "ours:load_days",
                {**given, "item_changes": told},
                items,
            )
            for told in (False, True)
        ]
        without, told = bench.compare(SCENARIO, ways)
    for what, more in (
        ("time", told.seconds / without.seconds),
        ("CPU time", told.figure("cpu_seconds") / without.figure("cpu_seconds")),
        ("file", told.figure("file_bytes") / without.figure("file_bytes")),
    ):
        bench.judge("15", f"{what} with / without the feed, {items:,} items", more, MOST_TOLD)


def _unchanged(bench: Bench, kind: str, items: int) -> None:
    with ReplayServer(Catalog(kind, items, max(1, items // bench.sizes.per_day))) as server:
        way = (f"again, {items:,} {kind} items", "changes:load_again", ours_of(server), items)
        (line,) = bench.compare(SCENARIO, [way])
    part = line.figure("store_seconds") / line.figure("first_store_seconds")
    bench.judge("15", f"store of unchanged / first store, {items:,} {kind} items", part, MOST_UNCHANGED)
