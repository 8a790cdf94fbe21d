"""What it costs to tell changes, and to find that there are none."""

from benchmarks.bench import Bench
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.scenarios.ways import cost_of_a_setting, ours_of

SCENARIO = "changes"
MOST_TOLD = 1.05
"""What a load that tells its changes may take more."""
MOST_UNCHANGED = 0.1
"""What a load of unchanged items may take to store, of the first store."""


def changes(bench: Bench) -> None:
    """Items of 17 KB with and without the feed; then years of items again, in which nothing has changed."""
    cost_of_a_setting(bench, SCENARIO, "15", "item_changes", (False, True), "the feed", MOST_TOLD)
    for kind, items in (("large", bench.sizes.large), ("small", bench.sizes.loads[-1])):
        _unchanged(bench, kind, items)


def _unchanged(bench: Bench, kind: str, items: int) -> None:
    with ReplayServer(Catalog(kind, items, max(1, items // bench.sizes.per_day))) as server:
        way = (f"again, {items:,} {kind} items", "changes:load_again", ours_of(server), items)
        (line,) = bench.compare(SCENARIO, [way])
    part = line.figure("store_seconds") / line.figure("first_store_seconds")
    bench.judge("15", f"store of unchanged / first store, {items:,} {kind} items", part, MOST_UNCHANGED)
