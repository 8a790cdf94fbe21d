"""Loads of stac-assets into DuckDB, without Dagster."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import requests
from dlt.common.runtime.run_context import switch_context

from benchmarks.clock import Clock
from stac_assets.catalog import Catalog
from stac_assets.pipeline.load import load
from stac_assets.pipeline.load_result import LoadResult
from stac_assets.settings import Settings, read_settings
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.windows import parse_day

FILE = Path("pystac_client.duckdb")
TABLE = "pystac_client_data.search"
IN_PLACE = """count(*) FILTER (
    WHERE _partition_key = collection || '|' || strftime(datetime AT TIME ZONE 'UTC', '%Y-%m-%d')
)"""
"""How many rows stand in the partition of their day."""


def load_days(
    clock: Clock, *, url: str, collection: str, last_day: str, items: int, **settings: Any
) -> dict[str, Any]:
    """Load every daily partition of a collection into a new DuckDB file.

    Args:
        clock: measures the load.
        url: the API.
        collection: what is loaded.
        last_day: `YYYY-MM-DD`; the first is that of the settings.
        items: how many there must be.
        settings: of the load, beside the API and the collection.
    """
    warm_up(url, collection)
    chosen = read_settings(base_url=url, collections=[collection], **settings)
    with clock:
        result = load_range(chosen, parse_day(last_day, "last_day"))
    check_table(items)
    files = (FILE, FILE.with_name(FILE.name + ".wal"))
    return {
        "cpu_seconds": clock.cpu_seconds,
        "fetch_seconds": result.fetch_seconds,
        "store_seconds": result.store_seconds,
        "file_bytes": sum(file.stat().st_size for file in files if file.exists()),
    }


def warm_up(url: str, collection: str) -> None:
    """Load five items in another project folder, so that everything that a load imports is imported.

    The server then counts anew.
    """
    with _another_project(Path("..") / "warm-up"):
        settings = read_settings(base_url=url, collections=[collection], max_items=5)
        load_range(settings, settings.start_date)
    requests.get(f"{url}/admin/reset", timeout=5)


@contextmanager
def _another_project(folder: Path) -> Iterator[None]:
    here = Path.cwd()
    shutil.copytree(".dlt", folder / ".dlt")
    try:
        _enter(folder)
        yield
    finally:
        _enter(here)


def _enter(folder: Path) -> None:
    """Go to a project folder, whose configuration dlt then reads."""
    os.chdir(folder)
    switch_context(".")


def load_range(
    settings: Settings, last: date, first: date | None = None, *, inspected: bool = True
) -> LoadResult:
    """Load the partitions of some days, both included, and count what asset checks judge, or not."""
    (collection,) = settings.named_collections
    request = LoadRequest(SEARCH, tuple(settings.windows(collection, first, last)))
    result = load(request, Catalog(settings), inspected=inspected)
    result.raise_on_failures()
    return result


def anew(settings: Settings) -> Settings:
    """Settings that make the same rows, as if in another way, so that what is stored is stored again."""
    every = () if settings.promote_properties == ("*",) else ("*",)
    return settings.model_copy(update={"promote_properties": every or "all"})


def check_table(items: int) -> None:
    """Assert that the table holds so many items, each once, each in the partition of its day."""
    with duckdb.connect(str(FILE), read_only=True) as connection:
        counts = connection.execute(
            f"SELECT count(*), count(DISTINCT id), {IN_PLACE} FROM {TABLE}"
        ).fetchone()
    assert counts == (items, items, items), f"{counts} rows, ids, rows in place; expected {items}"
