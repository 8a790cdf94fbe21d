"""Loads of stac-assets into several destinations, and pypgstac's of the same items."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg2
import requests

from benchmarks.clock import MB, Clock, peak_bytes
from benchmarks.sizes import PAGE_SIZE
from benchmarks.work.ours import anew, load_range, warm_up
from stac_assets.demo import documents
from stac_assets.pipeline.load_result import LoadResult
from stac_assets.settings import Settings, read_settings
from stac_assets.stac.windows import parse_day

TIMES = 5
"""How often a day is loaded again."""


def load_days(
    clock: Clock, *, url: str, collection: str, last_day: str, items: int, to: Mapping[str, str], **rest: Any
) -> dict[str, Any]:
    """Load every daily partition of a collection.

    Args:
        clock: measures the load.
        url: the API.
        collection: what is loaded.
        last_day: `YYYY-MM-DD`; the first is that of the settings.
        items: how many there must be.
        to: variables that say where the rows go; `PGHOST` stands for a new database of that server.
        rest: settings of the load.
    """
    with destined(url, collection, to):
        settings = read_settings(base_url=url, collections=[collection], **rest)
        with clock:
            result = load_range(settings, parse_day(last_day, "last_day"))
        assert _rows(result) == items, f"{_rows(result)} rows, expected {items}"
    return {"fetch_seconds": result.fetch_seconds, "store_seconds": result.store_seconds}


def reload_day(
    clock: Clock, *, url: str, collection: str, last_day: str, items: int, to: Mapping[str, str]
) -> dict[str, Any]:
    """Load every daily partition, and then the last day again, which is measured; arguments as above.

    The first is done by another process: what it has held is no memory of the day. The day is loaded a few
    times, of which the fastest counts: by `stac-assets load`, which is measured, and in this process, whose
    memory is. Then it is loaded with what Dagster's asset checks count of it.
    """
    with destined(url, collection, to):
        settings, last = _asked(url, collection, last_day)
        with ProcessPoolExecutor(1, get_context("spawn")) as another:
            whole = another.submit(load_whole, url, collection, last_day, items).result()
        seconds, memory = [], []
        for _ in range(TIMES):
            settings = anew(settings)
            with clock:
                load_range(settings, last, last, inspected=False)
            seconds.append(clock.seconds)
            memory.append(clock.peak_mb)
        settings, began = anew(settings), time.perf_counter()
        load_range(settings, last, last)
        checked = time.perf_counter() - began
        clock.seconds = min(_by_command(url, collection, last_day, n) for n in range(TIMES))
    return {
        "inside_seconds": min(seconds),
        "checked_seconds": checked,
        "day_mb": max(memory),
        "load_mb": whole,
        "rows": items,
    }


def _by_command(url: str, collection: str, day: str, number: int) -> float:
    """The seconds of the command that loads a day; of two numbers in turn, neither finds its rows stored."""
    setting = "SOURCES__PYSTAC_CLIENT_SOURCE__PROMOTE_PROPERTIES"
    given = ["--base-url", url, "--collection", collection, "--start", day, "--end", day]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "stac_assets.cli.main", "load", *given],
        env={**os.environ, setting: "all" if number % 2 else json.dumps(["*"])},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def load_whole(url: str, collection: str, last_day: str, items: int) -> float:
    """Load every daily partition, without counting for checks; returns the peak memory in MB."""
    result = load_range(*_asked(url, collection, last_day), inspected=False)
    assert result.figures.items == items, f"{result.figures.items} items, expected {items}"
    return peak_bytes() / MB


def _asked(url: str, collection: str, last_day: str) -> tuple[Settings, date]:
    return read_settings(base_url=url, collections=[collection]), parse_day(last_day, "last_day")


def _rows(result: LoadResult) -> int:
    assert result.inspection is not None
    return sum(found.rows for found in result.inspection.partitions.values())


@contextmanager
def destined(url: str, collection: str, to: Mapping[str, str]) -> Iterator[None]:
    """Everything imported, and the variables set."""
    warm_up(url, collection)
    if "PGHOST" not in to:
        os.environ.update(to)
        yield
        return
    with new_database(to) as database:
        server = f"postgresql://{database['PGUSER']}:unused@{database['PGHOST']}:{database['PGPORT']}"
        os.environ["PIPELINE__DESTINATION"] = "postgres"
        os.environ["DESTINATION__POSTGRES__CREDENTIALS"] = f"{server}/{database['PGDATABASE']}"
        yield


@contextmanager
def new_database(server: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """libpq's variables of a database that is there for a while, on the server that they lead to."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    _execute(server, f"CREATE DATABASE {name}")
    try:
        yield {**server, "PGDATABASE": name}
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: Mapping[str, str], statement: str) -> list[tuple[Any, ...]]:
    where = psycopg2.connect(
        host=server["PGHOST"], port=server["PGPORT"], user=server["PGUSER"], dbname=server["PGDATABASE"]
    )
    with closing(where) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def pypgstac(
    clock: Clock, *, url: str, collection: str, items: int, program: str, to: Mapping[str, str]
) -> dict[str, Any]:
    """`pypgstac load items --method delsert` of a file with the same items; it reads the file and starts."""
    file, described = Path("items.ndjson"), Path("collection.ndjson")
    with file.open("w") as out:
        for at in range(0, items, PAGE_SIZE):
            asked = {"collections": [collection], "limit": PAGE_SIZE, "token": str(at)}
            page = requests.post(f"{url}/search", json=asked, timeout=60).json()
            out.writelines(json.dumps(item) + "\n" for item in page["features"])
    described.write_text(json.dumps(documents.collection(collection)) + "\n")
    with new_database(to) as database:
        environment = {**os.environ, **database, "PYTHONWARNINGS": "ignore"}

        def run(*words: str | Path) -> None:
            subprocess.run([program, *words], check=True, env=environment, stdout=subprocess.DEVNULL)

        run("migrate")
        run("load", "collections", described, "--method", "upsert")
        with clock:
            run("load", "items", file, "--method", "delsert")
        ((found,),) = _execute(database, "SELECT count(*) FROM pgstac.items")
        assert found == items, f"{found} items, expected {items}"
    return {}
