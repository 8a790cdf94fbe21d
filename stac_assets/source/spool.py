"""The spool: fetched rows in Arrow files, so that no load is in memory as a whole.

A file holds the core columns, and for each property one column per kind of value seen (`number:gsd`,
`text:gsd`): which of them becomes the table's column is settled only when the rows are stored. How such files
are written and read is in `spool_files`, which is imported with the first row: Arrow and NumPy take a tenth
of a load of one empty day.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from stac_assets.source.columns import ITEM_COLUMNS, type_of
from stac_assets.source.memory import give_back
from stac_assets.source.rejects import Rejects
from stac_assets.source.rows import TIME_PROPERTIES
from stac_assets.source.spool_file import BATCH_BYTES, JSON_COLUMNS, STORED_ITEM_COLUMNS, Kind, SpoolFile

KINDS: dict[type, Kind] = {str: "text", bool: "bool", float: "number", int: "number"}

TIMES = frozenset(TIME_PROPERTIES)
LARGEST_EXACT_INTEGER = 2**53
"""A larger one need not be what a double makes of it, so that it has no place in any column."""

LARGE_BATCH_BYTES = 1024 * 1024
"""What a batch of so much JSON text has taken is given back to the system; less is not worth the call."""


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
            self.files.append(self._batch.write(path))
            is_large = self._batch.bytes >= LARGE_BATCH_BYTES
            self._batch = _Batch()
            if is_large:
                give_back()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows, with their core columns as they were added."""
        from stac_assets.source.spool_files import core_rows, read

        self.flush()
        for file in self.files:
            yield from core_rows(read(file))

    def find(self, item_id: str, partition_key: str) -> dict[str, Any] | None:
        """The row of an item, with its core columns."""
        from stac_assets.source.spool_files import core_rows, place_of, read

        self.flush()
        for table in map(read, self.files):
            if (place := place_of(table, item_id, partition_key)) >= 0:
                return next(iter(core_rows(table.slice(place, 1))))
        return None

    def remove(self, item_id: str, partition_key: str) -> None:
        """Take out the row of an item. The file that has it is written again, which should be rare."""
        from stac_assets.source.spool_files import core_rows, place_of, read

        self.flush()
        for file in list(self.files):
            table = read(file)
            place = place_of(table, item_id, partition_key)
            if place < 0:
                continue
            self.files.remove(file)
            for number, row in enumerate(core_rows(table)):
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
        self._values: dict[Kind, dict[str, list[Any]]] = {kind: {} for kind in get_args(Kind)}

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

    def write(self, path: Path) -> SpoolFile:
        """Write the rows to a file."""
        from stac_assets.source.spool_files import write

        core = {name: (type_of(ITEM_COLUMNS[name]), values) for name, values in self._core}
        for by_name in self._values.values():
            for values in by_name.values():
                self._fill(values)
        write(path, core, self._values)
        return SpoolFile(path, self.rows, self.bytes, self.kinds, self.misfits)
