"""Short tables for the UI."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

SHOWN_ROWS = 5
SHOWN_CHARACTERS = 80


def short_table(rows: Sequence[Mapping[str, Any]], most: int = SHOWN_ROWS) -> dg.TableMetadataValue:
    """The first rows, without the columns that are empty in all of them; long texts are cut."""
    shown = rows[:most]
    names = [name for name in (shown[0] if shown else ()) if any(row[name] is not None for row in shown)]
    return dg.MetadataValue.table(
        [dg.TableRecord({name: _cell(row[name]) for name in names}) for row in shown]
    )


def names_table(named: Sequence[tuple[str, str]]) -> dg.TableMetadataValue:
    """Items by id, each with the partition key that owns it."""
    return short_table([{"id": item_id, "owner": key} for item_id, key in named], len(named))


def _cell(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
