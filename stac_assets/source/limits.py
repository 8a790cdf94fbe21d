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

LARGEST_INTEGERS = {
    "bigquery": (-(2**63), 2**64 - 1),
    "snowflake": (1 - 10**38, 10**38 - 1),
    "redshift": (1 - 10**38, 10**38 - 1),
}
"""Integers that the JSON types of warehouses hold: others become the nearest double, or fail the load."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_NUMBER = re.compile(rb"\d[eE][-+]?\d{4}|\.\d{9999}")
_LONG_INTEGER = re.compile(rb"\d{19}")
MOST_COLUMNS = {"postgres": 1600, "redshift": 1600, "bigquery": 10_000}
"""Columns that a table may have (PostgreSQL manual, appendix K; the quotas of Redshift and BigQuery)."""

_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:[eE]([-+]?\d+))?")


def refusal(item: Item, destination: str) -> str | None:
    """Why `destination` (a dlt destination type) cannot hold `item`; None where it can."""
    kind = destination.rpartition(".")[2]
    if kind in WITHOUT_NUL and any("\0" in name or _NUL.search(raw) for name, raw in item.items()):
        return f"it holds the character U+0000, which {kind} cannot store"
    for raw in item.values():
        number = None
        if kind == "postgres" and _LONG_NUMBER.search(raw):
            number = _number_beyond_jsonb(bytes(raw))
        elif kind in LARGEST_INTEGERS and _LONG_INTEGER.search(raw):
            number = _integer_beyond(*LARGEST_INTEGERS[kind], bytes(raw))
        if number is not None:
            return f"it holds the number {number[:40]}, which {kind} cannot store"
    return None


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
