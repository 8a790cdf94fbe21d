"""What somebody has dropped from a dataset by hand is made again, by dlt, before a load stores there."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.schema import Schema
from dlt.common.schema.typing import C_DLT_LOAD_ID, TColumnSchema
from dlt.common.schema.utils import new_table
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.comparison import NAMES_OF_TYPES, Comparison, Types, compare, stored_schema
from stac_assets.pipeline.errors import StoreFailed
from stac_assets.source.changes.feed import CHANGES, CHANGES_COLUMNS
from stac_assets.source.columns import (
    CATALOG_COLUMNS,
    FINGERPRINT,
    ITEM_COLUMNS,
    ITEM_TABLES,
    PARTITION_KEY,
    PROPERTY_HINT,
    REJECTED,
    REJECTED_COLUMNS,
    SOMEBODY,
)
from stac_assets.source.hints import LOAD_ID
from stac_assets.source.resources import REPLACING
from stac_assets.stac.endpoints import ENDPOINTS, Endpoint
from stac_assets.stac.wording import counted

OTHER_COLUMNS = {REJECTED: REJECTED_COLUMNS, CHANGES: CHANGES_COLUMNS}
KEY_OF_TIMES = ("collection", "datetime", "start_datetime")
"""The columns that tell the partition key of an item's row."""

logger = logging.getLogger("stac_assets")


def mended(pipeline: Pipeline, endpoint: Endpoint, empty: Schema) -> tuple[Schema | None, Types]:
    """The schema that the destination remembers, all of whose tables are there, as far as a load needs them.

    With it come the types of the columns that the endpoint's table had already.

    Args:
        pipeline: which stores, and holds the dataset.
        endpoint: whose rows it stores.
        empty: the schema of a load that finds nothing.

    Raises:
        StoreFailed: what somebody has done by hand cannot be undone; the message says what to do.
    """
    with pipeline.destination_client() as client:
        found = compare(client, endpoint)
        types = found.there.get(endpoint.name, {})
        if found.schema is None:
            return _remembered_again(found, empty), types
        client.schema = found.schema
        told = [_told(name, columns, name in found.there) for name, columns in found.missing.items()]
        if found.missing:
            _make(client, endpoint, found)
        told += _staged_anew(client, found)
    if told:
        _tell(told)
    return found.schema, types


def _tell(told: Iterable[str]) -> None:
    logger.warning("what somebody has dropped from the dataset is made again: %s", "; ".join(told))


def _told(table: str, columns: list[TColumnSchema], is_there: bool) -> str:
    if not is_there:
        has_rows = table in ENDPOINTS or table in OTHER_COLUMNS
        return f"the table {table}" + (", without the rows of earlier loads" if has_rows else "")
    names = ", ".join(str(column.get("name")) for column in columns)
    return f"{counted(len(columns), 'column')} of {table} ({names}), empty in rows of earlier loads"


# Tables and columns -------------------------------------------------------------------------------


def _make(client: Any, endpoint: Endpoint, found: Comparison) -> None:
    """Let dlt make what is missing. It would give a table with rows no column that must have a value."""
    for name, columns in found.missing.items():
        if name in found.there:
            for column in columns:
                if column.get("nullable") is False or column.get("name") in _keys(name, endpoint):
                    _add(client, name, column, endpoint, found.there[name])
    client.initialize_storage()
    client.update_stored_schema(only_tables=list(found.missing), force=True)
    for name in found.missing:
        if FINGERPRINT in found.there.get(name, {}):  # so that loads to come fill the columns
            _store_anew(client, name)
    if CHANGES in found.missing and CHANGES not in found.there:
        _forget_changes(client)


def _forget_changes(client: Any) -> None:
    """Let the next loads tell a baseline of all rows, of which no feed tells any more."""
    for name in ITEM_TABLES:
        if FINGERPRINT in client.schema.tables.get(name, {}).get("columns", {}):
            with suppress(DestinationUndefinedEntity):  # that table is dropped too
                _store_anew(client, name)


def _store_anew(client: Any, name: str) -> None:
    """Let loads to come store all rows of a table, as if they had another fingerprint."""
    table = client.sql_client.make_qualified_table_name(name)
    client.sql_client.execute_sql(f"UPDATE {table} SET {FINGERPRINT} = NULL")  # noqa: S608


def _keys(table: str, endpoint: Endpoint) -> tuple[str, ...]:
    """The columns by which a load finds the rows that it replaces."""
    if table != endpoint.name:
        return (PARTITION_KEY,)
    hints = REPLACING[endpoint.replaces]
    keys = (hints.get("merge_key", ()), hints.get("primary_key", ()))
    return tuple(name for some in keys for name in ((some,) if isinstance(some, str) else some))


def _add(client: Any, name: str, column: TColumnSchema, endpoint: Endpoint, there: Types) -> None:
    """Add a column that rows need, with its values where the others tell them."""
    sql = client.sql_client
    table, key = sql.make_qualified_table_name(name), sql.escape_column_name(str(column.get("name")))
    is_key = column.get("name") in _keys(name, endpoint)
    is_told = name in ITEM_TABLES and column.get("name") == PARTITION_KEY and {*KEY_OF_TIMES} <= {*there}
    has_rows = bool(sql.execute_sql(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608
    if has_rows and is_key and not is_told:
        raise StoreFailed(
            f"the table {name} lacks its column {column.get('name')}, by which a load finds the rows that it "
            f"replaces. Make the column again with its values, or drop the table and load it again: "
            f"DROP TABLE {table}. Nothing was stored"
        )
    made = client.type_mapper.to_destination_type(column, client.prepare_load_table(name))
    with client.maybe_ddl_transaction():
        sql.execute_sql(f"ALTER TABLE {table} ADD COLUMN {key} {made}")
        if has_rows and is_told:
            collection, start, other = map(sql.escape_column_name, KEY_OF_TIMES)
            day = f"CAST(coalesce({start}, {other}) AT TIME ZONE 'UTC' AS date)"
            sql.execute_sql(f"UPDATE {table} SET {key} = {collection} || '|' || CAST({day} AS varchar)")  # noqa: S608


# Staging ------------------------------------------------------------------------------------------


def _staged_anew(client: Any, found: Comparison) -> list[str]:
    """Let dlt make staging tables that are not like their tables, or gone: those hold nothing to keep.

    dlt makes them once it has forgotten that it did.
    """
    assert found.schema is not None
    version = found.schema.version_table_name
    tables = [name for name in found.remembered if name in found.needed]
    staged = [name for name in tables if client.should_load_data_to_staging_dataset(name)]
    damaged = [name for name in found.unstaged if name in staged]
    gone = [name for name in staged if name not in found.staged]
    if version not in found.staged or not (damaged or gone):
        return []
    with client.with_staging_dataset():
        made = stored_schema(client)
        client.drop_tables(*damaged, delete_schema=True)
    known = made.tables if made else {}
    return [f"the staging table of {name}" for name in (*damaged, *gone) if name in known]


# The schema ---------------------------------------------------------------------------------------


def _remembered_again(found: Comparison, empty: Schema) -> Schema | None:
    """The schema that tables tell which dlt does not remember; None where there are none.

    Which property a column is of can be told by its name alone.
    """
    if not found.there:
        return None
    schema = empty.clone()
    for name, types in found.there.items():
        columns = list(_columns(name, types))
        schema.update_table({**new_table(name, columns=columns), "x-normalizer": {"seen-data": True}})
    _tell([f"dlt's record of the tables {', '.join(found.there)}"])
    return schema


def _columns(name: str, types: Types) -> Iterable[TColumnSchema]:
    described: Mapping[str, TColumnSchema] = {
        **(ITEM_COLUMNS if name in ITEM_TABLES else CATALOG_COLUMNS.get(name) or OTHER_COLUMNS[name]),
        C_DLT_LOAD_ID: LOAD_ID,
    }
    for column, found in types.items():
        if column in described:
            yield described[column]
            continue
        for data_type, names in NAMES_OF_TYPES.items():
            if found.lower() in names and name in ITEM_TABLES:
                promoted = TColumnSchema(name=column, data_type=data_type, nullable=True)  # type: ignore[typeddict-item]
                yield {**promoted, PROPERTY_HINT: SOMEBODY}  # type: ignore[misc]
