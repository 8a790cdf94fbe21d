"""A year of daily partitions in one Dagster run."""

from benchmarks.bench import Bench
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.scenarios.ways import of

SIZES = {"large": "17 KB", "small": "3 KB"}


def year(bench: Bench) -> None:
    """Overhead is everything but fetching and storing rows."""
    days = bench.sizes.days
    for items in bench.sizes.year:
        size = "large" if items == max(bench.sizes.year) else "small"
        with ReplayServer(Catalog(size, items, days)) as server:
            what = f"{days} partitions, {items:,} items of {SIZES[size]}"
            arguments = {**of(server), "days": days}
            (line,) = bench.compare("year", [(what, "year:materialize", arguments, items)])
        bench.judge("4", f"overhead of {what}", line.figure("overhead_seconds"), 10, unit="s")
        if items == max(bench.sizes.year):
            share = 100 * line.figure("overhead_share")
            bench.judge("4", f"overhead of {what}", share, 15, unit="%")
