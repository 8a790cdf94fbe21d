"""What the views of `stac-assets explore` take on tables of many rows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.bench import Bench
from benchmarks.measure import Measurement
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.results import Line
from benchmarks.scenarios.destinations import DUCKDB, POSTGRES, WHERE
from benchmarks.scenarios.ways import ours_of
from stac_assets_tests.pgstac.database import find_postgres, postgres

SCENARIO = "explore"
MOST_SECONDS = 2.0
"""What a view may take."""


def explore(bench: Bench) -> None:
    """Each view of the notebook, on 1,000,000 rows of one collection, in three destinations."""
    rows = bench.sizes.queried
    with _places() as places:
        for name, to in places.items():
            with ReplayServer(Catalog("plain", rows, max(1, rows // bench.sizes.per_day))) as server:
                way = (f"{name}, {rows:,} rows", "explore:views", {**ours_of(server), "to": to}, None)
                (line,) = bench.compare(SCENARIO, [way], repeat=1)
            bench.findings.lines.remove(line)
            figures = line.runs[0].figures
            for view in [key.removesuffix(" seconds") for key in figures if key.endswith(" seconds")]:
                took, most = figures[f"{view} seconds"], figures[f"{view} most"]
                note = f"{took * 1000:.0f} ms, at most {most * 1000:.0f} ms"
                bench.findings.lines.append(
                    Line(SCENARIO, f"{name}: {view}", [Measurement(took, 0)], note=note)
                )
                bench.judge("25", f"{view}, {name}", most, MOST_SECONDS, unit="s")


@contextmanager
def _places() -> Iterator[dict[str, Mapping[str, str]]]:
    """DuckDB, Delta, and PostgreSQL where its server is installed."""
    near = {name: WHERE[name] for name in (DUCKDB, "Delta")}
    programs = find_postgres()
    if programs is None:
        yield near
        return
    with postgres(programs) as server:
        yield {**near, POSTGRES: server}
