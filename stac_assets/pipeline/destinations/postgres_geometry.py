"""The column of geometries in PostgreSQL, where PostGIS is there: two dimensions, and an index of boxes."""

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper

from stac_assets.pipeline.destinations.base import Filled
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.geometry import GEOM, HINT, as_wkb

DIMENSIONS = 2
"""Those of `geometry(Geometry, 4326)`, which refuses heights."""
TYPE = "geometry(Geometry,4326)"
"""Any shape, in longitude and latitude."""
INDEX = ("gist", GEOM)
ROWS = 8192
"""Rows that are filled at a time, or those of one partition."""
_TAKING = re.compile(rf"(.*\.)?(geometry|{re.escape(TYPE)})")
"""The types into which the geometries of any item go."""

POSTGIS = """
    SELECT quote_ident(nspname) FROM pg_catalog.pg_extension
    JOIN pg_catalog.pg_namespace AS n ON n.oid = extnamespace
    WHERE extname = 'postgis' AND has_schema_privilege(n.oid, 'USAGE')
"""
COLUMN = """
    SELECT format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
    WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped
"""

logger = logging.getLogger("stac_assets")


class PostgresTypes(PostgresTypeMapper):
    """dlt's types, and that of geometries."""

    postgis: str | None = None
    """The schema of PostGIS."""

    def to_destination_type(self, column: TColumnSchema, table: PreparedTableSchema) -> str:
        """PostgreSQL's type of a column."""
        hints: dict[str, Any] = dict(column)
        if self.postgis and hints.get(HINT):
            return f"{self.postgis}.{TYPE}"
        return super().to_destination_type(column, table)


def postgis_schema(client: Any) -> str | None:
    """The schema of PostGIS in the database of an open client; None where the role has no PostGIS."""
    found = client.execute_sql(POSTGIS)
    return found[0][0] if found else None


def takes_geometries(client: Any, table: str) -> bool:
    """Whether the column of that name takes geometries. If somebody's own does not, a warning says so."""
    kind = type_of_geometries(client, table) or "not there"
    if is_geometry(kind):
        return True
    _tell(f"the column {GEOM} of {table} is {kind}", "rename the column")
    return False


def type_of_geometries(client: Any, table: str) -> str | None:
    """The type of the column of that name; None where the table has none."""
    found = client.execute_sql(COLUMN, client.make_qualified_table_name(table), GEOM)
    return found[0][0] if found else None


def is_geometry(kind: str | None) -> bool:
    """Whether a column of a type takes the geometries of any item."""
    return kind is not None and _TAKING.fullmatch(kind) is not None


def tell_of_postgis(client: Any, table: str) -> None:
    """Say with the first rows of a table why it has no geometries."""
    if not client.execute_sql(f"SELECT 1 FROM {client.make_qualified_table_name(table)} LIMIT 1"):  # noqa: S608
        why = "this PostgreSQL database has no PostGIS, or none that the role may use"
        _tell(why, "let an administrator run CREATE EXTENSION postgis (or set geometry to none)")


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


def _tell(why: str, what: str) -> None:
    logger.warning("%s, and so no geometries are stored: %s, and the next loads store them", why, what)
