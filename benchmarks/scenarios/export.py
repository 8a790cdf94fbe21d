"""How fast stored items become files of stac-geoparquet."""

from benchmarks.bench import Bench, Way
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.scenarios.ways import ours_of

LEAST = 5000
"""Items of 3 KB a second."""


def export(bench: Bench) -> None:
    """Items of 3 KB from a DuckDB table into a file for each day, and into one file."""
    items = bench.sizes.small
    with ReplayServer(Catalog("small", items, max(1, items // bench.sizes.per_day))) as server:
        ways: list[Way] = [
            (what, "export:export", {**ours_of(server), "to": to}, items)
            for what, to in (("a file for each day", "exported"), ("one file", "exported.parquet"))
        ]
        for line in bench.compare("export", ways):
            bench.judge("14", f"items a second, {line.what}", line.rate or 0, LEAST, at_least=True, unit="")
