"""Fills the geometries that tables of a DuckDB file lack."""

from typing import Any

import pyarrow as pa

from stac_assets.pipeline.destinations.base import Filled
from stac_assets.source.geometry import FIELD, as_wkb
from stac_assets.source.geometry_column import GEOM

ROWS = 8192
"""Rows that are read at a time."""
VIEW = "derived"
"""The temporary view by which a statement reads geometries."""


def fill(client: Any, table: str) -> Filled:
    """Fill the geometries that a table lacks, some rows at a time, each time in a transaction."""
    name, connection = client.make_qualified_table_name(table), client.native_connection
    filled = Filled()
    ((last,),) = connection.execute(f"SELECT coalesce(max(rowid), -1) FROM {name}").fetchall()  # noqa: S608
    for first in range(0, last + 1, ROWS):
        lacking = connection.execute(
            f"SELECT rowid AS row, CAST(geometry AS VARCHAR) AS geometry FROM {name} "  # noqa: S608
            f"WHERE rowid BETWEEN {first} AND {first + ROWS - 1} AND {GEOM} IS NULL AND geometry IS NOT NULL"
        ).to_arrow_table()
        found = as_wkb(lacking["geometry"])
        derived = pa.table([lacking["row"], found], schema=pa.schema([lacking.schema.field("row"), FIELD]))
        derived = derived.filter(found.is_valid())
        filled.rows += derived.num_rows
        filled.left += lacking.num_rows - derived.num_rows
        if derived.num_rows:
            connection.register(VIEW, derived)
            client.execute_sql(
                f"UPDATE {name} SET {GEOM} = temp.{VIEW}.{GEOM} FROM temp.{VIEW} "  # noqa: S608
                f"WHERE {name}.rowid = temp.{VIEW}.row"
            )
            connection.unregister(VIEW)
    return filled
