"""What a destination cannot hold although it is a valid STAC document.

Such an item is rejected, alone. A row that describes the API or a collection stays, because partitions depend
on it: a document that its column cannot hold is there as one text, a JSON string, and a title is NULL.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from dlt.common.schema.typing import TColumnSchema

from stac_assets.source.columns import type_of
from stac_assets.source.dialects import Decimals, Dialect
from stac_assets.stac.documents import DECODE_ERRORS, TOKEN, Item, why

_HALF = re.compile("[\ud800-\udfff]")
_HALF_OR_NUL = re.compile("[\ud800-\udfff\0]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MARKS = bytes.maketrans(b"123456789-+E{", b"00000000000e[")
"""What becomes of JSON text before it is looked at: each digit and sign is a 0, each opening bracket a [."""
_LONG_INTEGER = b"0" * 19
_LONG_EXPONENT = b"0e0000"
_LONG_FRACTION = b"0" * 100
_BEFORE_NUMBER = b":,[ \t\r\n"
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:[eE]([-+]?\d+))?")


def refusal(item: Item, dialect: Dialect) -> str | None:
    """Why a destination cannot hold `item`; None where it can.

    All that an API sends comes by here. So what hardly any item holds is looked for by methods of `bytes`,
    which are ten times as fast as a regular expression, and only what they find is looked at in earnest.
    """
    if not (dialect.refuses_nul or dialect.integers or dialect.decimals):
        return None
    text = b",".join(item.values())
    if dialect.refuses_nul and ("\0" in "".join(item) or _holds_nul(text)):
        return f"it holds the character U+0000, which {dialect.name} cannot store"
    marked = text.translate(_MARKS)
    levels = dialect.most_levels
    if levels is not None and marked.count(b"[") > levels and _levels(item) > levels:
        return f"it is nested in more than {levels} levels, which {dialect.name} cannot store"
    number = None
    if dialect.decimals is not None and any(
        _may_hold(marked, sought) for sought in (_LONG_EXPONENT, _LONG_FRACTION)
    ):
        number = _first(partial(_number_beyond, dialect.decimals), item)
    if number is None and dialect.integers is not None and _may_hold(marked, _LONG_INTEGER):
        number = _first(partial(_integer_beyond, *dialect.integers), item)
    if number is not None:
        return f"it holds the number {number[:40]}, which {dialect.name} cannot store"
    return None


def _holds_nul(text: bytes) -> bool:
    return b"\\" in text and b"\\u0000" in text and _NUL.search(text) is not None


def _may_hold(marked: bytes, sought: bytes) -> bool:
    """Whether some number in JSON text may hold what is sought.

    A digest often looks as if one did; but something else stands before it than before a number.

    Args:
        marked: the text, after `_MARKS`.
        sought: a part of a number, marked in the same way.
    """
    at, seen = marked.find(sought), 0
    while at >= 0:
        start, end = at, at + len(sought)
        while start > seen and marked[start - 1] in b"0.":
            start -= 1
        if not start or (start > seen and marked[start - 1] in _BEFORE_NUMBER):
            return True  # what goes on from where was looked before is no number either
        while marked[end : end + 1] == b"0":
            end += 1
        seen = end - 1
        at = marked.find(sought, seen)
    return False


def _first(find: Callable[[bytes], str | None], item: Item) -> str | None:
    """What is found in the first member in which something is."""
    return next((found for raw in item.values() if (found := find(bytes(raw))) is not None), None)


def _levels(item: Item) -> int:
    """The levels of nesting of the member that has most."""
    depth = deepest = 0
    for raw in item.values():
        for token in TOKEN.finditer(bytes(raw).decode("latin-1")):
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
