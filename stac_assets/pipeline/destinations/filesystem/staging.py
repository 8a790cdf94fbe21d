"""Rows on their way to the files of partitions: Parquet files on the local disk first, in bounded memory."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stac_assets.pipeline.destinations.filesystem.layout import Key

GATHERED_BYTES = 16 * 1024 * 1024
"""Arrow memory of rows that wait to become row groups."""
OPEN_FILES = 100
"""Partitions that are written at the same time; macOS lets a process open 256 files."""
COMPRESSION = "zstd"


class Staging(AbstractContextManager["Staging"]):
    """Writes rows to one file for each partition, or to several where their rows come far apart.

    Args:
        folder: an empty folder for the files.
        schema: of the rows.
        column: the partition column; None if all rows belong together.
        left_out: columns that the files do not get.
        text: columns of documents, which no dictionary makes smaller.
        footer: what each file says of itself.
    """

    def __init__(
        self,
        folder: Path,
        schema: pa.Schema,
        column: str | None,
        left_out: set[str],
        text: set[str],
        footer: Mapping[str, str],
    ) -> None:
        self.files: dict[Key, list[Path]] = {}
        self._folder = folder
        self._column = column
        self._schema = pa.schema([field for field in schema if field.name not in left_out])
        self._footer = dict(footer)
        self._dictionaries = [name for name in self._schema.names if name not in text]
        self._gathered: dict[Key, list[pa.Table]] = {}
        self._bytes = 0
        self._writers: OrderedDict[Key, pq.ParquetWriter] = OrderedDict()

    def add(self, table: pa.Table) -> None:
        """Add rows of any partitions."""
        for key, rows in self._by_key(table):
            self._gathered.setdefault(key, []).append(rows.select(self._schema.names))
            self._bytes += rows.nbytes
        if self._bytes >= GATHERED_BYTES:
            self._write()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write()
        finally:
            for writer in self._writers.values():
                writer.close()

    def _by_key(self, table: pa.Table) -> Iterator[tuple[Key, pa.Table]]:
        if self._column is None or not table.num_rows:
            if table.num_rows:
                yield None, table
            return
        ordered = table.take(pc.sort_indices(table[self._column]))  # type: ignore[attr-defined]
        counts = pc.value_counts(ordered[self._column].combine_chunks())  # type: ignore[attr-defined]
        start = 0
        for key, count in sorted((each["values"].as_py(), each["counts"].as_py()) for each in counts):
            yield key, ordered.slice(start, count)
            start += count

    def _write(self) -> None:
        """Write all that is gathered, because the rows of many partitions share memory."""
        for key, tables in self._gathered.items():
            self._writer(key).write_table(pa.concat_tables(tables))
        self._gathered, self._bytes = {}, 0

    def _writer(self, key: Key) -> pq.ParquetWriter:
        writer = self._writers.pop(key, None)
        if writer is None:
            if len(self._writers) >= OPEN_FILES:
                self._writers.popitem(last=False)[1].close()
            path = self._folder / f"{sum(map(len, self.files.values())):06}.parquet"
            self.files.setdefault(key, []).append(path)
            schema = self._schema.with_metadata(self._footer) if self._footer else self._schema
            writer = pq.ParquetWriter(
                path, schema, compression=COMPRESSION, use_dictionary=cast(Any, self._dictionaries)
            )
        self._writers[key] = writer
        return writer
