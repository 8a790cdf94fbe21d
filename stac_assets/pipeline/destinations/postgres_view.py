"""The view over all catalogs in a PostgreSQL database.

PostgreSQL lets nobody drop or change what a view names, and dlt does (`refresh`, `dlt pipeline drop`). So the
view shows what a function returns, whose text PostgreSQL reads no sooner than somebody asks. The planner puts
that text in the function's place, so that conditions reach the tables and their indexes. And it can change
while somebody reads the view; a view itself could not be replaced before that one ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from dlt.destinations.exceptions import DatabaseTerminalException
from dlt.pipeline.pipeline import Pipeline

from stac_assets.catalog import VIEWS_SCHEMA
from stac_assets.pipeline.destinations.items_view import (
    FULL_NAME,
    GEOMETRY,
    TABLE,
    VIEW,
    WANTED,
    Database,
    Kind,
    Table,
    literal,
    quoted,
)
from stac_assets.pipeline.errors import StoreFailed
from stac_assets.pipeline.exclusion.advisory_lock import key_of
from stac_assets.source.dlt_log import first_line

FUNCTION = f"{VIEWS_SCHEMA}.items_of_catalogs"
PATIENCE = "10s"
"""How long a lock is waited for, by a load that has stored its rows and whom others wait for."""


class PostgresDatabase(Database):
    """A transaction of dlt's client, in which no name is found without its schema."""

    types: ClassVar = {
        Kind.TEXT: "character varying",
        Kind.NUMBER: "double precision",
        Kind.TIME: "timestamp with time zone",
    }

    def __init__(self, client: Any) -> None:
        super().__init__(client.dataset_name)
        self._client = client

    def tables(self) -> Sequence[Table]:
        """Of a geometry the type has its parameters."""
        found = self._client.execute_sql(
            "SELECT nspname, coalesce(obj_description(c.oid, 'pg_class'), ''), attname, "
            "format_type(atttypid, CASE WHEN attname = %s THEN atttypmod END) "
            "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace "
            "LEFT JOIN pg_catalog.pg_attribute ON attrelid = c.oid AND attname = ANY(%s) "
            "AND attnum > 0 AND NOT attisdropped WHERE relname = %s AND relkind IN ('r', 'p')",
            *(GEOMETRY, list(WANTED), TABLE),
        )
        tables: dict[str, Table] = {}
        for schema, comment, column, kind in found or ():
            known = tables.get(schema, Table(schema, comment, {}))
            tables[schema] = Table(schema, comment, {**known.columns, **({column: kind} if column else {})})
        return list(tables.values())

    def note(self, table: Table) -> None:
        name = f"{quoted(table.schema)}.{quoted(TABLE)}"
        self._client.execute_sql(f"COMMENT ON TABLE {name} IS {literal(table.comment)}")

    def comment(self) -> str | None:
        found = self._client.execute_sql(
            "SELECT coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_catalog.pg_class AS c "
            "JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace WHERE nspname = %s AND relname = %s",
            *(VIEWS_SCHEMA, VIEW),
        )
        return found[0][0] if found else None

    def write(self, columns: Mapping[str, str], query: str, comment: str) -> None:
        """Columns that only come to those of the view let it stay, with the rights that were given to it."""
        execute = self._client.execute_sql
        if not execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", VIEWS_SCHEMA):
            self._make_schema()
        execute(
            f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE "
            f"AS {literal(query)}"
        )
        known, wanted = self._columns(), list(columns.items())
        if known != wanted[: len(known)]:
            execute(f"DROP VIEW {FULL_NAME}")
        if known != wanted:
            typed = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted)
            query = f"SELECT * FROM {FUNCTION}() AS items({typed})"  # noqa: S608
            execute(f"CREATE OR REPLACE VIEW {FULL_NAME} AS {query}")
        execute(f"COMMENT ON VIEW {FULL_NAME} IS {literal(comment)}")

    def _make_schema(self) -> None:
        try:
            self._client.execute_sql(f"CREATE SCHEMA {VIEWS_SCHEMA}")
        except DatabaseTerminalException as error:
            user = quoted(self._client.credentials.username)
            raise StoreFailed(
                f"{first_line(error)}; whoever may can make it possible: "
                f"CREATE SCHEMA {VIEWS_SCHEMA} AUTHORIZATION {user}"
            ) from error

    def _columns(self) -> list[tuple[str, str]]:
        found = self._client.execute_sql(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute "
            "JOIN pg_catalog.pg_class AS c ON c.oid = attrelid JOIN pg_catalog.pg_namespace AS n "
            "ON n.oid = relnamespace WHERE nspname = %s AND relname = %s AND attnum > 0 ORDER BY attnum",
            *(VIEWS_SCHEMA, VIEW),
        )
        return [tuple(row) for row in found or ()]


@contextmanager
def transaction(pipeline: Pipeline) -> Iterator[PostgresDatabase]:
    """A transaction in the database of a pipeline's destination; no other load changes the view meanwhile."""
    with pipeline.sql_client() as client, client.begin_transaction():
        for name, value in (
            ("lock_timeout", PATIENCE),
            ("search_path", ""),
            ("check_function_bodies", "off"),  # they name tables that this user need not be able to read
        ):
            client.execute_sql("SELECT set_config(%s, %s, true)", name, value)
        client.execute_sql("SELECT pg_advisory_xact_lock(%s)", key_of(FULL_NAME))
        yield PostgresDatabase(client)
