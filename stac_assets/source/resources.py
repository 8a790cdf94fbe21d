"""The nine dlt resources: each turns what was fetched into tables that replace exactly what was asked for."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.common.schema.typing import TColumnSchema
from dlt.extract import DltResource

from stac_assets.source.columns import (
    CATALOG_COLUMNS,
    CONTRACT,
    DELETED,
    ITEM_COLUMNS,
    ITEM_TABLES,
    PARTITION_KEY,
    REJECTED,
    REJECTED_COLUMNS,
    type_of,
)
from stac_assets.source.delivery import Handover, Rows
from stac_assets.source.emitters import emit, emit_variant
from stac_assets.source.fetch import Fetched
from stac_assets.source.limits import MOST_COLUMNS
from stac_assets.source.promotion import Promotion, settle
from stac_assets.source.running import (
    count_rows,
    destination_type,
    loadable_formats,
    refuse_appending,
    restored_schema,
    running_pipeline,
)
from stac_assets.source.spool import core_array, read_tables
from stac_assets.stac.errors import ConfigurationError, StacError
from stac_assets.stac.windows import Window

MERGE = {"disposition": "merge", "strategy": "delete-insert"}
TABLE_BYTES = 128 * 1024 * 1024
"""Arrow memory that one table handed to dlt may take."""


class _JsonInText(logging.Filter):
    """Drops dlt's warning that a JSON column comes as an Arrow string, which is just what we want."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "when merging arrow schema with dlt schema" not in str(record.msg)


logging.getLogger("dlt").addFilter(_JsonInText())

Obtain = Callable[[], AbstractContextManager[Fetched]]
"""Fetches, or hands over what was fetched before; its files last as long as the context."""

Settled = Callable[[Fetched, Promotion], None]
"""Told which columns were promoted and what did not fit, once all rows are handed to dlt."""


def build_resource(
    name: str,
    obtain: Obtain,
    promote: str | tuple[str, ...],
    settled: Settled | None = None,
    handover: Handover | None = None,
) -> DltResource:
    """The dlt resource of one endpoint. Building it does nothing; reading it calls `obtain`.

    With a `handover` the rows of the tables that are replaced by day go there, and not through dlt's files.
    """
    form: dict[str, Any] = {"table_format": handover.table_format} if handover else {}
    if name in ITEM_TABLES:
        key: dict[str, Any] = (
            # the replaced unit is the item; elsewhere it is the day, and both keys together
            # would make dlt join with OR, which is three orders of magnitude slower
            {"primary_key": ("collection", "id")} if name == "item" else {"merge_key": PARTITION_KEY}
        )
        return _with_rejected_items(
            dlt.resource(
                lambda: _item_tables(name, obtain, promote, settled, handover),
                name=name,
                write_disposition=MERGE,  # type: ignore[arg-type]
                columns=ITEM_COLUMNS,
                schema_contract=CONTRACT,
                max_table_nesting=0,
                **key,
                **form,
            ),
            form,
        )
    replaced: dict[str, Any] = (
        {"write_disposition": MERGE, "merge_key": "id"}
        if name == "collection"
        else {"write_disposition": "replace"}
    )
    return dlt.resource(
        lambda: _catalog_table(name, obtain),
        name=name,
        columns=CATALOG_COLUMNS[name],
        schema_contract=CONTRACT,
        max_table_nesting=0,
        **replaced,
        **form,
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


def _catalog_table(name: str, obtain: Obtain) -> Iterator[Any]:
    refuse_appending()
    columns = CATALOG_COLUMNS[name]
    with obtain() as fetched:
        yield from emit(_table(fetched.rows, columns), columns, destination_type(), loadable_formats())


def _item_tables(
    name: str,
    obtain: Obtain,
    promote: str | tuple[str, ...],
    settled: Settled | None,
    handover: Handover | None,
) -> Iterator[Any]:
    refuse_appending()
    schema, destination = restored_schema(), destination_type()
    stored = schema.tables.get(name, {}).get("columns", {})
    with obtain() as fetched:
        _refuse_samples(name, fetched, stored)
        files = [file for window in fetched.complete_windows for file in window.spool.files]
        reserved = handover.reserved if handover else frozenset()
        most = MOST_COLUMNS.get(destination.rpartition(".")[2])
        promotion = settle(stored, files, schema.naming.normalize_identifier, promote, reserved, most)
        columns = {str(c.get("name")): c for c in (*ITEM_COLUMNS.values(), *promotion.columns.values())}
        schema_of_rows = promotion.schema()

        def rows() -> Iterator[pa.Table]:
            promotion.misfits.clear()
            for file, table in read_tables(files):
                yield promotion.apply(file, table)
            if settled is not None:
                settled(fetched, promotion)

        if handover is not None and name != "item":
            handover.tables[name] = Rows(
                schema_of_rows,
                rows,
                max((file.bytes // file.rows for file in files), default=0),
            )
            tables = _tombstones(name, fetched, schema_of_rows)
        else:
            tables = _gathered(chain(_tombstones(name, fetched, schema_of_rows), rows()))
        for table in tables:
            yield from emit(table, columns, destination, loadable_formats())
        yield from _rejected_tables(name, fetched, schema, destination)


def _refuse_samples(name: str, fetched: Fetched, stored: Mapping[str, Any]) -> None:
    """A sample (`max_items`) may fill an empty partition, never replace rows by fewer."""
    keys = [
        key
        for window in fetched.complete_windows
        if not window.figures.complete
        for key in window.window.day_keys()
    ]
    if keys and stored and count_rows(running_pipeline(), name, keys):
        raise ConfigurationError(
            f"max_items gives a sample, and {name} already has rows in {keys[0]} (or a day after it); a "
            "sample would take rows away. Leave max_items out, or load the sample into another `dataset_name`"
        )


def _tombstones(name: str, fetched: Fetched, schema: pa.Schema) -> Iterator[pa.Table]:
    """What to delete: each day of the windows, so that one without items empties; of `item`, items."""
    gone: list[dict[str, Any]] = []
    for window in fetched.complete_windows:
        if name == "item":
            gone += [_tombstone(window.window, window.window.key, item_id) for item_id in window.deleted]
        else:
            gone += [_tombstone(window.window, key) for key in window.window.day_keys()]
    yield _filled(_table(gone, ITEM_COLUMNS), schema)


def _tombstone(window: Window, key: str, item_id: str = "") -> dict[str, Any]:
    return {"id": item_id, "collection": window.collection, PARTITION_KEY: key, DELETED: True}


def _rejected_tables(name: str, fetched: Fetched, schema: Schema, destination: str) -> Iterator[Any]:
    """`rejected_items` of the same days; the table is made when there is something to say."""
    windows = fetched.complete_windows
    rejected = [row for window in windows for row in window.spool.rejected]
    if not rejected and REJECTED not in schema.tables:
        return
    gone = [
        {
            "resource": name,
            "collection": window.window.collection,
            PARTITION_KEY: f"{name}|{key}",
            DELETED: True,
        }
        for window in windows
        for key in window.window.day_keys()
    ]
    yield emit_variant(_table(gone + rejected, REJECTED_COLUMNS), REJECTED, destination)


def _table(rows: list[dict[str, Any]], columns: dict[str, TColumnSchema]) -> pa.Table:
    return pa.table(
        {
            name: core_array([row.get(name) for row in rows], type_of(column))
            for name, column in columns.items()
        }
    )


def _filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    missing = [field for field in schema if field.name not in table.column_names]
    for field in missing:
        table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(schema.names)


def _gathered(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Few large tables out of many small ones: each costs dlt the same."""
    gathered: list[pa.Table] = []
    size = 0
    for table in tables:
        gathered.append(table)
        size += table.nbytes
        if size >= TABLE_BYTES:
            yield pa.concat_tables(gathered)
            gathered, size = [], 0
    if gathered:
        yield pa.concat_tables(gathered)


def refuse_failures(fetched: Fetched) -> Fetched:
    """`fetched`, if every window is complete; in somebody's own dlt run it is all or nothing."""
    if fetched.failed_windows:
        names = "; ".join(f"{failed.window}: {failed.error}" for failed in fetched.failed_windows)
        raise StacError(f"nothing was stored, because these windows failed: {names}")
    return fetched
