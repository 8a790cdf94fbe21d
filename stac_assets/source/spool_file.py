"""What a file of a spool holds; it is known without Arrow, in which the file is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stac_assets.source.columns import DELETED, ITEM_COLUMNS, type_of

Kind = Literal["bool", "number", "text"]

STORED_ITEM_COLUMNS = [name for name in ITEM_COLUMNS if name != DELETED]
"""The core columns of a row that is no tombstone."""
JSON_COLUMNS = frozenset(name for name in STORED_ITEM_COLUMNS if type_of(ITEM_COLUMNS[name]) == "json")
BATCH_BYTES = 8 * 1024 * 1024
"""JSON text that a batch gathers before it is written to a file."""


@dataclass(frozen=True)
class SpoolFile:
    """One written batch."""

    path: Path
    rows: int
    bytes: int
    """Length of their documents."""
    kinds: Mapping[str, Kind]
    """The kind of the first value of each property in this batch."""
    misfits: Mapping[str, int]
    """How many values of each property fit no column at all."""
