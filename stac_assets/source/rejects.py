"""Rejected documents on their way to `rejected_items`: in files, as rows are, so that many take no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stac_assets.source.columns import REJECTED_COLUMNS
from stac_assets.source.memory import give_back

if TYPE_CHECKING:  # it is imported with the first document that is rejected
    import pyarrow as pa

BATCH_BYTES = 4 * 1024 * 1024
"""Characters of documents that are gathered before they are written to a file."""


class Rejects:
    """The rejected documents of one window, as rows of `rejected_items`.

    Args:
        folder: for the files.
        name: how their names begin.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.gathered = 0
        """The length of the documents that are in no file yet."""
        self.characters = 0
        """The length of all documents."""
        self._folder = folder
        self._name = name
        self._rows: list[dict[str, Any]] = []
        self._files: list[Path] = []
        self._length = 0

    def add(self, row: dict[str, Any]) -> None:
        """Add a document."""
        self._rows.append(row)
        self._length += 1
        self.gathered += len(row["document"])
        self.characters += len(row["document"])
        if self.gathered >= BATCH_BYTES:
            self.flush()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for table in self.tables():
            yield from table.to_pylist()

    def tables(self) -> Iterator[pa.Table]:
        """The rows in their order; those of one file are in memory at a time."""
        self.flush()
        if not self._files:
            return
        import pyarrow as pa

        for path in self._files:
            with pa.OSFile(str(path), "rb") as source:
                yield pa.ipc.open_file(source).read_all()

    def flush(self) -> None:
        """Write what is gathered to a file."""
        if not self._rows:
            return
        import pyarrow as pa

        schema = arrow_schema()
        path = self._folder / f"{self._name}-rejected-{len(self._files):05}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
            writer.write_table(pa.Table.from_pylist(self._rows, schema))
        self._files.append(path)
        is_large = self.gathered >= BATCH_BYTES
        self._rows, self.gathered = [], 0
        if is_large:
            give_back()

    def discard(self) -> None:
        """Remove the files."""
        for path in self._files:
            path.unlink(missing_ok=True)


def arrow_schema() -> pa.Schema:
    """The Arrow schema of `rejected_items`."""
    from stac_assets.source import fitting

    return fitting.arrow_schema(REJECTED_COLUMNS.values())


def tables_of(windows: Iterable[Rejects]) -> Iterator[pa.Table]:
    """The rows of several windows, as many at a time as a file has of one."""
    some: list[pa.Table] = []
    size = 0
    for rejects in windows:
        for table in rejects.tables():
            if some and size + table.nbytes > BATCH_BYTES:
                yield _joined(some)
                some, size = [], 0
            some.append(table)
            size += table.nbytes
    if some:
        yield _joined(some)


def _joined(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables)
