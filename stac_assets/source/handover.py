"""Rows that a destination takes from us in memory, while dlt's own files say only what they replace."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class Rows:
    """The rows of one table: a schema, and what gives its batches, each time from the first one on."""

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]

    def reader(self) -> pa.RecordBatchReader:
        """All batches, one at a time."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())


@dataclass
class Handover:
    """The rows of a load by table; a resource puts them there, and a load job takes them.

    dlt would write them to Parquet, and the destination into a staging table first: twice the work.
    """

    tables: dict[str, Rows] = field(default_factory=dict)
