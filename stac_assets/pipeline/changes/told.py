"""The feed of changes, as it is read for people and programs."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline
from msgspec.json import decode

from stac_assets.catalog import Catalog
from stac_assets.pipeline.changes.stored_feed import in_utc
from stac_assets.pipeline.comparison import stored_schema
from stac_assets.pipeline.destinations.base import storage_of
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import run_folder
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.target import target_of
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import PARTITION_KEY

ROWS = 10_000
"""Rows that are in memory at once."""

logger = logging.getLogger("stac_assets")


@dataclass(frozen=True)
class Change:
    """One row of the feed.

    Args:
        seen_at: when the load that found it began to store.
        change: its kind.
        resource: the table of the item.
        collection: its collection.
        id: its id.
        day: its UTC day.
        changed_members: of a changed item, the members that differ.
    """

    seen_at: datetime
    change: str
    resource: str
    collection: str
    id: str
    day: str
    changed_members: tuple[str, ...]


def read_changes(
    catalog: Catalog,
    each: Callable[[Change], None],
    *,
    since: datetime | None = None,
    collections: Sequence[str] = (),
    tell: Callable[[str], None] = logger.info,
) -> bool:
    """Read the feed of a catalog in the order of its loads.

    Args:
        catalog: whose feed.
        each: gets one row after the other. A DuckDB file is held until it has had the last.
        since: the time of the first load.
        collections: only theirs; none: all.
        tell: told in a line who is waited for.

    Returns:
        Whether there is a feed.

    Raises:
        StoreFailed: the destination failed.
    """
    target, runs = target_of(catalog), runs_folder()
    with told_plainly(target, runs), run_folder(runs) as folder:
        doing = "stac-assets changes"
        access = DatasetAccess(storage_of(target), folder, catalog.settings.lock_timeout, doing, tell)
        return bool(access.read(lambda: _read(access.pipeline, each, since, collections)))


def _read(
    pipeline: Pipeline, each: Callable[[Change], None], since: datetime | None, collections: Sequence[str]
) -> bool:
    with pipeline.destination_client() as client:
        schema = stored_schema(client)
    if schema is None or CHANGES not in schema.tables:
        return False
    if not isinstance(client, SqlJobClientBase):
        pipeline.sync_destination()  # files are found by the schema
    try:
        with pipeline.sql_client() as sql:
            table, key = sql.make_qualified_table_name(CHANGES), sql.escape_column_name(PARTITION_KEY)
            conditions, values = ["id IS NOT NULL"], list[Any]()
            if since is not None:
                conditions.append("seen_at >= %s")
                values.append(since)
            if collections:
                conditions.append(f"collection IN ({', '.join(['%s'] * len(collections))})")
                values += collections
            query = (
                f"SELECT seen_at, change, resource, collection, id, {key}, changed_members "  # noqa: S608
                f"FROM {table} WHERE {' AND '.join(conditions)} ORDER BY seen_at, resource, {key}, id"
            )
            with sql.execute_query(query, *values) as cursor:
                while rows := cursor.fetchmany(ROWS):
                    for seen_at, change, resource, collection, item_id, row_key, members in rows:
                        parsed = decode(members) if isinstance(members, str | bytes) else members
                        day = row_key.rpartition("|")[2]
                        named = resource, collection, item_id, day, tuple(parsed or ())
                        each(Change(in_utc(seen_at), change, *named))
    except DestinationUndefinedEntity:
        return False  # somebody has dropped the table
    return True
