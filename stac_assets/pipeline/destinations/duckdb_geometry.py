"""DuckDB's own type of geometries, which needs no extension."""

from typing import Any

from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.impl.duckdb.factory import DuckDbTypeMapper

from stac_assets.source.geometry_column import GEOM, HINT, SYSTEM

GEOMETRY = f"GEOMETRY('{SYSTEM}')"
"""With the reference system, so that two columns of different ones are not compared."""
AS_WKB = f"ST_AsWKB({GEOM})"
"""The column as it may leave DuckDB, whose own form of geometries nobody else reads."""


class DuckDbTypes(DuckDbTypeMapper):
    """dlt's types, and that of geometries."""

    def to_destination_type(self, column: TColumnSchema, table: PreparedTableSchema) -> str:
        """DuckDB's type of a column."""
        hints: dict[str, Any] = dict(column)
        return GEOMETRY if hints.get(HINT) else super().to_destination_type(column, table)
