"""Ours into each destination that runs on one machine, beside pypgstac; what a day costs as tables grow."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.bench import Bench
from benchmarks.measure import REPOSITORY, TaskFailed
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.results import Line
from benchmarks.scenarios.ways import of, ours_of
from stac_assets_tests.pgstac.database import find_postgres, postgres

FORMAT = "SOURCES__PYSTAC_CLIENT_SOURCE__TABLE_FORMAT"
FILES = {"PIPELINE__DESTINATION": "filesystem", "DESTINATION__FILESYSTEM__BUCKET_URL": "files"}
DUCKDB, POSTGRES = "DuckDB, by `destination_name`", "PostgreSQL"
WHERE: Mapping[str, Mapping[str, str]] = {
    DUCKDB: {},
    "DuckDB, by `credentials`": {"DESTINATION__PYSTAC_CLIENT__CREDENTIALS": "items.duckdb"},
    "Delta": {**FILES, FORMAT: "delta"},
    "Parquet": {**FILES, FORMAT: "parquet"},
}
"""The variables that lead to a destination. PostgreSQL's are those of a server that is started."""
WHOLE = 1_000_000
"""Rows of a load whose memory is judged."""
PYPGSTAC = REPOSITORY / ".venv-pgstac" / "bin" / "pypgstac"
"""Where `make test-pgstac` installs it."""


def destinations(bench: Bench) -> None:
    """Items of 17 KB and of 3 KB: fetched for each destination as fast, and stored."""
    per_day = bench.sizes.per_day
    for kind, size, items in (("large", "17 KB", bench.sizes.stored), ("small", "3 KB", bench.sizes.small)):
        with _server() as where, ReplayServer(Catalog(kind, items, max(1, items // per_day))) as server:
            ways = [
                (name, "destinations:load_days", {**ours_of(server), "to": to}, items)
                for name, to in where.items()
            ]
            mine, theirs = (
                {**of(server), "program": str(PYPGSTAC), "to": where[POSTGRES]},
                "pypgstac, from a file",
            )
            *ours, peer = bench.compare(
                f"destinations, {size}", [*ways, (theirs, "destinations:pypgstac", mine, items)]
            )
        found = dict(zip(where, ours, strict=True))
        for name, line in found.items():
            if name != DUCKDB:
                ratio = line.figure("fetch_seconds") / found[DUCKDB].figure("fetch_seconds")
                bench.judge("11", f"fetch of {size}, {name} / DuckDB", ratio, 1.2)
        ratio = peer.seconds / found[POSTGRES].figure("store_seconds")
        bench.judge("11", f"pypgstac / our store of {size}", ratio, 1.5, at_least=True)


def growing(bench: Bench) -> None:
    """A day again in tables of more and more rows, with its peak memory and that of the whole load."""
    with _server() as where:
        for name, to in where.items():
            lines = [_reloaded(bench, name, to, rows) for rows in bench.sizes.grown]
            seconds = max(line.seconds for line in lines) / lines[0].seconds
            memory = max(line.figure("day_mb") for line in lines) / lines[0].figure("day_mb")
            bench.judge("12", f"a day again, largest / smallest table, {name}", seconds, 1.2)
            bench.judge("12", f"its memory, largest / smallest table, {name}", memory, 1.2)
            whole = max(line.figure("load_mb") for line in lines if line.figure("rows") <= WHOLE)
            bench.judge("12", f"memory of a load of up to {WHOLE:,} rows, {name}", whole, 600, unit="MB")


def _reloaded(bench: Bench, name: str, to: Mapping[str, str], rows: int) -> Line:
    with ReplayServer(Catalog("tiny", rows, rows // bench.sizes.per_day)) as server:
        way = (f"{name}, {rows:,} rows", "destinations:reload_day", {**ours_of(server), "to": to}, None)
        (line,) = bench.compare("growth", [way], repeat=1)
    return line


@contextmanager
def _server() -> Iterator[dict[str, Mapping[str, str]]]:
    """All destinations, with a PostgreSQL server."""
    programs = find_postgres()
    if programs is None or not PYPGSTAC.exists():
        raise TaskFailed(
            "it needs Debian's postgresql-postgis, and pypgstac, which `make test-pgstac` installs"
        )
    with postgres(programs) as server:
        yield {**WHERE, POSTGRES: server}
