"""The column of geometries in PostgreSQL, where PostGIS is there: two dimensions, and an index of boxes."""

import logging
import re
from typing import Any

from stac_assets.source.geometry import GEOM

DIMENSIONS = 2
"""Those of `geometry(Geometry, 4326)`, which refuses heights."""
SRID = 4326
"""PostGIS' number for longitude and latitude in degrees."""
_TAKEN = re.compile(rf"(.*\.)?geometry(\(Geometry,{SRID}\))?")
"""The types into which the geometries of any item go."""

POSTGIS = """
    SELECT n.nspname FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace AS n ON n.oid = extnamespace
    WHERE extname = 'postgis' AND has_schema_privilege(n.oid, 'USAGE')
"""
COLUMN = """
    SELECT pg_has_role(relowner, 'USAGE'), format_type(atttypid, atttypmod)
    FROM pg_catalog.pg_class
    LEFT JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid AND attname = %s AND NOT attisdropped
    WHERE pg_class.oid = to_regclass(%s)
"""
"""Whether the role owns the table, and the type of its column of that name, if it has one."""

logger = logging.getLogger("stac_assets")


def postgis_schema(client: Any) -> str | None:
    """The schema of PostGIS in the database of an open client; None where the role has no PostGIS."""
    found = client.execute_sql(POSTGIS)
    return found[0][0] if found else None


def make_column(client: Any, table: str, *, indexed: bool) -> bool:
    """Make the column of geometries where the table lacks it; to be called in a transaction.

    Args:
        client: dlt's, which is open.
        table: its name alone.
        indexed: whether an index is made with it.

    Returns:
        Whether the table has one in which geometries can be stored. If not, a warning says why.
    """
    name, key = client.make_qualified_table_name(table), client.escape_column_name(GEOM)
    ((is_owner, found),) = client.execute_sql(COLUMN, GEOM, name)
    if found is not None:
        if not _TAKEN.fullmatch(found):
            _tell(f"the column {GEOM} of {table} is {found}", "rename the column")
            return False
        return True
    schema = postgis_schema(client)
    if schema is None or not is_owner:
        _tell(
            f"the table {table} has no column {GEOM}",
            f"let its owner run: ALTER TABLE {name} ADD COLUMN {key} geometry(Geometry, {SRID})",
        )
        return False
    kind = f"{client.escape_column_name(schema)}.geometry(Geometry, {SRID})"
    client.execute_sql(f"ALTER TABLE {name} ADD COLUMN {key} {kind}")
    if indexed:
        client.execute_sql(f"CREATE INDEX ON {name} USING gist ({key})")
    return True


def tell_of_postgis(client: Any, table: str) -> None:
    """Say with the first rows of a table why it has no geometries."""
    if not client.execute_sql(f"SELECT 1 FROM {client.make_qualified_table_name(table)} LIMIT 1"):  # noqa: S608
        why = "this PostgreSQL database has no PostGIS, or none that the role may use"
        _tell(why, "let an administrator run CREATE EXTENSION postgis (or set geometry to none)")


def _tell(why: str, what: str) -> None:
    logger.warning("%s, and so no geometries are stored: %s, and the next loads store them", why, what)
