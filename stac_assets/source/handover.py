"""Rows that a destination takes from us in files, while dlt's own files say only what they replace."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_SIZE = 512
"""Rows of a Parquet row group: some megabytes, which whoever reads the file has in memory at once."""


@dataclass(frozen=True)
class Rows:
    """The rows of one table.

    Args:
        schema: their columns.
        tables: gives them, each call from the first one on.
        widest: bytes of the largest row, about.
        folder: where `files` puts them.
    """

    schema: pa.Schema
    tables: Callable[[], Iterator[pa.Table]]
    widest: int
    folder: Path

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return list(self.schema.names)

    def portions(self, number: int) -> Iterator[pa.Table]:
        """The rows, `number` at a time; only the last portion may have fewer."""
        return in_portions(self.tables(), number)

    def files(self, number: int) -> Iterator[Path]:
        """The rows as Parquet files of about `number` rows; whoever takes a file deletes it.

        While a file is worked with, a thread writes the next.
        """
        with ThreadPoolExecutor(1) as writer:
            files = self._written(max(1, number // ROW_GROUP_SIZE))
            coming = writer.submit(next, files, None)
            while (file := coming.result()) is not None:
                coming = writer.submit(next, files, None)
                yield file

    def _written(self, row_groups: int) -> Iterator[Path]:
        # read once and then deleted, so nothing is gained by dictionaries and statistics
        options = {"compression": "lz4", "use_dictionary": False, "write_statistics": False}
        groups = self.portions(ROW_GROUP_SIZE)
        for number, first in enumerate(groups):
            file = self.folder / f"rows-{number:05}.parquet"
            with pq.ParquetWriter(file, self.schema, **options) as writer:
                for group in chain([first], islice(groups, row_groups - 1)):
                    writer.write_table(group)
            yield file


@dataclass
class Handover:
    """The rows of a load by table; a resource puts them there, and a load job takes them.

    dlt would write them to files twice, and the destination into a staging table first.

    Args:
        folder: for working files of the load jobs.
        tables: the rows.
        table_format: dlt's hint of that name for all tables of the load.
        reserved: names that no promoted property may take as its column.
    """

    folder: Path = Path()
    tables: dict[str, Rows] = field(default_factory=dict)
    table_format: Literal["delta"] | None = None
    reserved: frozenset[str] = frozenset()


def in_portions(tables: Iterator[pa.Table], number: int) -> Iterator[pa.Table]:
    """The rows of `tables`, `number` at a time; only the last portion may have fewer."""
    kept: list[pa.Table] = []
    missing = number
    for table in tables:
        while table.num_rows:
            part = table.slice(0, missing)
            kept.append(part)
            table = table.slice(part.num_rows)
            missing -= part.num_rows
            if not missing:
                portion = pa.concat_tables(kept).combine_chunks()
                kept, missing = [], number
                yield portion
    if kept:
        yield pa.concat_tables(kept).combine_chunks()
