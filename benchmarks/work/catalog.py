"""A whole catalog, each year of each collection a partition: one load of all, and a backfill."""

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import requests

from benchmarks.clock import Clock
from benchmarks.work.ours import FILE, TABLE, warm_up
from stac_assets.api import request_for
from stac_assets.catalog import Catalog
from stac_assets.definitions import build_definitions
from stac_assets.pipeline.load import load
from stac_assets.settings import Settings, read_settings
from stac_assets.stac.endpoints import SEARCH
from stac_assets_tests.many_years import END, START

IN_PLACE = """count(*) FILTER (WHERE _partition_key = collection || '|' ||
    strftime(coalesce(datetime, start_datetime) AT TIME ZONE 'UTC', '%Y-%m-%d'))"""
"""How many rows stand in the partition of their day."""
BUSY = "c004"
"""A collection with many items, to warm up with."""


def load_all(clock: Clock, *, url: str, items: int) -> dict[str, Any]:
    """Load every year of every collection into a new DuckDB file, as `stac-assets load` does."""
    warm_up(url, BUSY)
    catalog = Catalog(_settings(url, END))
    with clock:
        result = load(request_for(SEARCH, catalog), catalog, inspected=True)
    result.raise_on_failures()
    _check_table(items)
    size = catalog.settings.page_size
    pages = f"SELECT sum(ceil(n / {size})) FROM (SELECT count(*) AS n FROM {TABLE} GROUP BY collection)"
    files = (FILE, FILE.with_name(FILE.name + ".wal"))
    return {
        "fetch_seconds": result.fetch_seconds,
        "store_seconds": result.store_seconds,
        "file_bytes": sum(file.stat().st_size for file in files if file.exists()),
        "requests": _requests(url),
        "pages": float(_query(pages)[0]),
    }


def backfill(clock: Clock, *, url: str, items: int, end: str) -> dict[str, Any]:
    """Materialize each year in a run of its own for all collections, as Dagster's daemon would.

    Dagster takes the dimension that has fewer keys, here the years, and makes a range of the other for each.
    The runs are in this process, one after the other: the start of a process for each is not measured.
    """
    warm_up(url, BUSY)
    settings = _settings(url, end)
    with dg.DagsterInstance.from_config(str(Path.cwd())) as instance:
        assert not instance.is_ephemeral
        catalog = Catalog(settings)
        job = build_definitions(settings).resolve_implicit_global_asset_job_def()
        _run(job, instance, "collections")
        names = instance.get_dynamic_partitions(catalog.collection_partitions_name)
        assert len(names) > int(end[:4]) - int(START[:4]), "Dagster would make a run of each collection"
        requests.get(f"{url}/admin/reset", timeout=5)
        with clock:
            for year in range(int(START[:4]), int(end[:4]) + 1):
                first, last = (f"{name}|{year}-01-01" for name in (names[0], names[-1]))
                _run(job, instance, "search", first, last)
    _check_table(items)
    files = [file for file in Path(".dagster").rglob("*") if file.is_file()]
    return {"requests": _requests(url), "history_bytes": sum(file.stat().st_size for file in files)}


def _settings(url: str, end: str) -> Settings:
    return read_settings(base_url=url, collections="*", granularity="yearly", start_date=START, end_date=end)


def _run(
    job: dg.JobDefinition, instance: dg.DagsterInstance, asset: str, first: str = "", last: str = ""
) -> None:
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    result = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(asset)], tags=tags if first else None
    )
    assert result.success


def _requests(url: str) -> int:
    return requests.get(f"{url}/admin/counters", timeout=5).json()["requests"]


def _check_table(items: int) -> None:
    counts = _query(f"SELECT count(*), count(DISTINCT (collection, id)), {IN_PLACE} FROM {TABLE}")
    assert counts == (items, items, items), f"{counts} rows, items, rows in place; expected {items}"


def _query(sql: str) -> Any:
    with duckdb.connect(str(FILE), read_only=True) as connection:
        return connection.execute(sql).fetchone()
