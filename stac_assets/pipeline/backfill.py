"""Fills the column `geom` of rows that were stored before there was one."""

from collections.abc import Callable, Mapping
from typing import Any

from dlt.common.schema import Schema
from dlt.common.schema.utils import has_table_seen_data

from stac_assets.catalog import Catalog
from stac_assets.pipeline.comparison import stored_schema
from stac_assets.pipeline.destinations.base import Filled, storage_of
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import publish, run_folder
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.target import target_of
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.source.geometry_column import COLUMN, GEOM, HINT
from stac_assets.stac.errors import ConfigurationError


def backfill_geometry(catalog: Catalog, tell: Callable[[str], None]) -> Mapping[str, Filled]:
    """Derive the geometries that rows of the item tables lack; nothing is asked of the API.

    What is there stays: a run that was interrupted goes on where it was.

    Args:
        catalog: whose tables are filled.
        tell: told in a line who is waited for.

    Returns:
        What was done, by table; nothing where the dataset has no item table.

    Raises:
        ConfigurationError: this destination has no such column, or the settings want none.
        StoreFailed: the destination failed.
    """
    if catalog.settings.geometry == "none":
        raise ConfigurationError("geometry is none, so there is no column to fill. Nothing was changed")
    target, runs = target_of(catalog), runs_folder()
    with told_plainly(target, runs), run_folder(runs) as folder:
        storage = storage_of(target)
        doing = "stac-assets backfill-geometry"
        access = DatasetAccess(storage, folder / "check", catalog.settings.lock_timeout, doing, tell)
        if access.read(lambda: True) is None:
            return {}
        with access.held() as hold:
            with access.pipeline.destination_client() as client:
                storage.check_rights(client)
            if not storage.form(access.pipeline, folder).dimensions:
                raise ConfigurationError(
                    f"{target.describe()} has no column {GEOM} to fill: docs/query.md says where there is "
                    "one. Nothing was changed"
                )
            with storage.storing(access.place, folder / "pipelines", hold) as pipeline:
                with pipeline.destination_client() as client:
                    found = {table: storage.fill_geometries(client, table) for table in _with_column(client)}
                pipeline.sync_destination()
                publish(pipeline, target.published_folders())
    return found


def _with_column(client: Any) -> list[str]:
    """The item tables that are there. Those that lack the column get it, as dlt adds any."""
    schema = stored_schema(client)
    if schema is None:
        return []
    known = schema.tables
    tables = [name for name in ITEM_TABLES if name in known and has_table_seen_data(known[name])]
    lacking = [name for name in tables if GEOM not in schema.get_table_columns(name)]
    for name in lacking:
        schema.update_table({"name": name, "columns": {GEOM: COLUMN}})
    client.schema = Schema.from_dict(dict(schema.to_dict()))  # which makes a new version of it, if need be
    if lacking:
        client.update_stored_schema(only_tables=lacking)
    return [name for name in tables if name in lacking or schema.get_table_columns(name)[GEOM].get(HINT)]
