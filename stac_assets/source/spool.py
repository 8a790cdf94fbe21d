"""Fetched rows on their way to the table: Arrow files, so that no load is ever held in memory as a whole.

A file holds the core columns, and for each property one column per kind of value seen (`number:gsd`,
`text:gsd`): which of them becomes the table's column is settled only when the rows are stored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from stac_assets.source.rows import Kind, scalars
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

BATCH_BYTES = 32 * 1024 * 1024
"""JSON text that a batch gathers before it is written to a file."""


@dataclass(frozen=True)
class SpoolFile:
    """One written batch."""

    path: Path
    rows: int
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
            self.files.append(SpoolFile(path, table.num_rows, self._batch.kinds, self._batch.misfits))
        self._batch = _Batch()

    def discard(self) -> None:
        """Forget everything, as when a window is fetched anew."""
        for file in self.files:
            file.path.unlink(missing_ok=True)
        self.__init__(self._folder, self._name)


@dataclass
class _Batch:
    rows: list[dict[str, Any]] = field(default_factory=list)
    values: dict[tuple[str, Kind], dict[int, Any]] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    misfits: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, row: dict[str, Any], properties: Mapping[str, Any], size: int) -> None:
        position = len(self.rows)
        self.rows.append(row)
        self.bytes += size
        for name, kind, value in scalars(properties):
            if kind is None:
                self.misfits[name] += 1
            else:
                self.values.setdefault((name, kind), {})[position] = value
                self.kinds.setdefault(name, kind)

    def to_table(self) -> pa.Table:
        columns: dict[str, pa.Array] = {}
        for name in STORED_ITEM_COLUMNS:
            columns[name] = core_array([row.get(name) for row in self.rows], type_of(ITEM_COLUMNS[name]))
        for (name, kind), values in self.values.items():
            column = [values.get(position) for position in range(len(self.rows))]
            columns[f"{kind}:{name}"] = pa.array(column, KIND_TYPES[kind])
        return pa.table(columns)


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
