"""Rows that a destination takes from us, while dlt's own files say only what they replace."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Literal

import pyarrow as pa

PORTION_ROWS = 512
"""Rows of a stream that are in memory at once, while as many are prepared: some megabytes."""


@dataclass(frozen=True)
class Rows:
    """The rows of one table.

    Args:
        schema: their columns.
        tables: gives them, each call from the first one on.
        widest: bytes of the largest row, about.
    """

    schema: pa.Schema
    tables: Callable[[], Iterator[pa.Table]]
    widest: int

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return list(self.schema.names)

    def portions(self, number: int) -> Iterator[pa.Table]:
        """The rows, `number` at a time; only the last portion may have fewer."""
        return in_portions(self.tables(), number)

    def streams(self, number: int) -> Iterator[pa.RecordBatchReader]:
        """The rows as streams of about `number` rows; one has to be read before the next is asked for.

        While some rows are worked with, a thread prepares the next.
        """
        with ThreadPoolExecutor(1) as thread:
            portions = enumerate(_prepared(self.portions(PORTION_ROWS), thread))
            for _, some in groupby(portions, key=lambda numbered: numbered[0] * PORTION_ROWS // number):
                batches = (batch for _, portion in some for batch in portion.to_batches())
                yield pa.RecordBatchReader.from_batches(self.schema, batches)


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


def _prepared(portions: Iterator[pa.Table], thread: Executor) -> Iterator[pa.Table]:
    """The same portions, each made in `thread` while the one before is in use."""
    coming = thread.submit(next, portions, None)
    while (portion := coming.result()) is not None:
        coming = thread.submit(next, portions, None)
        yield portion
