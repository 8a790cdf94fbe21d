"""The Arrow files of a spool: how rows are written to them and read from them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.spool_file import BATCH_BYTES, JSON_COLUMNS, STORED_ITEM_COLUMNS, Kind, SpoolFile

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "json": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}
KIND_TYPES: dict[Kind, pa.DataType] = {"bool": pa.bool_(), "number": pa.float64(), "text": pa.string()}
GATHERED_ROWS = 512
"""Rows that small files have together when they are read as one."""


def write(
    path: Path,
    core: Mapping[str, tuple[str, list[Any]]],
    properties: Mapping[Kind, Mapping[str, Sequence[Any]]],
) -> None:
    """Write the rows of a batch.

    Args:
        path: of the file.
        core: data type and values of each core column, by name.
        properties: the values of each property that are of one kind, by kind and name.
    """
    columns = {name: core_array(values, data_type) for name, (data_type, values) in core.items()}
    for kind, by_name in properties.items():
        for name, values in by_name.items():
            columns[f"{kind}:{name}"] = pa.array(values, KIND_TYPES[kind])
    table, options = pa.table(columns), pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)


def core_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows as they are added: JSON as bytes, times as they are."""
    for row in table.select(STORED_ITEM_COLUMNS).to_pylist():
        yield {
            name: value.encode() if name in JSON_COLUMNS and value is not None else value
            for name, value in row.items()
        }


def place_of(table: pa.Table, item_id: str, partition_key: str) -> int:
    """The place of an item in a table; less than 0 where it is not there."""
    keys = zip(table["id"].to_pylist(), table[PARTITION_KEY].to_pylist(), strict=True)
    return next((place for place, key in enumerate(keys) if key == (item_id, partition_key)), -1)


def core_array(values: list[Any], data_type: str) -> pa.Array:
    """A column of core values; JSON comes as bytes that are known to be UTF-8 and becomes text.

    One without values is made without `pa.array`, which imports pandas.
    """
    if not values:
        return pa.nulls(0, ARROW_TYPES[data_type])
    if data_type == "json":
        found = pa.array(values, pa.binary())
        return pa.Array.from_buffers(pa.string(), len(found), found.buffers(), found.null_count)
    return pa.array(values, ARROW_TYPES[data_type])


def read_tables(files: Iterable[SpoolFile]) -> Iterator[tuple[SpoolFile, pa.Table]]:
    """The rows of all files in their order, mapped into memory only while they are looked at.

    Small files that follow each other come as one, because each table costs something for every column of the
    destination: a load of many thousand windows may have a few rows in each.
    """
    for some in _gathered(files):
        if len(some) == 1:
            with pa.memory_map(str(some[0].path)) as source:
                yield some[0], pa.ipc.open_file(source).read_all()
        else:
            tables = [read(file) for file in some]
            yield _as_one(some), pa.concat_tables(tables, promote_options="default").combine_chunks()


def _gathered(files: Iterable[SpoolFile]) -> Iterator[list[SpoolFile]]:
    """Files that together have about as much as a batch."""
    some: list[SpoolFile] = []
    rows = size = 0
    for file in files:
        if some and (rows + file.rows > GATHERED_ROWS or size + file.bytes > BATCH_BYTES):
            yield some
            some, rows, size = [], 0, 0
        some.append(file)
        rows, size = rows + file.rows, size + file.bytes
    if some:
        yield some


def read(file: SpoolFile) -> pa.Table:
    with pa.OSFile(str(file.path), "rb") as source:
        return pa.ipc.open_file(source).read_all()


def _as_one(files: list[SpoolFile]) -> SpoolFile:
    """What is true of several files together."""
    kinds: dict[str, Kind] = {}
    misfits: Counter[str] = Counter()
    for file in files:
        kinds = {**file.kinds, **kinds}  # those of the first file with a property stay
        misfits.update(file.misfits)
    rows, size = sum(file.rows for file in files), sum(file.bytes for file in files)
    return SpoolFile(files[0].path, rows, size, kinds, misfits)


def without_row(ids: Iterable[str], files: Iterable[SpoolFile]) -> set[str]:
    """Those of some ids that no row of the files has. No other column is read."""
    left = pa.array(list(ids), pa.string())
    only_ids = pa.ipc.IpcReadOptions(included_fields=[STORED_ITEM_COLUMNS.index("id")])
    for file in files:
        if not len(left):
            break
        with pa.memory_map(str(file.path)) as source:
            held = pa.ipc.open_file(source, options=only_ids).read_all()["id"].combine_chunks()
            found = pc.call_function("is_in", [left], pc.SetLookupOptions(value_set=held))
            left = left.filter(pc.call_function("invert", [found]))
    return set(left.to_pylist())
