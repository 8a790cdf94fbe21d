"""What a box finds in a table of many rows, by `geom` and by the four doubles beside it.

The rows are written straight into the tables, with the columns of item tables that such a query reads.
"""

from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import psycopg2
import pyarrow as pa
import shapely

from benchmarks.clock import Clock
from benchmarks.work.destinations import new_database
from stac_assets.pipeline.destinations.duckdb_connection import attached
from stac_assets.pipeline.destinations.duckdb_geometry import GEOMETRY
from stac_assets.pipeline.destinations.postgres_geometry import TYPE
from stac_assets.pipeline.exclusion.database_file import make_ready
from stac_assets.pipeline.exclusion.waiting import Wait
from stac_assets.source.geometry import FIELD

WEST, SOUTH, EAST, NORTH = BOX = (8.0, 47.0, 10.0, 49.0)
"""What is asked for: some two degrees, of a world whose items have one."""
DOUBLES = f"bbox_xmax >= {WEST} AND bbox_xmin <= {EAST} AND bbox_ymax >= {SOUTH} AND bbox_ymin <= {NORTH}"
TIMES = 7
"""How often each question is asked; the median counts."""
PORTION = 100_000
EDGES = ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax")

Ask = Callable[[str], int]
"""From a condition to how many rows it finds."""


def duckdb_query(clock: Clock, *, rows: int, near: bool) -> dict[str, Any]:
    """Ask a DuckDB file of so many rows; arguments as of `_boxes`."""
    columns = ", ".join(f"{edge} DOUBLE" for edge in EDGES)
    file, wait = Path("queried.duckdb"), Wait(1)
    make_ready(file, wait)
    with attached(file, wait) as connection:
        connection.execute(f"CREATE TABLE items (id TEXT, {columns}, geom {GEOMETRY})")
        for portion in _portions(rows, near):
            connection.register("portion", portion)
            connection.execute("INSERT INTO items FROM temp.portion")
        connection.execute("CHECKPOINT")
        asked = f"'{shapely.box(*BOX).wkt}'::{GEOMETRY}"
        ways = {
            "&&": f"geom && {asked}",
            "ST_Intersects_Extent": f"ST_Intersects_Extent(geom, {asked})",
            "both": f"{DOUBLES} AND geom && {asked}",
        }

        def ask(condition: str) -> int:
            found = connection.execute(f"SELECT id FROM items WHERE {condition}").fetchall()
            return len(found)

        return _asked(clock, ask, ways)


def postgres_query(clock: Clock, *, rows: int, near: bool, to: Mapping[str, str]) -> dict[str, Any]:
    """Ask a new database of a PostgreSQL server that has PostGIS; arguments as of `_boxes`."""
    columns = ", ".join(f"{edge} DOUBLE PRECISION" for edge in EDGES)
    with new_database(to) as database:
        connection = psycopg2.connect(
            host=database["PGHOST"],
            port=database["PGPORT"],
            user=database["PGUSER"],
            dbname=database["PGDATABASE"],
        )
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION postgis")
            cursor.execute(f"CREATE TABLE items (id TEXT, {columns}, geom {TYPE})")
            for portion in _portions(rows, near):
                lines = zip(*(portion[name].to_pylist() for name in portion.column_names), strict=True)
                text = "".join("\t".join([*map(str, values), wkb.hex()]) + "\n" for *values, wkb in lines)
                cursor.copy_expert("COPY items FROM STDIN", StringIO(text))
            cursor.execute("CREATE INDEX ON items USING gist (geom)")
            cursor.execute("VACUUM ANALYZE items")

            def ask(condition: str) -> int:
                cursor.execute(f"SELECT id FROM items WHERE {condition}")
                return len(cursor.fetchall())

            found = _asked(clock, ask, {"&&": f"geom && ST_MakeEnvelope({', '.join(map(str, BOX))}, 4326)"})
        connection.close()
    return found


def _asked(clock: Clock, ask: Ask, ways: Mapping[str, str]) -> dict[str, Any]:
    """Seconds of each way, asked in turn, and of the doubles; `found` is what all of them have to find."""
    every = {"doubles": DOUBLES, **ways}
    found = ask(DOUBLES)
    seconds: dict[str, list[float]] = {name: [] for name in every}
    cpu: dict[str, list[float]] = {name: [] for name in every}
    with clock:
        for _ in range(TIMES):
            for name, condition in every.items():
                began, cpu_began = perf_counter(), process_time()
                assert ask(condition) == found, f"{name} finds other rows than the doubles"
                seconds[name].append(perf_counter() - began)
                cpu[name].append(process_time() - cpu_began)
    assert found, "nothing is found"
    return {
        "found": found,
        **{f"{name} seconds": median(times) for name, times in seconds.items()},
        **{f"{name} cpu": median(times) for name, times in cpu.items()},
    }


def _portions(rows: int, near: bool) -> Iterator[pa.Table]:
    """The rows in portions."""
    boxes = _boxes(rows, near)
    for first in range(0, rows, PORTION):
        west, south, east, north = some = boxes[:, first : first + PORTION]
        wkb: Any = shapely.to_wkb(shapely.box(west, south, east, north), flavor="iso")
        ids = pa.array([f"item-{first + place}" for place in range(len(west))])
        schema = pa.schema([("id", pa.string()), *((edge, pa.float64()) for edge in EDGES), FIELD])
        yield pa.table([ids, *map(pa.array, some), pa.array(wkb, pa.binary())], schema=schema)


def _boxes(rows: int, near: bool) -> Any:
    """West, south, east and north of boxes of a degree or so all over the world.

    Args:
        rows: how many.
        near: whether rows that lie beside each other in the world do so in the table too. Else each part of
            the table has rows of everywhere, as where a satellite's days come one after the other.
    """
    chance = np.random.default_rng(1)
    west, south = chance.uniform(-180, 178, rows), chance.uniform(-80, 79, rows)
    if near:
        order = np.lexsort((south, np.floor(west / 10), np.floor(south / 10)))
        west, south = west[order], south[order]
    return np.stack([west, south, west + 1.4, south + 1.0])
