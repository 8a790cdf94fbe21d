"""What the soak tests run in a process of its own: see `forked`."""

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline import load as pipeline_load
from stac_assets_tests.forked import say
from stac_assets_tests.loads import DATASET, load_days

STEPS = ("extract", "normalize", "load", "merge", "publish")
"""Of a store, in their order; `merge` is the part of the load that changes the table `search`."""
MERGED = f'"{DATASET}"."search"'
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def load_in_steps(url: str) -> None:
    """Load 2024-01-01 of c1; say when each step begins."""
    for step in ("extract", "normalize", "load"):
        _announce(Pipeline, step, step)
    _announce(pipeline_load, "publish", "publish")
    _announce_merge()
    load_days(url, page_size=1000, lock_timeout=5)
    _say_step("end")


def _announce(owner: Any, name: str, step: str) -> None:
    function: Callable[..., Any] = getattr(owner, name)

    def announced(*arguments: Any, **named: Any) -> Any:
        _say_step(step)
        return function(*arguments, **named)

    setattr(owner, name, announced)


def _announce_merge() -> None:
    execute = DuckDbSqlClient.execute_sql
    begun = threading.Event()

    def execute_sql(self: DuckDbSqlClient, sql: Any, *arguments: Any, **named: Any) -> Any:
        if sql.startswith(("DELETE", "INSERT")) and MERGED in sql and not begun.is_set():
            begun.set()
            _say_step("merge")
        return execute(self, sql, *arguments, **named)

    def execute_many(self: DuckDbSqlClient, statements: Any, *arguments: Any, **named: Any) -> Any:
        return [self.execute_sql(statement, *arguments, **named) for statement in statements]

    DuckDbSqlClient.execute_sql = execute_sql  # type: ignore[method-assign]
    DuckDbSqlClient.execute_many = execute_many  # type: ignore[method-assign]


def _say_step(step: str) -> None:
    say({"step": step, "at": time.monotonic()})


def load_batches(url: str, batches: list[tuple[str, str]], **settings: Any) -> int:
    """Load batches of days one after another; say after each how large this process is.

    Returns:
        How many items all batches had.
    """
    count = 0
    for first, last in batches:
        count += load_days(url, first=first, last=last, **settings).figures.items
        gc.collect()
        say(_size())
    return count


def _size() -> dict[str, int]:
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    handles = len(list(Path("/proc/self/fd").iterdir()))
    return {"bytes": resident, "handles": handles, "threads": threading.active_count()}
