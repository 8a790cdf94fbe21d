"""Loads that are killed with SIGKILL at the k-th change: a request to S3, a statement of DuckLake."""

import os
import signal
from typing import Any

from stac_assets_tests.loads import load_days

WRITING = ("PUT", "POST", "DELETE")
CHANGING = ("INSERT", "DELETE", "UPDATE", "CREATE", "ALTER", "DROP", "TRUNCATE", "COMMIT")


def load_and_die_at_request(url: str, number: int, last: str) -> None:
    """Load the days from 2024-01-01 to `last`; die once S3 has done what the request of that number wants."""
    from aiobotocore.httpsession import AIOHTTPSession

    send = AIOHTTPSession.send
    left = [number]

    async def counted(self: Any, request: Any) -> Any:
        answer = await send(self, request)
        if request.method in WRITING:
            _die_at_last(left)
        return answer

    AIOHTTPSession.send = counted  # type: ignore[method-assign]
    load_days(url, last=last)


def load_and_die_at_statement(url: str, number: int, last: str) -> None:
    """The same, and die before the statement of that number that changes something, or its commit."""
    from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

    execute, commit = DuckDbSqlClient.execute_sql, DuckDbSqlClient.commit_transaction
    left = [number]

    def execute_sql(self: DuckDbSqlClient, sql: Any, *args: Any, **kwargs: Any) -> Any:
        if str(sql).lstrip().upper().startswith(CHANGING):
            _die_at_last(left)
        return execute(self, sql, *args, **kwargs)

    def execute_many(self: DuckDbSqlClient, statements: Any, *args: Any, **kwargs: Any) -> Any:
        return [self.execute_sql(statement, *args, **kwargs) for statement in statements]

    def commit_transaction(self: DuckDbSqlClient) -> None:
        _die_at_last(left)
        commit(self)

    DuckDbSqlClient.execute_sql = execute_sql  # type: ignore[method-assign]
    DuckDbSqlClient.execute_many = execute_many  # type: ignore[method-assign]
    DuckDbSqlClient.commit_transaction = commit_transaction  # type: ignore[method-assign]
    load_days(url, last=last)


def _die_at_last(left: list[int]) -> None:
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
