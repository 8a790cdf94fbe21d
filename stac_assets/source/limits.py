"""What a destination cannot hold although it is a valid STAC document.

Such an item is rejected, alone. A row that describes the API or a collection stays, because partitions depend
on it: a document that its column cannot hold is there as one text, a JSON string, and a title is NULL.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from dlt.common.schema.typing import TColumnSchema

from stac_assets.source.columns import type_of
from stac_assets.stac.documents import DECODE_ERRORS, TOKEN, Item, why

WITHOUT_NUL = {"postgres", "redshift"}
"""Destinations whose text and JSON types refuse the character U+0000 (PostgreSQL manual, 8.3 and 8.14)."""
MOST_DECIMALS = 16_383
"""Digits after the point that a number of PostgreSQL's, and so of its jsonb, may have (manual, 8.1.2)."""
LARGEST_EXPONENT = 1_000_000_000
"""Beyond it PostgreSQL takes not even a zero."""

MOST_COLUMNS = {"postgres": 1600, "redshift": 1600, "bigquery": 10_000}
"""Columns that a table may have (PostgreSQL manual, appendix K; the quotas of Redshift and BigQuery)."""

LARGEST_INTEGERS = {
    "bigquery": (-(2**63), 2**64 - 1),
    "snowflake": (1 - 10**38, 10**38 - 1),
    "redshift": (1 - 10**38, 10**38 - 1),
    "databricks": (1 - 10**38, 10**38 - 1),
}
"""Integers that the JSON types of warehouses hold: others become the nearest double, or fail the load."""
MOST_LEVELS = 500
"""Levels of nesting that the JSON types of all these warehouses hold (that of BigQuery holds the fewest)."""

_HALF = re.compile("[\ud800-\udfff]")
_HALF_OR_NUL = re.compile("[\ud800-\udfff\0]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_NUMBER = re.compile(rb"\d[eE][-+]?\d{4}|\.\d{9999}")
_LONG_INTEGER = re.compile(rb"\d{19}")
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:[eE]([-+]?\d+))?")


def refusal(item: Item, destination: str) -> str | None:
    """Why `destination` (a dlt destination type) cannot hold `item`; None where it can."""
    kind = destination.rpartition(".")[2]
    if kind not in WITHOUT_NUL and kind not in LARGEST_INTEGERS:
        return None
    if kind in WITHOUT_NUL and any("\0" in name or _NUL.search(raw) for name, raw in item.items()):
        return f"it holds the character U+0000, which {kind} cannot store"
    for raw in item.values():
        if kind in LARGEST_INTEGERS and _levels(bytes(raw)) > MOST_LEVELS:
            return f"it is nested in more than {MOST_LEVELS} levels, which {kind} cannot store"
        number = None
        if kind == "postgres" and _LONG_NUMBER.search(raw):
            number = _number_beyond_jsonb(bytes(raw))
        elif kind in LARGEST_INTEGERS and _LONG_INTEGER.search(raw):
            number = _integer_beyond(*LARGEST_INTEGERS[kind], bytes(raw))
        if number is not None:
            return f"it holds the number {number[:40]}, which {kind} cannot store"
    return None


def _levels(text: bytes) -> int:
    """How deep JSON text is nested; only text with so many brackets is looked at."""
    if text.count(b"[") + text.count(b"{") <= MOST_LEVELS:
        return 0
    depth = deepest = 0
    for token in TOKEN.finditer(text.decode("latin-1")):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token.group(), 0)
        deepest = max(deepest, depth)
    return deepest


def held(
    row: Mapping[str, Any], columns: Mapping[str, TColumnSchema], destination: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """A row of a catalog table as `destination` can hold it.

    Args:
        row: cells; JSON as `bytes`.
        columns: of the table.
        destination: a dlt destination type.

    Returns:
        The row, and for each column whose cell had to be changed the reason.
    """
    cells, reasons = dict(row), dict[str, str]()
    for name, cell in row.items():
        column = columns[name]
        if isinstance(cell, bytes) and type_of(column) == "json":
            reason = _json_refusal(cell, destination)
            if reason is not None:
                cells[name], reasons[name] = json.dumps(cell.decode(errors="replace")).encode(), reason
        elif isinstance(cell, str):
            odd = _HALF_OR_NUL if destination.rpartition(".")[2] in WITHOUT_NUL else _HALF
            if odd.search(cell):
                cells[name] = None if column.get("nullable") else odd.sub("\N{REPLACEMENT CHARACTER}", cell)
                reasons[name] = "it holds U+0000 or half a surrogate pair"
    return cells, reasons


def _json_refusal(text: bytes, destination: str) -> str | None:
    try:
        msgspec.json.decode(text)
    except DECODE_ERRORS as error:
        return why(error)
    return refusal({"": msgspec.Raw(text)}, destination)


def _integer_beyond(least: int, most: int, text: bytes) -> str | None:
    """The first integer of JSON text that is out of bounds."""
    found: list[str] = []

    def check(literal: str) -> int:
        if not least <= int(literal) <= most:
            found.append(literal)
        return 0

    json.loads(text, parse_int=check)
    return found[0] if found else None


def _number_beyond_jsonb(text: bytes) -> str | None:
    """The first number of JSON text that is too small, or zero in too odd a way, for jsonb."""
    found: list[str] = []

    def check(literal: str) -> float:
        match = _NUMBER.fullmatch(literal)
        decimals, exponent = (match[1] or "", int(match[2] or 0)) if match else ("", 0)
        if len(decimals) - exponent > MOST_DECIMALS or exponent > LARGEST_EXPONENT:
            found.append(literal)
        return 0.0

    json.loads(text, parse_float=check)
    return found[0] if found else None
