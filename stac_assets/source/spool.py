"""Fetched rows on their way to the table: Arrow files, so that no load is ever held in memory as a whole.

A file holds the core columns, and for each property one column per kind of value seen (`number:gsd`,
`text:gsd`): which of them becomes the table's column is settled only when the rows are stored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from stac_assets.source.rows import Kind, scalars, unread_times
from stac_assets.source.tables import DELETED, ITEM_COLUMNS, type_of

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "json": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}
KIND_TYPES: dict[Kind, pa.DataType] = {"bool": pa.bool_(), "number": pa.float64(), "text": pa.string()}

STORED_ITEM_COLUMNS = [name for name in ITEM_COLUMNS if name != DELETED]
"""The core columns of a row that is no tombstone."""

BATCH_BYTES = 8 * 1024 * 1024
"""JSON text that a batch gathers before it is written to a file."""


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
        self._batch = _Batch()

    def discard(self) -> None:
        """Forget everything, as when a window is fetched anew."""
        for file in self.files:
            file.path.unlink(missing_ok=True)
        self.__init__(self._folder, self._name)


class _Batch:
    """Rows as columns, in the making."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0
        self.kinds: dict[str, Kind] = {}
        self.misfits: Counter[str] = Counter()
        self._core: list[tuple[str, list[Any]]] = [(name, []) for name in STORED_ITEM_COLUMNS]
        self._values: dict[Kind, dict[str, _Sparse]] = {kind: {} for kind in KIND_TYPES}

    def add(self, row: dict[str, Any], properties: Mapping[str, Any], size: int) -> None:
        get, position = row.get, self.rows
        for name, column in self._core:
            column.append(get(name))
        for name, kind, value in scalars(properties):
            if kind is None:
                self.misfits[name] += 1
                continue
            columns = self._values[kind]
            sparse = columns.get(name)
            if sparse is None:
                sparse = columns[name] = _Sparse()
                self.kinds.setdefault(name, kind)
            sparse.positions.append(position)
            sparse.values.append(value)
        self.misfits.update(unread_times(row, properties))
        self.rows += 1
        self.bytes += size

    def to_table(self) -> pa.Table:
        columns = {name: core_array(values, type_of(ITEM_COLUMNS[name])) for name, values in self._core}
        for kind, by_name in self._values.items():
            for name, sparse in by_name.items():
                columns[f"{kind}:{name}"] = pa.array(sparse.filled(self.rows), KIND_TYPES[kind])
        return pa.table(columns)


class _Sparse:
    """The values of a property, and the rows that have one."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.values: list[Any] = []

    def filled(self, rows: int) -> list[Any]:
        """A value or None for each row."""
        if len(self.values) == rows:
            return self.values
        found: list[Any] = [None] * rows
        for position, value in zip(self.positions, self.values, strict=True):
            found[position] = value
        return found


def core_array(values: list[Any], data_type: str) -> pa.Array:
    """A column of core values; JSON comes as UTF-8 bytes and becomes text."""
    if data_type == "json":
        return pa.array(values, pa.binary()).cast(pa.string())
    return pa.array(values, ARROW_TYPES[data_type])


def read_tables(files: list[SpoolFile]) -> Iterator[tuple[SpoolFile, pa.Table]]:
    """Each file with its rows, mapped into memory only while it is looked at."""
    for file in files:
        with pa.memory_map(str(file.path)) as source:
            yield file, pa.ipc.open_file(source).read_all()
