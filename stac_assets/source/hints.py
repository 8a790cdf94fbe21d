"""How a warehouse is to lay the rows of item tables out, so that a day is found without reading the rest.

A row's day is in `datetime`, which people ask for, and in `_partition_key`, which a load asks for. Rows are
stored by day, so that whatever orders them by one orders them by the other too.

- BigQuery: monthly partitions, because it allows 10,000, and days since 1972 are more; in them clusters by
  collection and day.
- Snowflake and Databricks: clusters by collection and time. Of a text Snowflake considers the first bytes
  only, and all of a collection's partition keys begin with the same.
- Redshift: sorted by time, for it considers eight bytes of a text. It distributes the rows as it sees fit.
"""

from collections.abc import Mapping
from typing import Any

from dlt.common.schema.typing import TColumnSchema

from stac_assets.source.columns import PARTITION_KEY

COLUMN_HINTS: dict[str, dict[str, str]] = {
    "snowflake": {"collection": "cluster", "datetime": "cluster"},
    "databricks": {"collection": "cluster", "datetime": "cluster"},
    "redshift": {"datetime": "sort"},
}
"""By destination type: the columns that get one of dlt's hints."""

TABLE_HINTS: dict[str, dict[str, Any]] = {
    "bigquery": {
        "x-bigquery-partition": {"datetime": "TIMESTAMP_TRUNC({column_name}, MONTH)"},
        "x-bigquery-cluster-columns": ["collection", PARTITION_KEY],
    }
}


def with_hints(columns: Mapping[str, TColumnSchema], destination_type: str) -> dict[str, TColumnSchema]:
    """`columns` of a table, with hints if it holds items; nothing changes for other destinations."""
    hints = COLUMN_HINTS.get(destination_type, {}) if _holds_items(columns) else {}
    return {
        name: {**column, hints[name]: True} if name in hints else column  # type: ignore[misc]
        for name, column in columns.items()
    }


def table_hints(columns: Mapping[str, TColumnSchema], destination_type: str) -> dict[str, Any] | None:
    """Hints on the table as a whole; None for none."""
    return TABLE_HINTS.get(destination_type) if _holds_items(columns) else None


def _holds_items(columns: Mapping[str, TColumnSchema]) -> bool:
    return PARTITION_KEY in columns and "datetime" in columns
