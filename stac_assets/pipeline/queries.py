"""Queries of the tables that earlier loads have stored, and of where they are."""

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.pipeline import Pipeline

from stac_assets.catalog import Catalog
from stac_assets.pipeline.destinations.base import storage_of
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import run_folder
from stac_assets.pipeline.place import Place, runs_folder
from stac_assets.pipeline.target import target_of
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.running import conditions
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window

Ids = dict[Window, tuple[str, ...]]

logger = logging.getLogger("stac_assets")


def stored_ids(
    catalog: Catalog,
    windows: Iterable[Window],
    *,
    doing: str | None = None,
    tell: Callable[[str], None] = logger.info,
) -> Ids:
    """Ids of the items that the table `search` holds for each window, in their order.

    All windows of a collection are asked for at once.

    Args:
        catalog: whose table; of each window at most `item_limit` ids are taken.
        windows: the partitions.
        doing: what this is called by those that wait for it.
        tell: told in a line who is waited for.

    Returns:
        The ids of every window, none where the table holds nothing of it.

    Raises:
        StoreFailed: the destination failed.
    """
    target, settings, runs = target_of(catalog), catalog.settings, runs_folder()
    asked: Ids = dict.fromkeys(windows, ())
    with told_plainly(target, runs), run_folder(runs) as folder:
        access = DatasetAccess(storage_of(target), folder, settings.lock_timeout, doing, tell)
        found = access.read(lambda: _read_ids(access.pipeline, asked, settings.item_limit))
    return {**asked, **(found or {})}


def place_of(catalog: Catalog) -> Place:
    """Where the dataset of a catalog is. dlt resolves its credentials for that, which takes a while.

    Raises:
        ConfigurationError: dlt lacks something of the destination's configuration.
    """
    target, runs = target_of(catalog), runs_folder()
    with told_plainly(target, runs), run_folder(runs) as folder:
        storage = storage_of(target)
        return storage.place(storage.pipeline(Path(folder)))


def _read_ids(pipeline: Pipeline, windows: Iterable[Window], limit: int) -> Ids:
    pipeline.sync_destination()
    if not pipeline.default_schema_name or SEARCH.name not in pipeline.default_schema.tables:
        return {}
    found: dict[Window, list[str]] = {}
    try:
        for window, identifier in _query_ids(pipeline, Owners(windows), limit):
            if len(ids := found.setdefault(window, [])) < limit:
                ids.append(identifier)
    except DestinationUndefinedEntity:
        return {}  # somebody has dropped the table
    return {window: tuple(ids) for window, ids in found.items()}


def _query_ids(pipeline: Pipeline, owners: Owners, limit: int) -> Iterator[tuple[Window, str]]:
    """Window and id of the first items of each day, in the order of the ids."""
    with pipeline.sql_client() as client:
        table, key = client.make_qualified_table_name(SEARCH.name), client.escape_column_name(PARTITION_KEY)
        for condition, values, some in conditions(key, owners):
            rows = client.execute_sql(
                f"SELECT {key}, id FROM (SELECT {key}, id, row_number() OVER "  # noqa: S608
                f"(PARTITION BY {key} ORDER BY id) AS place FROM {table} WHERE {condition}) "
                f"AS placed WHERE place <= {int(limit)} ORDER BY id",
                *values,
            )
            for row_key, identifier in rows or ():
                if window := some.of(row_key):
                    yield window, identifier
