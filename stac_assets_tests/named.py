"""Loads of named catalogs, each into the dataset of its name."""

from typing import Any

from stac_assets.catalog import Catalog
from stac_assets.pipeline.load import load
from stac_assets.pipeline.load_result import LoadResult
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.windows import parse_day
from stac_assets_tests.loads import settings_for
from stac_assets_tests.stac_api import StacApi


def named(api: StacApi | str, name: str | None, **overrides: Any) -> Catalog:
    """The catalog of that name of the project in the current folder; None is the unnamed one."""
    return Catalog(settings_for(api, **overrides), name)


def load_named(
    api: StacApi | str,
    name: str | None,
    day: str = "2024-01-01",
    resource: str = "search",
    **overrides: Any,
) -> LoadResult:
    """Load a day of the collection `c1` of a named catalog."""
    catalog = named(api, name, **overrides)
    windows = tuple(catalog.settings.windows("c1", parse_day(day, "day"), parse_day(day, "day")))
    result = load(LoadRequest(ENDPOINTS[resource], windows), catalog)
    result.raise_on_failures()
    return result


def load_elsewhere(url: str, name: str) -> int:
    """Load a day of a named catalog in another process, which waits for its turn; how many items it has."""
    return load_named(url, name, lock_timeout=120).figures.items
