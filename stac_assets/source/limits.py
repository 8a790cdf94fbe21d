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
from stac_assets.source.dialects import Decimals, Dialect
from stac_assets.stac.documents import DECODE_ERRORS, TOKEN, Item, why

_HALF = re.compile("[\ud800-\udfff]")
_HALF_OR_NUL = re.compile("[\ud800-\udfff\0]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_NUMBER = re.compile(rb"\d[eE][-+]?\d{4}|\.\d{9999}")
_LONG_INTEGER = re.compile(rb"\d{19}")
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:[eE]([-+]?\d+))?")


def refusal(item: Item, dialect: Dialect) -> str | None:
    """Why a destination cannot hold `item`; None where it can."""
    if dialect.refuses_nul and any("\0" in name or _NUL.search(raw) for name, raw in item.items()):
        return f"it holds the character U+0000, which {dialect.name} cannot store"
    if dialect.integers is None and dialect.decimals is None:
        return None
    for raw in item.values():
        levels = dialect.most_levels
        if levels is not None and _levels(bytes(raw), levels) > levels:
            return f"it is nested in more than {levels} levels, which {dialect.name} cannot store"
        number = None
        if dialect.decimals is not None and _LONG_NUMBER.search(raw):
            number = _number_beyond(dialect.decimals, bytes(raw))
        elif dialect.integers is not None and _LONG_INTEGER.search(raw):
            number = _integer_beyond(*dialect.integers, bytes(raw))
        if number is not None:
            return f"it holds the number {number[:40]}, which {dialect.name} cannot store"
    return None


def _levels(text: bytes, most: int) -> int:
    """The levels of nesting of JSON text; 0 for a text that has too few brackets for more than `most`."""
    if text.count(b"[") + text.count(b"{") <= most:
        return 0
    depth = deepest = 0
    for token in TOKEN.finditer(text.decode("latin-1")):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token.group(), 0)
        deepest = max(deepest, depth)
    return deepest


def storable(
    row: Mapping[str, Any], columns: Mapping[str, TColumnSchema], dialect: Dialect
) -> tuple[dict[str, Any], dict[str, str]]:
    """A row of a catalog table as a destination can hold it.

    Args:
        row: cells; JSON as `bytes`.
        columns: of the table.
        dialect: of the destination.

    Returns:
        The row, and for each column whose cell had to be changed the reason.
    """
    cells, reasons = dict(row), dict[str, str]()
    for name, cell in row.items():
        column = columns[name]
        if isinstance(cell, bytes) and type_of(column) == "json":
            reason = _json_refusal(cell, dialect)
            if reason is not None:
                cells[name], reasons[name] = json.dumps(cell.decode(errors="replace")).encode(), reason
        elif isinstance(cell, str):
            odd = _HALF_OR_NUL if dialect.refuses_nul else _HALF
            if odd.search(cell):
                cells[name] = None if column.get("nullable") else odd.sub("\N{REPLACEMENT CHARACTER}", cell)
                reasons[name] = "it holds U+0000 or half a surrogate pair"
    return cells, reasons


def _json_refusal(text: bytes, dialect: Dialect) -> str | None:
    try:
        msgspec.json.decode(text)
    except DECODE_ERRORS as error:
        return why(error)
    return refusal({"": msgspec.Raw(text)}, dialect)


def _integer_beyond(least: int, most: int, text: bytes) -> str | None:
    """The first integer of JSON text that is out of bounds."""
    found: list[str] = []

    def check(literal: str) -> int:
        if not least <= int(literal) <= most:
            found.append(literal)
        return 0

    json.loads(text, parse_int=check)
    return found[0] if found else None


def _number_beyond(decimals: Decimals, text: bytes) -> str | None:
    """The first number of JSON text that is too small, or zero in too odd a way."""
    found: list[str] = []

    def check(literal: str) -> float:
        match = _NUMBER.fullmatch(literal)
        digits, exponent = (match[1] or "", int(match[2] or 0)) if match else ("", 0)
        if len(digits) - exponent > decimals.most_decimals or exponent > decimals.largest_exponent:
            found.append(literal)
        return 0.0

    json.loads(text, parse_float=check)
    return found[0] if found else None
