"""What the tests see of the view over all catalogs, and what they do to a database."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import duckdb

from stac_assets.pipeline.destinations import items_view
from stac_assets_tests.reading import DUCKDB_FILE, DUCKDB_TYPES, POSTGRES_URL, in_postgres, query

COLUMNS = [
    *("catalog", "collection", "id", "datetime", "start_datetime", "end_datetime"),
    *("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax", "eo_cloud_cover", "platform", "gsd"),
]


def execute(sql: str) -> None:
    """Execute a statement, as somebody with a client of the database's own."""
    if not in_postgres():
        with duckdb.connect(str(DUCKDB_FILE)) as connection:
            connection.execute(sql)
        return
    import psycopg2

    with closing(psycopg2.connect(os.environ[POSTGRES_URL])) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql)


def shown(columns: str = "catalog, id", where: str = "true") -> list[tuple[Any, ...]]:
    """The rows of the view, in the order of catalogs and ids."""
    found = query(f"SELECT {columns} FROM stac.items WHERE {where} ORDER BY catalog, id")
    return [tuple(row.values()) for row in found]


def types_of_view() -> dict[str, str]:
    """The type of each column of the view, by DuckDB's name of it."""
    found = query(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'stac' AND table_name = 'items' ORDER BY ordinal_position"
    )
    kinds = ((str(row["column_name"]), str(row["data_type"])) for row in found)
    return {name: DUCKDB_TYPES.get(kind, kind) for name, kind in kinds}


def version() -> list[dict[str, Any]]:
    """Changes whenever the view is written, be it as it was; DuckDB forgets `mark_version` then."""
    return query(
        "SELECT c.xmin::text AS view, p.xmin::text AS function, d.xmin::text AS comment FROM pg_class c, "
        "pg_proc p, pg_description d WHERE c.oid = 'stac.items'::regclass AND d.objoid = c.oid "
        "AND p.proname = 'items_of_catalogs'"
        if in_postgres()
        else "SELECT comment FROM duckdb_columns() WHERE schema_name = 'stac' AND column_name = 'id'"
    )


def mark_version() -> None:
    """Write something into the view that is gone once it is written again."""
    if not in_postgres():
        execute("COMMENT ON COLUMN stac.items.id IS 'seen'")


@contextmanager
def first_told() -> Iterator[None]:
    """A block in which this process is as one that was told nothing yet."""
    items_view.told.clear()
    yield
