"""The spool: fetched rows in Arrow files, so that no load is in memory as a whole.

A file holds the core columns, and for each property one column per kind of value seen (`number:gsd`,
`text:gsd`): which of them becomes the table's column is settled only when the rows are stored.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from stac_assets.source.columns import DELETED, ITEM_COLUMNS, PARTITION_KEY, type_of
from stac_assets.source.memory import give_back
from stac_assets.source.rejects import Rejects
from stac_assets.source.rows import TIME_PROPERTIES

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "json": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}
Kind = Literal["bool", "number", "text"]
KINDS: dict[type, Kind] = {str: "text", bool: "bool", float: "number", int: "number"}
KIND_TYPES: dict[Kind, pa.DataType] = {"bool": pa.bool_(), "number": pa.float64(), "text": pa.string()}

STORED_ITEM_COLUMNS = [name for name in ITEM_COLUMNS if name != DELETED]
"""The core columns of a row that is no tombstone."""
JSON_COLUMNS = frozenset(name for name in STORED_ITEM_COLUMNS if type_of(ITEM_COLUMNS[name]) == "json")
TIMES = frozenset(TIME_PROPERTIES)
LARGEST_EXACT_INTEGER = 2**53
"""A larger one need not be what a double makes of it, so that it has no place in any column."""

BATCH_BYTES = 8 * 1024 * 1024
"""JSON text that a batch gathers before it is written to a file."""
GATHERED_ROWS = 512
"""Rows that small files have together when they are read as one."""
LARGE_BATCH_BYTES = 1024 * 1024
"""What a batch of so much JSON text has taken is given back to the system; less is not worth the call."""


@dataclass(frozen=True)
class SpoolFile:
    """One written batch."""

    path: Path
    rows: int
    bytes: int
    """Length of their documents."""
    kinds: Mapping[str, Kind]
    """The kind of the first value of each property in this batch."""
    misfits: Mapping[str, int]
    """How many values of each property fit no column at all."""


class Spool:
    """The files of one window, and the documents that could not become rows."""

    def __init__(self, folder: Path, name: str) -> None:
        self.files: list[SpoolFile] = []
        self.rejected = Rejects(folder, name)
        self._folder = folder
        self._name = name
        self._batch = _Batch()
        self._written = 0

    @property
    def gathered(self) -> int:
        """Bytes of documents that are in no file yet."""
        return self._batch.bytes + self.rejected.gathered

    def add(self, row: dict[str, Any], properties: Mapping[str, Any], size: int) -> None:
        """Add one row; `size` is the length of its document in bytes."""
        self._batch.add(row, properties, size)
        if self._batch.bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered to files."""
        self.rejected.flush()
        if self._batch.rows:
            path = self._folder / f"{self._name}-{self._written:05}.arrow"
            self._written += 1
            table = self._batch.to_table()
            with (
                pa.OSFile(str(path), "wb") as sink,
                pa.ipc.new_file(
                    sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
                ) as writer,
            ):
                writer.write_table(table)
            self.files.append(
                SpoolFile(path, table.num_rows, self._batch.bytes, self._batch.kinds, self._batch.misfits)
            )
            is_large = self._batch.bytes >= LARGE_BATCH_BYTES
            self._batch = _Batch()
            del table
            if is_large:
                give_back()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows, with their core columns as they were added."""
        self.flush()
        for file in self.files:
            yield from _core_rows(_read(file))

    def find(self, item_id: str, partition_key: str) -> dict[str, Any] | None:
        """The row of an item, with its core columns."""
        self.flush()
        for table in map(_read, self.files):
            if (place := _place(table, item_id, partition_key)) >= 0:
                return next(iter(_core_rows(table.slice(place, 1))))
        return None

    def remove(self, item_id: str, partition_key: str) -> None:
        """Take out the row of an item. The file that has it is written again, which should be rare."""
        self.flush()
        for file in list(self.files):
            table = _read(file)
            place = _place(table, item_id, partition_key)
            if place < 0:
                continue
            self.files.remove(file)
            for number, row in enumerate(_core_rows(table)):
                if number != place:
                    properties = msgspec.json.decode(row["properties"]) if row["properties"] else {}
                    self.add(row, properties, sum(len(row[name] or b"") for name in JSON_COLUMNS))
            file.path.unlink(missing_ok=True)
            return

    def discard(self) -> None:
        """Forget everything, as when a window is fetched anew."""
        for file in self.files:
            file.path.unlink(missing_ok=True)
        self.rejected.discard()
        self.__init__(self._folder, self._name)


class _Batch:
    """Rows that are gathered column by column."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0
        self.kinds: dict[str, Kind] = {}
        self.misfits: Counter[str] = Counter()
        self._core: list[tuple[str, list[Any]]] = [(name, []) for name in STORED_ITEM_COLUMNS]
        self._values: dict[Kind, dict[str, list[Any]]] = {kind: {} for kind in KIND_TYPES}

    def add(self, row: dict[str, Any], properties: Mapping[str, Any], size: int) -> None:
        for name, column in self._core:
            column.append(row[name])
        for name, value in properties.items():
            if name in TIMES:
                if value is not None and row[name] is None:
                    self.misfits[name] += 1
                continue
            kind = KINDS.get(type(value))
            if kind is None:
                continue
            if type(value) is int and not -LARGEST_EXACT_INTEGER <= value <= LARGEST_EXACT_INTEGER:
                self.misfits[name] += 1
                continue
            column = self._values[kind].get(name)
            if column is None:
                column = self._values[kind][name] = []
                self.kinds.setdefault(name, kind)
            if len(column) < self.rows:
                self._fill(column)
            column.append(value)
        self.rows += 1
        self.bytes += size

    def _fill(self, column: list[Any]) -> None:
        """Make `column` as long as the others."""
        column.extend([None] * (self.rows - len(column)))

    def to_table(self) -> pa.Table:
        columns = {name: core_array(values, type_of(ITEM_COLUMNS[name])) for name, values in self._core}
        for kind, by_name in self._values.items():
            for name, values in by_name.items():
                self._fill(values)
                columns[f"{kind}:{name}"] = pa.array(values, KIND_TYPES[kind])
        return pa.table(columns)


def _core_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows as they are added: JSON as bytes, times as they are."""
    for row in table.select(STORED_ITEM_COLUMNS).to_pylist():
        yield {
            name: value.encode() if name in JSON_COLUMNS and value is not None else value
            for name, value in row.items()
        }


def _place(table: pa.Table, item_id: str, partition_key: str) -> int:
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
            tables = [_read(file) for file in some]
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


def _read(file: SpoolFile) -> pa.Table:
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
