"""One day loaded again, in a table that has grown."""

import time
from statistics import median
from typing import Any

import duckdb

from benchmarks.clock import Clock
from benchmarks.work.ours import FILE, TABLE, anew, check_table, load_range
from stac_assets.settings import read_settings
from stac_assets.stac.windows import parse_day

RELOADS = 3


def reload_day(
    clock: Clock, *, url: str, collection: str, last_day: str, items: int, days: int, rows: int
) -> dict[str, Any]:
    """Load a catalog of `items` over `days`, let the table grow to `rows`, and load its last day again.

    The seconds are those of a reload, the median of three; `clock` measures all of them.
    """
    settings = read_settings(base_url=url, collections=[collection])
    last = parse_day(last_day, "last_day")
    load_range(settings, last)
    _grow(rows // items, days)
    check_table(rows)
    seconds, stores = [], []
    with clock:
        for _ in range(RELOADS):
            started = time.perf_counter()
            settings = anew(settings)
            result = load_range(settings, last, last)
            seconds.append(time.perf_counter() - started)
            stores.append(result.store_seconds)
    check_table(rows)
    return {"seconds": median(seconds), "store_seconds": median(stores)}


def _grow(copies: int, days: int) -> None:
    """Copy every row into earlier days, under other ids, until the table is `copies` times as long."""
    with duckdb.connect(str(FILE)) as connection:
        day = f"(datetime AT TIME ZONE 'UTC' - to_days(CAST(copy * {days} AS INTEGER)))"
        connection.execute(
            f"""INSERT INTO {TABLE} SELECT found.* REPLACE (
                id || '-' || copy AS id,
                {day} AT TIME ZONE 'UTC' AS datetime,
                collection || '|' || strftime({day}, '%Y-%m-%d') AS _partition_key
            ) FROM {TABLE} AS found, range(1, {copies}) AS copies(copy)"""
        )
        connection.execute("CHECKPOINT")
