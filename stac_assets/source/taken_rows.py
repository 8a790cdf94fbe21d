"""Rows that a load job takes as they were fetched, in portions that fit into memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from dlt.common.schema.typing import TColumnSchema

from stac_assets.stac.owners import Owners

if TYPE_CHECKING:  # it is imported with the first row
    import pyarrow as pa

Portion = TypeVar("Portion")

PORTION_ROWS = 512
"""Rows of a stream that are in memory at once, while as many are prepared, or fewer that are wide."""
PORTION_BYTES = 8 * 1024 * 1024
"""What the documents of a portion may have."""


class TakenRows(ABC):
    """The rows of a table, which replace those of some partitions."""

    @property
    @abstractmethod
    def owners(self) -> Owners:
        """What they replace, by partition key."""

    @property
    @abstractmethod
    def columns(self) -> Mapping[str, TColumnSchema]:
        """Their columns, by name."""

    @property
    @abstractmethod
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""

    @abstractmethod
    def rows(self) -> Iterator[pa.Table]:
        """The rows, from the first one on."""

    @property
    @abstractmethod
    def length(self) -> int:
        """How many rows there are."""

    @property
    @abstractmethod
    def widest(self) -> int:
        """The length of the longest documents of a row in bytes, as a mean over the rows of a file."""

    @property
    def wants_geometries(self) -> bool:
        """Whether the settings want geometries, which the destination may have or not."""
        return False

    def fitting(self, number: int) -> int:
        """How many rows to take at a time: `number`, or fewer where they are wide."""
        return max(1, min(number, PORTION_BYTES // max(1, self.widest)))

    def portions(self, number: int) -> Iterator[pa.Table]:
        """The rows, `number` at a time; only the last portion may have fewer."""
        return in_portions(self.rows(), number)

    def streams(self, number: int) -> Iterator[pa.RecordBatchReader]:
        """The rows as streams of about `number` rows; one has to be read before the next is asked for.

        While some rows are worked with, a thread prepares the next.
        """
        if not self.length:
            return
        import pyarrow as pa

        size = self.fitting(PORTION_ROWS)
        with ThreadPoolExecutor(1) as thread:
            portions = enumerate(prepared(self.portions(size), thread))
            for _, some in groupby(portions, key=lambda numbered: numbered[0] * size // number):
                batches = (batch for _, portion in some for batch in portion.to_batches())
                yield pa.RecordBatchReader.from_batches(self.schema, batches)


def in_portions(tables: Iterator[pa.Table], number: int) -> Iterator[pa.Table]:
    """The rows of `tables`, `number` at a time; only the last portion may have fewer."""
    import pyarrow as pa

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


def prepared(portions: Iterator[Portion], thread: Executor) -> Iterator[Portion]:
    """The same portions, each made in `thread` while the one before is in use."""
    coming = thread.submit(next, portions, None)
    while (portion := coming.result()) is not None:
        coming = thread.submit(next, portions, None)
        yield portion
