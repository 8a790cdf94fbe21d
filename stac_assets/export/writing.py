"""Writes staged rows into a Parquet file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stac_assets.export.columns import as_items
from stac_assets.export.footer import footer
from stac_assets.export.staged import Extent, StagedRows
from stac_assets.export.structure import Structure

MOST_ROWS = 16_384
MOST_BYTES = 64 * 1024 * 1024
"""Of a row group in memory: readers skip groups by their boxes and times, and hold one at a time."""


def write(
    path: Path,
    staged: StagedRows,
    structure: Structure,
    extent: Extent,
    part: int | None,
    collections: Mapping[str, Any],
) -> None:
    """Write the rows of a part, or of all, into a file."""
    writer: pq.ParquetWriter | None = None
    metadata = footer(structure, extent, collections)
    try:
        for group in _groups(as_items(batch, structure) for batch in staged.read(structure, part)):
            if writer is None:
                schema = group.schema.with_metadata(metadata)
                writer = pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True)
            writer.write_table(group, row_group_size=MOST_ROWS)
    finally:
        if writer is not None:
            writer.close()


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of one row group after the other."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if waiting and (rows + batch.num_rows > MOST_ROWS or size + batch.nbytes > MOST_BYTES):
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
    if waiting:
        yield pa.Table.from_batches(waiting)
