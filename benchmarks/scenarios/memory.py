"""Peak memory of a small load and a large one."""

from benchmarks.bench import Bench
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.results import Line
from benchmarks.scenarios.ways import ours_of


def memory(bench: Bench) -> None:
    """Items of 17 KB, as many a day in both loads."""
    few, many = (_measured(bench, items) for items in bench.sizes.memory)
    what = f"memory, {many.items:,} / {few.items:,} items"
    bench.judge("2", what, many.peak_mb / few.peak_mb, 1.2)
    bench.judge("2", f"memory, {many.items:,} items of 17 KB", many.peak_mb, 600, unit="MB")


def _measured(bench: Bench, items: int) -> Line:
    with ReplayServer(Catalog("large", items, max(1, items // bench.sizes.per_day))) as server:
        (line,) = bench.compare(
            "memory", [(f"ours, {items:,} items of 17 KB", "ours:load_days", ours_of(server), items)]
        )
    return line
