"""A load in one call of Python: what `stac-assets load` does, for a script or a notebook."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from stac_assets.catalog import Catalog, read_catalog
from stac_assets.pipeline.load import load as load_request
from stac_assets.pipeline.load_result import LoadResult
from stac_assets.pipeline.queries import stored_ids
from stac_assets.source.request import LoadRequest, whole_request
from stac_assets.stac.endpoints import ENDPOINTS, SEARCH, Endpoint
from stac_assets.stac.errors import ConfigurationError


def load(
    resource: str = "search",
    *,
    collections: Iterable[str] | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    ids: Iterable[str] = (),
    catalog: str | None = None,
    **settings: Any,
) -> LoadResult:
    """Make a table hold exactly what the API holds now, for some collections and days.

    Args:
        resource: the endpoint, which is the table: `search`, `collections`, `item`, and so on.
        collections: ids, or `"*"` for all that the API lists; by default the configured ones.
        start: first UTC day, a date or `YYYY-MM-DD`; by default the configured one.
        end: last UTC day, included; by default the configured one, or else today.
        ids: of the items that `item` refreshes; by default those that the table `search` holds.
        catalog: the name of a configured catalog, or of a new one whose `base_url` is given; it may be left
            out where there is only one.
        settings: any other setting by name (`stac_assets.settings.Settings`), before what is configured.

    Returns:
        What was loaded: `figures`, the stored `windows`, `location`.

    Raises:
        ConfigurationError: a setting does not exist or cannot be used, there is nothing to load, or there is
            no such catalog.
        WindowsFailed: some partitions are as they were before, the others are stored.
        StoreFailed: the disk or the destination failed.
        StacError: the API failed, and nothing was stored.

    Example:
        >>> from stac_assets import load
        >>> load("search", start="2024-01-01", end="2024-01-07").figures.items  # doctest: +SKIP
    """
    if resource not in ENDPOINTS:
        raise ConfigurationError(f"resource is {resource!r}; expected one of {', '.join(ENDPOINTS)}")
    read = read_catalog(catalog, collections=collections, start_date=start, end_date=end, **settings)
    result = load_request(request_for(ENDPOINTS[resource], read, tuple(ids)), read)
    result.raise_on_failures()
    return result


def request_for(endpoint: Endpoint, catalog: Catalog, ids: tuple[str, ...] = ()) -> LoadRequest:
    """What to load of an endpoint: all that the settings say of it.

    Args:
        endpoint: what is asked.
        catalog: the API and its settings.
        ids: of the items to look up one by one, where it does so; without any, those that `search` holds.

    Raises:
        ConfigurationError: there is nothing to load.
        StacError: the API, asked for its collections, failed.
    """
    settings = catalog.settings
    if endpoint.looks_up_items and not ids:
        stored = stored_ids(catalog, whole_request(SEARCH, settings).windows)
        found = {window: held for window, held in stored.items() if held}
        if not found:
            raise ConfigurationError(
                "the table `search` holds no item of these collections and days whose document could be "
                "refreshed; load `search` first, or name items with --id (`ids=` in Python)"
            )
        return LoadRequest(endpoint, tuple(found), item_ids=found)
    request = whole_request(endpoint, settings, ids)
    if endpoint.has_items and not request.windows:
        raise ConfigurationError(
            f"there is no day from {settings.start_date} to today; give --end or an earlier --start "
            "(`end=` or `start=` in Python)"
        )
    return request
