"""The nine dlt resources. Each makes the tables that replace exactly what was asked for."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.extract import DltResource

from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import (
    CATALOG_COLUMNS,
    CONTRACT,
    DELETED,
    ITEM_COLUMNS,
    PARTITION_KEY,
    REJECTED,
    REJECTED_COLUMNS,
    rejected_key,
)
from stac_assets.source.delivery import Delivery
from stac_assets.source.dialects import Dialect
from stac_assets.source.fetch import Fetched
from stac_assets.source.hints import without_rows
from stac_assets.source.rejects import tables_of
from stac_assets.source.running import (
    held_keys,
    loadable_formats,
    refuse_appending,
    restored_schema,
    running_dialect,
)
from stac_assets.stac.endpoints import Replaces
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window

MERGE = {"disposition": "merge", "strategy": "delete-insert"}
REPLACING: Mapping[Replaces, dict[str, Any]] = {
    Replaces.TABLE: {"write_disposition": "replace"},
    Replaces.COLLECTION: {"write_disposition": MERGE, "merge_key": "id"},
    Replaces.DAY: {"write_disposition": MERGE, "merge_key": PARTITION_KEY},
    # both keys together would make dlt join with OR, which is three orders of magnitude slower
    Replaces.ITEM: {"write_disposition": MERGE, "primary_key": ("collection", "id")},
}
"""How dlt replaces each unit."""
TOMBSTONE_COLUMNS = {name: ITEM_COLUMNS[name] for name in ("id", "collection", PARTITION_KEY, DELETED)}
"""What a row has that only says what to delete."""


def build_resource(delivery: Delivery) -> DltResource:
    """The dlt resource of one endpoint. Building it does nothing; reading it opens the delivery."""
    endpoint = delivery.endpoint
    form: dict[str, Any] = {"table_format": delivery.form.table_format}
    resource = dlt.resource(
        lambda: _item_tables(delivery) if endpoint.has_items else _catalog_table(delivery),
        name=endpoint.name,
        columns=ITEM_COLUMNS if endpoint.has_items else CATALOG_COLUMNS[endpoint.name],
        schema_contract=CONTRACT,
        max_table_nesting=0,
        **REPLACING[endpoint.replaces],
        **form,
    )
    return _with_rejected_items(resource, form) if endpoint.has_items else resource


def build_changes(delivery: Delivery) -> DltResource:
    """The dlt resource of the feed of changes, whose rows are added to those that are there."""
    changes = delivery.changes
    assert changes is not None

    def tables() -> Iterator[Any]:
        dialect = running_dialect()
        if delivery.stores_changes:
            yield from without_rows(changes.columns, dialect)
            return
        from stac_assets.source.emitters import emit, gathered

        for table in gathered(changes.rows()):
            yield from emit(table, changes.columns, dialect, loadable_formats())

    return dlt.resource(
        tables,
        name=CHANGES,
        columns=dict(changes.columns),
        schema_contract=CONTRACT,
        max_table_nesting=0,
        write_disposition="append",
        table_format=delivery.form.table_format,  # type: ignore[arg-type]
    )


def _with_rejected_items(resource: DltResource, form: dict[str, Any]) -> DltResource:
    """`resource` with the hints of a second table, which it fills too."""
    # a variant begins with the columns of the resource, and only an empty dict takes them away
    resource.apply_hints(table_name=REJECTED, columns={}, create_table_variant=True)
    return resource.apply_hints(
        table_name=REJECTED,
        write_disposition=MERGE,  # type: ignore[arg-type]
        merge_key=PARTITION_KEY,
        primary_key="",
        columns=REJECTED_COLUMNS,
        schema_contract=CONTRACT,
        create_table_variant=True,
        **form,
    )


def _catalog_table(delivery: Delivery) -> Iterator[Any]:
    from stac_assets.source.emitters import emit, table_of

    refuse_appending()
    columns, dialect = CATALOG_COLUMNS[delivery.endpoint.name], running_dialect()
    with delivery.opened(dialect) as fetched:
        yield from emit(table_of(fetched.rows, columns), columns, dialect, loadable_formats())


def _item_tables(delivery: Delivery) -> Iterator[Any]:
    refuse_appending()
    schema, dialect = restored_schema(), running_dialect()
    stored = schema.tables.get(delivery.endpoint.name, {}).get("columns", {})
    with delivery.opened(dialect) as fetched:
        _refuse_samples(fetched, schema)
        normalize = schema.naming.normalize_identifier
        delivery.settle(stored, normalize, dialect.most_columns, dialect.row_bytes)
        if delivery.takes_rows:
            yield from without_rows(delivery.columns, dialect)
        else:
            yield from _emitted(delivery, schema, dialect)
        yield from _rejected_tables(delivery, schema, dialect)


def _emitted(delivery: Delivery, schema: Schema, dialect: Dialect) -> Iterator[Any]:
    """The rows that replace, and the tombstones of those that go."""
    from stac_assets.source.emitters import emit, gathered, table_of

    gone = table_of(_tombstones(delivery, schema), TOMBSTONE_COLUMNS)
    rows = gathered(delivery.rows())
    first = next(rows, None)
    # dlt makes the table, with all its columns, even of one without rows
    tables = [] if first is not None and not gone.num_rows else [gone]
    for table in chain(tables, () if first is None else (first,), rows):
        yield from emit(table, delivery.columns, dialect, loadable_formats())


def _refuse_samples(fetched: Fetched, schema: Schema) -> None:
    """A sample (`max_items`) may fill an empty partition, never replace rows by fewer."""
    table = fetched.request.endpoint.name
    samples = [each.window for each in fetched.complete_windows if not each.figures.complete]
    keys = held_keys(table, Owners(samples), schema) if samples else []
    if keys:
        raise ConfigurationError(
            f"max_items gives a sample, and {table} already has rows in {keys[0]}; a "
            "sample would take rows away. Leave max_items out, or load the sample into another `dataset_name`"
        )


def _tombstones(delivery: Delivery, schema: Schema) -> list[dict[str, Any]]:
    """Rows that name what is deleted: the days of the windows that the table has rows of, or items.

    The days of the new rows are deleted without: they name them.
    """
    fetched = delivery.fetched
    if delivery.endpoint.looks_up_items:
        return [
            _tombstone(window.window.key, window.window, item_id)
            for window in fetched.complete_windows
            for item_id in window.deleted
        ]
    owners = delivery.owners
    return [_tombstone(key, owners.of(key)) for key in held_keys(delivery.endpoint.name, owners, schema)]


def _tombstone(key: str, window: Window | None, item_id: str = "") -> dict[str, Any]:
    collection = window.collection if window else ""
    return {"id": item_id, "collection": collection, PARTITION_KEY: key, DELETED: True}


def _rejected_tables(delivery: Delivery, schema: Schema, dialect: Dialect) -> Iterator[Any]:
    """The rows of `rejected_items` for the same days. The table is made with the first document for it."""
    table, windows = delivery.endpoint.name, delivery.windows
    if not any(window.spool.rejected for window in windows) and REJECTED not in schema.tables:
        return
    owners = Owners((window.window for window in windows), rejected_key(table, ""))
    gone = [
        {
            "resource": table,
            "collection": window.collection if (window := owners.of(key)) else "",
            PARTITION_KEY: key,
            DELETED: True,
        }
        for key in held_keys(REJECTED, owners, schema)
    ]
    if not gone and not any(window.spool.rejected for window in windows):
        return
    from stac_assets.source.emitters import emit_variant, table_of

    if delivery.taken(REJECTED) is not None:  # the load job asks what goes; dlt's file is what makes it run
        marker = {"resource": table, "collection": "", PARTITION_KEY: "", DELETED: True}
        yield emit_variant(table_of([marker], REJECTED_COLUMNS), REJECTED, dialect)
        return
    rejected = tables_of(window.spool.rejected for window in windows)
    for table in chain([table_of(gone, REJECTED_COLUMNS)] if gone else (), rejected):
        yield emit_variant(table, REJECTED, dialect)
