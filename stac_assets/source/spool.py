"""The spool: fetched rows in Arrow files, so that no load is in memory as a whole.

A file holds the core columns, and for each property one column per kind of value seen (`number:gsd`,
`text:gsd`): which of them becomes the table's column is settled only when the rows are stored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from stac_assets.source.columns import DELETED, ITEM_COLUMNS, type_of
from stac_assets.source.memory import give_back
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
TIMES = frozenset(TIME_PROPERTIES)
LARGEST_EXACT_INTEGER = 2**53
"""A larger one need not be what a double makes of it, so that it has no place in any column."""

BATCH_BYTES = 8 * 1024 * 1024
"""JSON text that a batch gathers before it is written to a file."""
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
        self.rejected: list[dict[str, Any]] = []
        self._folder = folder
        self._name = name
        self._batch = _Batch()

    @property
    def gathered(self) -> int:
        """Bytes of documents that are in no file yet."""
        return self._batch.bytes

    def add(self, row: dict[str, Any], properties: Mapping[str, Any], size: int) -> None:
        """Add one row; `size` is the length of its document in bytes."""
        self._batch.add(row, properties, size)
        if self._batch.bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered to a file."""
        if self._batch.rows:
            path = self._folder / f"{self._name}-{len(self.files):05}.arrow"
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

    def discard(self) -> None:
        """Forget everything, as when a window is fetched anew."""
        for file in self.files:
            file.path.unlink(missing_ok=True)
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


def core_array(values: list[Any], data_type: str) -> pa.Array:
    """A column of core values; JSON comes as bytes that are known to be UTF-8 and becomes text."""
    if data_type == "json":
        found = pa.array(values, pa.binary())
        return pa.Array.from_buffers(pa.string(), len(found), found.buffers(), found.null_count)
    return pa.array(values, ARROW_TYPES[data_type])


def read_tables(files: list[SpoolFile]) -> Iterator[tuple[SpoolFile, pa.Table]]:
    """Each file with its rows, mapped into memory only while it is looked at."""
    for file in files:
        with pa.memory_map(str(file.path)) as source:
            yield file, pa.ipc.open_file(source).read_all()
