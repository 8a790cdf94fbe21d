"""Fills the geometries that tables of PostgreSQL lack."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from stac_assets.pipeline.destinations.base import Filled
from stac_assets.pipeline.destinations.postgres_geometry import DIMENSIONS, takes_geometries
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.geometry import as_wkb
from stac_assets.source.geometry_column import GEOM

ROWS = 8192
"""Rows that are filled at a time, or those of one partition."""


def fill(client: Any, table: str, postgis: str) -> Filled:
    """Fill the geometries that a table lacks, some partitions at a time, each time in a transaction."""
    filled = Filled()
    if not takes_geometries(client, table):
        return filled
    name, key = client.make_qualified_table_name(table), client.escape_column_name(PARTITION_KEY)
    lacks = f"{GEOM} IS NULL AND geometry IS NOT NULL"
    keys = client.execute_sql(
        f"SELECT {key}, count(*) FROM {name} WHERE {lacks} GROUP BY {key} ORDER BY {key}"  # noqa: S608
    )
    for some in _portions(keys):
        with client.begin_transaction():
            rows = client.execute_sql(
                f"SELECT ctid::text, geometry::text FROM {name} WHERE {key} = ANY(%s) AND {lacks}",  # noqa: S608
                some,
            )
            texts = pa.array([text for _, text in rows], pa.string())
            found = zip([place for place, _ in rows], as_wkb(texts, DIMENSIONS).to_pylist(), strict=True)
            derived = [(place, shape) for place, shape in found if shape is not None]
            filled.rows += len(derived)
            filled.left += len(rows) - len(derived)
            if derived:
                client.execute_sql(
                    f"UPDATE {name} SET {GEOM} = shape::{postgis}.geometry "  # noqa: S608
                    f"FROM unnest(%s::tid[], %s::bytea[]) AS derived(place, shape) WHERE {name}.ctid = place",
                    *map(list, zip(*derived, strict=True)),
                )
    return filled


def _portions(keys: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    """Partition keys whose rows are together about as many as are read at a time."""
    some: list[str] = []
    size = 0
    for key, rows in keys:
        some.append(key)
        size += rows
        if size >= ROWS:
            yield some
            some, size = [], 0
    if some:
        yield some
