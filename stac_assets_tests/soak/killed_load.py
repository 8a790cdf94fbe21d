"""Loads that are killed with SIGKILL in the midst of storing, in a process beside the tests.

with Killer() as killer:
    killer.load(api.url, "search", 'COMMIT INSERT INTO "pystac_client_data"."search"')
"""

import os
import signal
from threading import get_ident
from typing import Any

from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from stac_assets.source.columns import ITEM_TABLES
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import load_catalog, load_days


class Killer(Forker):
    """The process beside the tests."""

    def load(self, url: str, resource: str, moment: str) -> None:
        """Load 2024-01-01 of c1, or a catalog table, in the current folder; die just before `moment`.

        A moment is how a statement begins; `COMMIT`, and how the statement before it begins.
        """
        ended = self.run(load_and_die, url=url, resource=resource, moment=moment)
        told = f"the load ended with status {ended.status}, before {moment!r} came\n{ended.raised}"
        assert ended.status == -signal.SIGKILL, told


def die_before(moment: str) -> None:
    """Kill this process when the statement that begins with `moment` is to be executed."""
    execute, commit = DuckDbSqlClient.execute_sql, DuckDbSqlClient.commit_transaction
    last: dict[int, str] = {}
    """By thread: dlt stores several tables at the same time."""

    def die_if_now(statement: str) -> None:
        if statement.startswith(moment):
            os.kill(os.getpid(), signal.SIGKILL)

    def execute_sql(self: DuckDbSqlClient, sql: Any, *args: Any, **kwargs: Any) -> Any:
        die_if_now(sql)
        last[get_ident()] = sql
        return execute(self, sql, *args, **kwargs)

    def execute_many(self: DuckDbSqlClient, statements: Any, *args: Any, **kwargs: Any) -> Any:
        return [self.execute_sql(statement, *args, **kwargs) for statement in statements]

    def commit_transaction(self: DuckDbSqlClient) -> None:
        die_if_now(f"COMMIT {last.get(get_ident())}")
        commit(self)

    DuckDbSqlClient.execute_sql = execute_sql  # type: ignore[method-assign]
    DuckDbSqlClient.execute_many = execute_many  # type: ignore[method-assign]
    DuckDbSqlClient.commit_transaction = commit_transaction  # type: ignore[method-assign]


def load_and_die(url: str, resource: str, moment: str) -> None:
    """What `Killer.load` does, in the process that dies."""
    die_before(moment)
    if resource in ITEM_TABLES:
        load_days(url, resource)
    else:
        load_catalog(url, resource, ["c1"])
