"""What a destination cannot hold although it is a valid STAC item: such a document is rejected, alone."""

import json
import re

from stac_assets.stac.documents import Item

WITHOUT_NUL = {"postgres", "redshift"}
"""Destinations whose text and JSON types refuse the character U+0000 (PostgreSQL manual, 8.3 and 8.14)."""
MOST_DECIMALS = 16_383
"""Digits after the point that a number of PostgreSQL's, and so of its jsonb, may have (manual, 8.1.2)."""
LARGEST_EXPONENT = 1_000_000_000
"""Beyond it PostgreSQL takes not even a zero."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_NUMBER = re.compile(rb"\d[eE][-+]?\d{4}|\.\d{9999}")
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:[eE]([-+]?\d+))?")


def refusal(item: Item, destination: str) -> str | None:
    """Why `destination` (a dlt destination type) cannot hold `item`; None where it can."""
    kind = destination.rpartition(".")[2]
    if kind in WITHOUT_NUL and any("\0" in name or _NUL.search(raw) for name, raw in item.items()):
        return f"it holds the character U+0000, which {kind} cannot store"
    if kind == "postgres":
        for raw in item.values():
            number = _number_beyond_jsonb(bytes(raw)) if _LONG_NUMBER.search(raw) else None
            if number is not None:
                return f"it holds the number {number[:40]}, which {kind} cannot store"
    return None


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
