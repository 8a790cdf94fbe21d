"""Redshift's stand-in: PostgreSQL, from which it comes, with its types and behind its syntax."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from stac_assets_tests.conftest import postgres_running
from stac_assets_tests.warehouses.redshift_server import Redshift as Server
from stac_assets_tests.warehouses.stand_in import Row, StandIn

MADE = Path(__file__).with_suffix(".sql")
DATABASE = """
CREATE ROLE loader LOGIN;
CREATE DATABASE stac OWNER loader;
ALTER DATABASE stac SET standard_conforming_strings = off;
ALTER DATABASE stac SET escape_string_warning = off;
ALTER DATABASE stac SET default_transaction_isolation = 'repeatable read';
"""
"""A database whose texts have escapes, and whose transactions see a snapshot, as in Redshift."""
CREDENTIALS = "DESTINATION__REDSHIFT__CREDENTIALS"


class Redshift(StandIn):
    """Redshift, as far as PostgreSQL goes."""

    def query(self, sql: str) -> list[Row]:
        """The rows of a query, by psycopg2, which dlt uses too."""
        import psycopg2
        from psycopg2.extras import RealDictCursor

        with closing(psycopg2.connect(self.environment[CREDENTIALS])) as connection:
            connection.autocommit = True
            with connection.cursor(cursor_factory=RealDictCursor) as cursor:
                cursor.execute(sql)
                return [dict(row) for row in cursor] if cursor.description else []


@contextmanager
def started(folder: Path) -> Iterator[Redshift]:
    """PostgreSQL, and what translates for it."""
    psycopg2 = pytest.importorskip("psycopg2")
    with postgres_running() as postgres:
        for statement in DATABASE.strip().splitlines():
            postgres.psql(statement)
        with closing(psycopg2.connect(postgres.get_uri(database="stac"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SET allow_system_table_mods = on")
                cursor.execute(MADE.read_text())
        (socket,) = postgres.pgdata.glob(".s.PGSQL.*[0-9]")
        with Server(socket) as server:
            url = f"postgresql://loader:no-password@127.0.0.1:{server.port}/stac"
            yield Redshift({"PIPELINE__DESTINATION": "redshift", CREDENTIALS: url})
