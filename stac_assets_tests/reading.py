"""What a load left in the destination, read by its own driver: the same rows of DuckDB and of PostgreSQL."""

import os
from pathlib import Path
from typing import Any

import duckdb

from stac_assets_tests.jsonb import spelled_by_jsonb

DUCKDB_FILE = Path("pystac_client.duckdb")
DATASET = "pystac_client_data"
POSTGRES_URL = "DESTINATION__POSTGRES__CREDENTIALS"
"""Where dlt finds how to reach PostgreSQL, and so do these tests."""

DUCKDB_TYPES = {
    "boolean": "BOOLEAN",
    "bigint": "BIGINT",
    "character varying": "VARCHAR",
    "double precision": "DOUBLE",
    "jsonb": "JSON",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
}
"""By PostgreSQL's name of a type, DuckDB's name of the same."""

Row = dict[str, Any]


def in_postgres() -> bool:
    """Whether the project's destination is PostgreSQL: `pytest --destination=postgres`."""
    return os.environ.get("PIPELINE__DESTINATION") == "postgres"


def query(sql: str, file: Path = DUCKDB_FILE) -> list[Row]:
    """The rows of a query, as dicts; JSON as text, times in UTC."""
    return query_postgres(sql) if in_postgres() else _query_duckdb(sql, file)


def _query_duckdb(sql: str, file: Path) -> list[Row]:
    with duckdb.connect(str(file), read_only=True) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def query_postgres(sql: str, *, as_text: bool = True) -> list[Row]:
    """The rows of a query of PostgreSQL; `as_text` is whether JSON stays text instead of being parsed."""
    import psycopg2
    from psycopg2.extras import register_default_jsonb

    connection = psycopg2.connect(os.environ[POSTGRES_URL], options="-c timezone=UTC")
    try:
        if as_text:
            register_default_jsonb(connection, loads=str)
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []
    finally:
        connection.close()


def rows(table: str = "search", file: Path = DUCKDB_FILE) -> list[Row]:
    """Every row of a table, in the order of all its columns."""
    if not in_postgres():
        return query(f'SELECT * FROM {DATASET}."{table}" ORDER BY ALL', file)
    types = column_types(table)
    order = ", ".join(f'"{n}" COLLATE "C"' if kind == "VARCHAR" else f'"{n}"' for n, kind in types.items())
    return query(f'SELECT * FROM {DATASET}."{table}" ORDER BY {order}')


def column_types(table: str = "search") -> dict[str, str]:
    """The type of each column of a table, by DuckDB's name of it."""
    if not in_postgres():
        described = query(f'DESCRIBE {DATASET}."{table}"')
        return {row["column_name"]: row["column_type"] for row in described}
    described = query(
        "SELECT column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = '{DATASET}' AND table_name = '{table}' ORDER BY ordinal_position"
    )
    return {row["column_name"]: DUCKDB_TYPES[row["data_type"]] for row in described}


def as_stored(text: str) -> str:
    """JSON text as the destination gives it back: DuckDB keeps it, PostgreSQL writes its own."""
    if not in_postgres():
        return text
    literal = text.replace("'", "''")
    return query(f"SELECT '{literal}'::jsonb::text AS text")[0]["text"]


def as_parsed(document: Any) -> Any:
    """Parsed JSON as it is after the destination: PostgreSQL knows numbers, but not how they were written."""
    return spelled_by_jsonb(document) if in_postgres() else document


def holds_nul() -> bool:
    """Whether the destination can hold the character U+0000 in text and JSON."""
    return not in_postgres()
