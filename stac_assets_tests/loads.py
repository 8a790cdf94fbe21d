"""What the tests of loads say in one line: settings for a test API, a load, the rows of a table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stac_assets.catalog import Catalog
from stac_assets.pipeline.destinations.base import Storage, storage_of
from stac_assets.pipeline.load import load
from stac_assets.pipeline.load_result import LoadResult
from stac_assets.pipeline.place import Place
from stac_assets.pipeline.target import target_of
from stac_assets.settings import Settings, read_settings
from stac_assets.source.request import LoadRequest
from stac_assets.source.rows import item_from_row
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.windows import parse_day
from stac_assets_tests.reading import DATASET, DUCKDB_FILE, Row, column_types, query, rows
from stac_assets_tests.stac_api import StacApi

__all__ = [
    "DATASET",
    "DUCKDB_FILE",
    "catalog_for",
    "column_types",
    "ids",
    "items",
    "load_catalog",
    "load_days",
    "place_for",
    "query",
    "rows",
    "settings_for",
    "storage_for",
    "without_load_id",
]

IMPATIENT: dict[str, Any] = {"backoff": 0.001, "max_backoff": 0.002, "max_retries": 1}
"""No test waits for an API: the same rules, in milliseconds."""
QUICK: dict[str, Any] = {**IMPATIENT, "lock_timeout": 0.05, "largest_whole_collection": 0}
"""Nor for those that hold a dataset. And APIs are asked by date, whatever that finds, although one of so few
items as most tests have would be read whole."""


def settings_for(api: StacApi | str, **overrides: Any) -> Settings:
    """The settings of the project in the current folder, for `api` (or a URL), without long waits."""
    url = api if isinstance(api, str) else api.url
    return read_settings(**{"base_url": url, "collections": ["c1"], **QUICK, **overrides})


def catalog_for(api: StacApi | str, **overrides: Any) -> Catalog:
    """The unnamed catalog of the project in the current folder, with `settings_for`."""
    return Catalog(settings_for(api, **overrides))


def storage_for(api: StacApi | str, **overrides: Any) -> Storage:
    """What stores into the destination of the project in the current folder."""
    return storage_of(target_of(catalog_for(api, **overrides)))


def place_for(api: StacApi | str, folder: Path) -> Place:
    """Where the dataset of the project in the current folder is; `folder` is for working files."""
    storage = storage_for(api)
    return storage.place(storage.pipeline(folder))


def load_days(
    api: StacApi | str,
    resource: str = "search",
    collections: str | Iterable[str] = "c1",
    first: str = "2024-01-01",
    last: str | None = None,
    *,
    item_ids: Iterable[str] | None = None,
    fails: bool | None = False,
    inspected: bool = False,
    **overrides: Any,
) -> LoadResult:
    """Load the partitions of some days, both included; `item_ids` are those of each partition.

    A window that fails raises, unless `fails` says that one must, or with None that one may: then the result
    tells which.
    """
    names = [collections] if isinstance(collections, str) else list(collections)
    settings = settings_for(api, collections=names, **overrides)
    days = parse_day(first, "first"), parse_day(last or first, "last")
    windows = tuple(window for name in names for window in settings.windows(name, *days))
    ids = {} if item_ids is None else dict.fromkeys(windows, tuple(item_ids))
    request = LoadRequest(ENDPOINTS[resource], windows, item_ids=ids)
    result = load(request, Catalog(settings), inspected=inspected)
    if fails:
        assert result.failed
    elif fails is False:
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
    request = LoadRequest(ENDPOINTS[resource], collections=tuple(collections))
    return load(request, catalog_for(api, **overrides), inspected=inspected)


def ids(table: str = "search", day: str | None = None) -> list[str]:
    """The ids of the rows of an item table, of one day or all; a row twice is there twice."""
    return sorted(row["id"] for row in rows(table) if day is None or row["_partition_key"].endswith(day))


def items(table: str = "search") -> dict[tuple[str, str], Row]:
    """What `item_from_row` makes of every row, by collection and id."""
    found = rows(table)
    by_id = {(row["collection"], row["id"]): item_from_row(row) for row in found}
    assert len(by_id) == len(found), "the table holds an item twice"
    return by_id


def without_load_id(found: list[Row]) -> list[Row]:
    """The rows without the column that names the load which wrote them."""
    return [{name: value for name, value in row.items() if name != "_dlt_load_id"} for row in found]
