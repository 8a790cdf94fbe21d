"""What `geom` costs a load, and how fast a box is found by it."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bench import Bench
from benchmarks.measure import Measurement
from benchmarks.results import Line
from benchmarks.scenarios.ways import cost_of_a_setting
from stac_assets_tests.pgstac.database import find_postgres, postgres

SCENARIO = "geometry"
MOST = 1.1
"""What a load and its file may take more."""
ORDERS = {"rows of everywhere": False, "rows near each other": True}
"""How rows of a table follow each other."""


def geometry(bench: Bench) -> None:
    """Items of 17 KB with and without `geom`; then a box of two degrees in tables of 1,000,000 rows."""
    cost_of_a_setting(bench, SCENARIO, "13", "geometry", ("none", "native"), "`geom`", MOST)
    for order, near in ORDERS.items():
        _query(bench, f"DuckDB, {order}", "geometry:duckdb_query", {"near": near})
    programs = find_postgres()
    if programs is None:
        return
    with postgres(programs) as server:
        for order, near in ORDERS.items():
            _query(bench, f"PostGIS, {order}", "geometry:postgres_query", {"near": near, "to": server})


def _query(bench: Bench, where: str, task: str, arguments: Mapping[str, Any]) -> None:
    rows = bench.sizes.queried
    way = (f"{where}, {rows:,} rows", task, {**arguments, "rows": rows}, None)
    (line,) = bench.compare(SCENARIO, [way], repeat=1)
    figures = line.runs[0].figures
    seconds = {name.removesuffix(" seconds"): figures[name] for name in figures if name.endswith(" seconds")}
    bench.findings.lines.remove(line)
    bench.findings.lines += [
        Line(SCENARIO, f"{where}: {_named(name)}", [Measurement(took, 0)], note=_milliseconds(took))
        for name, took in seconds.items()
    ]
    bench.judge("13", f"a box by `geom` / by doubles, {where}", seconds["&&"] / seconds["doubles"], 1)


def _named(way: str) -> str:
    return {"doubles": "four doubles", "both": "four doubles and `&&`"}.get(way, f"`{way}`")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
