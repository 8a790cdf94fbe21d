"""Changes that are older than they are to be kept: what remains of them is which items were there then."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.schema.typing import C_DLT_LOAD_ID
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.changes.stored_feed import in_utc
from stac_assets.source.changes.feed import ADDED, BASELINE, CHANGED, CHANGES, OUT_OF_SCOPE, REMOVED
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.dlt_log import first_line

if TYPE_CHECKING:  # it is imported where there are files
    import pyarrow as pa

ROWS = 100_000
"""Rows of files that are in memory at once."""
SLACK = timedelta(days=1)
"""By how much the oldest change is older before the feed is pruned, so that not each load does it."""

logger = logging.getLogger("stac_assets")


def prune(pipeline: Pipeline, days: int, now: datetime | None = None) -> None:
    """Prune the feed of a dataset, of which changes are kept for so many days.

    What is stored is stored without that, so that a failure is only warned about: the next load tries again.

    Args:
        pipeline: which has stored, and holds the dataset still.
        days: the setting `item_changes_days`.
        now: the time of the load; it is given so that tests can choose it.
    """
    cutoff = (now or datetime.now(UTC)) - timedelta(days=days)
    if CHANGES not in pipeline.default_schema.tables:
        return
    try:
        with pipeline.sql_client() as sql:
            oldest = _oldest(sql)
            if oldest is None or oldest + SLACK > cutoff:
                return
            if not isinstance(pipeline.destination_client(), SqlJobClientBase):
                from stac_assets.pipeline.destinations.filesystem.pruning import prune_files

                with pipeline.destination_client() as client:
                    prune_files(cast(Any, client), lambda: _remaining(pipeline, cutoff), cutoff)
            else:
                _prune_table(sql, cutoff)
    except (DatabaseException, DestinationUndefinedEntity) as error:
        logger.warning("old changes were not pruned (%s); the next load tries again", first_line(error))


def _oldest(sql: SqlClientBase[Any]) -> datetime | None:
    """The time of the oldest change that is more than a baseline."""
    table = sql.make_qualified_table_name(CHANGES)
    query = f"SELECT min(seen_at) FROM {table} WHERE id IS NOT NULL AND change <> '{BASELINE}'"  # noqa: S608
    ((found,),) = sql.execute_sql(query) or ((None,),)
    return None if found is None else in_utc(found)


def _prune_table(sql: SqlClientBase[Any], cutoff: datetime) -> None:
    table, key = sql.make_qualified_table_name(CHANGES), sql.escape_column_name(PARTITION_KEY)
    load_id = sql.escape_column_name(C_DLT_LOAD_ID)

    def named(row: str) -> str:
        return f"{row}resource || '|' || {row}{key} || '|' || {row}id || '|' || {row}{load_id}"

    # what each statement leaves replays as the table, so that nothing is lost between them; none has a
    # subquery in another one, or after OR, or of several columns, which one warehouse or the other refuses
    sql.execute_sql(
        f"DELETE FROM {table} WHERE id IS NOT NULL AND seen_at < %s AND {named('')} IN "  # noqa: S608
        f"(SELECT {named('older.')} FROM {table} AS older JOIN {table} AS later "
        f"ON later.resource = older.resource AND later.{key} = older.{key} AND later.id = older.id "
        "AND later.seen_at > older.seen_at WHERE later.seen_at < %s)",
        *(cutoff, cutoff),
    )
    sql.execute_sql(
        f"DELETE FROM {table} WHERE id IS NOT NULL AND seen_at < %s "  # noqa: S608
        f"AND change IN ('{REMOVED}', '{OUT_OF_SCOPE}')",
        cutoff,
    )
    sql.execute_sql(
        f"UPDATE {table} SET change = '{BASELINE}', changed_members = NULL "  # noqa: S608
        f"WHERE id IS NOT NULL AND seen_at < %s AND change IN ('{ADDED}', '{CHANGED}')",
        cutoff,
    )


def _remaining(pipeline: Pipeline, cutoff: datetime) -> Iterator[pa.Table]:
    """What the feed holds once it is pruned, where DuckDB reads files that it cannot change."""
    with pipeline.sql_client() as sql:
        table, key = sql.make_qualified_table_name(CHANGES), sql.escape_column_name(PARTITION_KEY)
        query = (
            f"SELECT resource, collection, id, {key}, seen_at, scope, {C_DLT_LOAD_ID}, "  # noqa: S608
            f"CASE WHEN is_old THEN '{BASELINE}' ELSE change END AS change, "
            "CASE WHEN is_old THEN NULL ELSE changed_members END AS changed_members FROM "
            f"(SELECT *, row_number() OVER (PARTITION BY resource, {key}, id, is_old ORDER BY seen_at DESC) "
            f"AS place FROM (SELECT *, id IS NOT NULL AND seen_at < %s AS is_old FROM {table}) AS told) "
            f"AS placed WHERE NOT is_old OR (place = 1 AND change NOT IN ('{REMOVED}', '{OUT_OF_SCOPE}'))"
        )
        with sql.execute_query(query, cutoff) as cursor:
            yield from cursor.iter_arrow(ROWS)
