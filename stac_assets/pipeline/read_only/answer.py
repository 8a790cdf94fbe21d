"""An answer to a query, of bounded size. A process without settings makes it too: see `duckdb_process.py`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

Cell = str | int | float | bool | None
PORTION = 50
"""Rows that are fetched at a time where they are small, so that few are in memory beyond the bounds."""


@dataclass(frozen=True)
class Bounds:
    """How much an answer may be.

    Args:
        rows: how many at most.
        characters: of all cells together.
        cell: characters of one cell; None for as many as there are.
        seconds: that a query may take.
    """

    rows: int = 100
    characters: int = 60_000
    cell: int | None = 2_000
    seconds: float = 30.0

    @property
    def ended(self) -> str:
        """What is told of a query that takes longer."""
        return f"the query was ended after {self.seconds:g} s: ask for less, by day or collection"


@dataclass(frozen=True)
class Answer:
    """The rows of a query.

    Args:
        columns: their names.
        rows: cells that JSON can hold: times as text in UTC, JSON as text, bytes in hexadecimal.
        cut: what was left out, in words; None where nothing was.
    """

    columns: tuple[str, ...]
    rows: list[list[Cell]]
    cut: str | None = None


def bounded(
    columns: Sequence[str], fetch: Callable[[int], Sequence[Sequence[Any]]], bounds: Bounds
) -> Answer:
    """The rows of a cursor, as far as the bounds go.

    Args:
        columns: their names.
        fetch: the next rows of a cursor, as many as are asked for.
        bounds: of the answer.
    """
    names, found, room, shortened = tuple(map(str, columns)), list[list[Cell]](), bounds.characters, 0
    largest = bounds.characters  # the first row comes alone: it may be large
    while portion := fetch(max(1, min(PORTION, bounds.rows + 1 - len(found), bounds.characters // largest))):
        for row in portion:
            if len(found) == bounds.rows:
                return Answer(
                    names, found, _told(found, f"rows, as many as were asked for ({bounds.rows:,})")
                )
            cells = [_cell(value) for value in row]
            largest = max(sum(len(str(cell)) for cell in cells), 1)
            if bounds.cell is not None:
                long = [isinstance(cell, str) and len(cell) > bounds.cell for cell in cells]
                shortened += sum(long)
                cells = [_short(c, bounds.cell) if cut else c for c, cut in zip(cells, long, strict=True)]
            room -= sum(len(str(cell)) for cell in cells)
            if room < 0 and found:
                return Answer(
                    names, found, _told(found, f"rows; {bounds.characters:,} characters are reached")
                )
            found.append(cells)
    told = f"{shortened:,} long values are shortened to {bounds.cell:,} characters" if shortened else None
    return Answer(names, found, told)


def _told(rows: list[list[Cell]], what: str) -> str:
    return f"these are the first {len(rows):,} {what}; there are more"


def _short(cell: Cell, length: int) -> str:
    text = str(cell)
    return f"{text[:length]}… ({len(text):,} characters)"


def _cell(value: Any) -> Cell:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if isfinite(value) else str(value)
        case Decimal():
            return str(value)
        case datetime():
            return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case dict():
            named = {str(name): each for name, each in value.items()}
            return json.dumps(named, default=_cell, ensure_ascii=False)
        case list() | tuple():
            return json.dumps(value, default=_cell, ensure_ascii=False)
        case _:
            return str(value)
