"""What the tests of loads say in one line: settings for a test API, a load, the rows of a table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from stac_assets.pipeline.load import LoadResult, load
from stac_assets.settings import Settings, read_settings
from stac_assets.source.jobs import Job
from stac_assets.source.rows import item_from_row
from stac_assets.stac.windows import parse_day
from stac_assets_tests.stac_api import StacApi

DUCKDB_FILE = Path("pystac_client.duckdb")
DATASET = "pystac_client_data"
QUICK = {"backoff": 0.001, "max_backoff": 0.002, "max_retries": 1, "lock_timeout": 0.05}
"""No test waits: the same rules, in milliseconds."""

Row = dict[str, Any]


def settings_for(api: StacApi | str, **overrides: Any) -> Settings:
    """The settings of the project in the current folder, for `api` (or a URL), without long waits."""
    url = api if isinstance(api, str) else api.url
    return read_settings(**{"base_url": url, "collections": ["c1"], **QUICK, **overrides})


def load_days(
    api: StacApi | str,
    resource: str = "search",
    collections: str | Iterable[str] = "c1",
    first: str = "2024-01-01",
    last: str | None = None,
    *,
    item_ids: Iterable[str] | None = None,
    fails: bool = False,
    inspected: bool = False,
    **overrides: Any,
) -> LoadResult:
    """Load the partitions of some days, both included; `item_ids` are those of each partition.

    A window that fails raises, unless `fails` says that one must: then the result tells which.
    """
    names = [collections] if isinstance(collections, str) else list(collections)
    settings = settings_for(api, collections=names, **overrides)
    days = parse_day(first, "first"), parse_day(last or first, "last")
    windows = tuple(window for name in names for window in settings.windows(name, *days))
    ids = {} if item_ids is None else dict.fromkeys(windows, tuple(item_ids))
    result = load(Job(resource, windows, item_ids=ids), settings, inspected=inspected)
    if fails:
        assert result.failed
    else:
        result.raise_on_failures()
    return result


def load_catalog(
    api: StacApi | str,
    resource: str,
    collections: Iterable[str] = (),
    inspected: bool = False,
    **overrides: Any,
) -> LoadResult:
    """Load one of the tables that describe the API and its collections."""
    job = Job(resource, collections=tuple(collections))
    return load(job, settings_for(api, **overrides), inspected=inspected)


def query(sql: str, file: Path = DUCKDB_FILE) -> list[Row]:
    """The rows of a query, as dicts."""
    with duckdb.connect(str(file), read_only=True) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rows(table: str = "search", file: Path = DUCKDB_FILE) -> list[Row]:
    """Every row of a table, in the order of all its columns."""
    return query(f'SELECT * FROM {DATASET}."{table}" ORDER BY ALL', file)


def ids(table: str = "search", day: str | None = None) -> list[str]:
    """The ids of the rows of an item table, of one day or all; a row twice is there twice."""
    return sorted(row["id"] for row in rows(table) if day is None or row["_partition_key"].endswith(day))


def items(table: str = "search") -> dict[tuple[str, str], Row]:
    """What `item_from_row` makes of every row, by collection and id."""
    found = rows(table)
    by_id = {(row["collection"], row["id"]): item_from_row(row) for row in found}
    assert len(by_id) == len(found), "the table holds an item twice"
    return by_id


def column_types(table: str = "search") -> dict[str, str]:
    """DuckDB's type of each column of a table."""
    described = query(f'DESCRIBE {DATASET}."{table}"')
    return {row["column_name"]: row["column_type"] for row in described}


def without_load_id(found: list[Row]) -> list[Row]:
    """The rows without the column that names the load which wrote them."""
    return [{name: value for name, value in row.items() if name != "_dlt_load_id"} for row in found]
