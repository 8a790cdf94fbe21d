"""The view over all catalogs in a DuckDB file. It does not name the file, which somebody may rename."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import ClassVar

import duckdb

from stac_assets.catalog import VIEWS_SCHEMA
from stac_assets.pipeline.destinations.duckdb_connection import ALIAS
from stac_assets.pipeline.destinations.items_view import (
    FULL_NAME,
    TABLE,
    VIEW,
    WANTED,
    Database,
    Kind,
    Table,
    literal,
    quoted,
)


class DuckDbFile(Database):
    """The file that a connection has attached. No value is bound, for which DuckDB would import pandas."""

    types: ClassVar = {
        Kind.TEXT: "VARCHAR",
        Kind.NUMBER: "DOUBLE",
        Kind.TIME: "TIMESTAMP WITH TIME ZONE",
    }

    def __init__(self, connection: duckdb.DuckDBPyConnection, dataset: str) -> None:
        super().__init__(dataset)
        self._connection = connection

    def tables(self) -> Sequence[Table]:
        """The columns are asked for table by table: those of all tables of a file may be many thousands."""
        found = self._connection.execute(
            "SELECT schema_name, comment FROM duckdb_tables() "  # noqa: S608
            f"WHERE database_name = current_database() AND table_name = {literal(TABLE)}"
        ).fetchall()
        return [Table(schema, comment or "", self._columns(schema)) for schema, comment in found]

    def _columns(self, schema: str) -> Mapping[str, str]:
        table = f"{quoted(schema)}.{quoted(TABLE)}"
        wanted = ", ".join(map(literal, WANTED))
        found = self._connection.execute(
            f"SELECT name, type FROM pragma_table_info({literal(table)}) WHERE name IN ({wanted})"  # noqa: S608
        ).fetchall()
        return dict(found)

    def note(self, table: Table) -> None:
        name = f"{quoted(table.schema)}.{quoted(TABLE)}"
        self._connection.execute(f"COMMENT ON TABLE {name} IS {literal(table.comment)}")

    def comment(self) -> str | None:
        found = self._connection.execute(
            "SELECT comment FROM duckdb_views() "  # noqa: S608
            f"WHERE database_name = current_database() AND schema_name = {literal(VIEWS_SCHEMA)} "
            f"AND view_name = {literal(VIEW)}"
        ).fetchone()
        return (found[0] or "") if found else None

    def write(self, columns: Mapping[str, str], query: str, comment: str) -> None:
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {VIEWS_SCHEMA}")
        self._connection.execute(f"CREATE OR REPLACE VIEW {FULL_NAME} AS {query}")
        self._connection.execute(f"COMMENT ON VIEW {FULL_NAME} IS {literal(comment)}")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection, dataset: str) -> Iterator[DuckDbFile]:
    """A transaction in the file that a connection has attached, whatever was made its database since."""
    connection.execute(f"USE {ALIAS}")
    connection.begin()
    try:
        yield DuckDbFile(connection, dataset)
        connection.commit()
    except Exception:
        with suppress(duckdb.Error):  # where it was the end of the transaction that failed
            connection.rollback()
        raise
