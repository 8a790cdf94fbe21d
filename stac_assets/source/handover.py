"""Rows that a destination takes from us in memory, while dlt's own files say only what they replace."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa


@dataclass(frozen=True)
class Rows:
    """The rows of one table.

    Args:
        columns: their names.
        portions: gives them, so many rows at a time, each call from the first one on.
        widest: bytes of the largest row, about.
    """

    columns: list[str]
    portions: Callable[[int], Iterator[pa.Table]]
    widest: int


@dataclass
class Handover:
    """The rows of a load by table; a resource puts them there, and a load job takes them.

    dlt would write them to Parquet, and the destination into a staging table first: twice the work.

    Args:
        tables: the rows.
        table_format: dlt's hint of that name for all tables of the load.
        reserved: names that no promoted property may take as its column.
        folder: for working files of the load jobs; None for the machine's own place for such.
    """

    tables: dict[str, Rows] = field(default_factory=dict)
    table_format: Literal["delta"] | None = None
    reserved: frozenset[str] = frozenset()
    folder: Path | None = None


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
                yield pa.concat_tables(kept).combine_chunks()
                kept, missing = [], number
    if kept:
        yield pa.concat_tables(kept).combine_chunks()
