"""What the tests see of a PostgreSQL server, beside the loads."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from stac_assets_tests.loads import DATASET

PATIENCE = 60.0
POLL_SECONDS = 0.02


def until(found: Callable[[], Any], what: str) -> Any:
    """What `found` returns as soon as that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(POLL_SECONDS)
    return value


def ask(url: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def ids(url: str) -> list[str]:
    """The ids in the table `search`; a row twice is there twice."""
    return [row[0] for row in ask(url, f"SELECT id FROM {DATASET}.search ORDER BY id")]


def datasets(url: str) -> list[str]:
    """The datasets of the tests, staging datasets included."""
    rows = ask(url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE %s ORDER BY 1", f"{DATASET}%")
    return [row[0] for row in rows]


@contextmanager
def merges_wait(url: str) -> Iterator[Callable[[int], None]]:
    """No load can change the table `search`, though it can stage its rows; each waits at its merge.

    Gives a function that returns when so many loads wait.
    """
    count = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'RowExclusiveLock' "
        f"AND relation = '{DATASET}.search'::regclass"
    )
    connection = psycopg2.connect(url)
    try:
        connection.cursor().execute(f"LOCK TABLE {DATASET}.search IN SHARE MODE")
        yield lambda number: until(lambda: ask(url, count)[0][0] >= number, f"{number} merges to wait")
    finally:
        connection.close()
