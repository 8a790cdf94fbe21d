"""The column of geometries in PostgreSQL, where PostGIS is there: two dimensions, and an index of boxes."""

import logging
import re
from typing import Any

from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper

from stac_assets.source.geometry_column import GEOM, HINT

DIMENSIONS = 2
"""Those of `geometry(Geometry, 4326)`, which refuses heights."""
TYPE = "geometry(Geometry,4326)"
"""Any shape, in longitude and latitude."""
INDEX = ("gist", GEOM)
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


def _tell(why: str, what: str) -> None:
    logger.warning("%s, and so no geometries are stored: %s, and the next loads store them", why, what)
