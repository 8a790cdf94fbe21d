"""What Databricks makes of the files that it copies: it parses JSON text, and refuses some of it.

Written after Spark's `parse_json`, which is public (`VariantBuilder.java`, and the limits of Jackson).
"""

import json
from typing import Any

import pyarrow.parquet as pq

from stac_assets_tests.destinations.dry import Dry

LARGEST_INTEGER = 10**38 - 1
LONGEST_NUMBER = 1000


def copied(dry: Dry, table: str) -> list[dict[str, Any]]:
    """The rows of a table's load files, as they are in the table."""
    variants = [name for name, kind in dry.types(table).items() if kind == "VARIANT"]
    rows = [row for file in dry.files[table] for row in pq.read_table(file).to_pylist()]
    return [{**row, **{name: parse_json(row[name]) for name in variants}} for row in rows]


def parse_json(text: str | None) -> Any:
    """The value of JSON text; refused is what would fail the load, and what would not come back."""
    return (
        None
        if text is None
        else json.loads(text, object_pairs_hook=_once, parse_int=_whole, parse_float=_float)
    )


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    assert len(found) == len(members), "VARIANT_DUPLICATE_KEY"
    return found


def _whole(literal: str) -> int:
    assert abs(int(literal)) <= LARGEST_INTEGER, f"{literal} becomes a double"
    return int(literal)


def _float(literal: str) -> float:
    assert len(literal) <= LONGEST_NUMBER, "MALFORMED_RECORD_IN_PARSING"
    return float(literal)
