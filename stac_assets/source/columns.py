"""The columns of every table, as dlt is told of them before it sees a row."""

from collections.abc import Mapping
from typing import Any

from dlt.common.schema.typing import TColumnSchema, TSchemaContractDict

from stac_assets.stac import endpoints
from stac_assets.stac.endpoints import Column

ITEM_TABLES = tuple(endpoint.name for endpoint in endpoints.ITEM_ENDPOINTS)
REJECTED = "rejected_items"

CONTRACT: TSchemaContractDict = {"tables": "evolve", "columns": "evolve", "data_type": "freeze"}
"""Tables and columns may be added; a column never changes its type."""

PARTITION_KEY = "_partition_key"
ITEM_TIME = "coalesce(datetime, start_datetime)"
"""The time whose UTC day owns an item, in the SQL of every destination."""
FINGERPRINT = "_fingerprint"
DELETED = "_deleted"
PROPERTY_HINT = "x-stac-property"
"""Hint on a promoted column: the property that claimed it."""
SOMEBODY = ""
"""The value of that hint where nobody remembers which property it was."""


def rejected_key(table: str, key: str) -> str:
    """The partition key of a rejected document: the table that it was meant for, and the key of its day."""
    return f"{table}|{key}"


def described(columns: Mapping[str, Column], **hints: Any) -> dict[str, TColumnSchema]:
    """Columns as dlt describes them; `hints` are more of dlt's hints by column."""
    return {
        name: TColumnSchema(
            name=name,
            data_type=column.data_type,
            nullable=column.is_nullable,
            description=column.description,
            **hints.get(name, {}),
        )
        for name, column in columns.items()
    }


def type_of(column: TColumnSchema) -> str:
    """dlt's data type of a column."""
    return column.get("data_type") or "text"


_TOMBSTONE = Column("bool", "Marks tombstones while loading; null in every stored row")
_HARD_DELETE = {DELETED: {"hard_delete": True}}

ITEM_COLUMNS = described(
    {
        **endpoints.ITEM_COLUMNS,
        PARTITION_KEY: Column(
            "text", "collection|YYYY-MM-DD: the UTC day that owns the row", is_nullable=False
        ),
        FINGERPRINT: Column("text", "Tells whether a load would store the row as it is; NULL: unknown"),
        DELETED: _TOMBSTONE,
    },
    **_HARD_DELETE,
)

REJECTED_COLUMNS = described(
    {
        "resource": Column("text", "The endpoint that the document came from", False),
        "collection": Column("text", "The collection that was asked for", False),
        "id": Column("text", "Identifier of the document, where it could be read"),
        "reason": Column("text", "Why it could not be loaded"),
        "document": Column("text", "The whole document, as text"),
        PARTITION_KEY: Column("text", "resource|collection|YYYY-MM-DD", False),
        DELETED: _TOMBSTONE,
    },
    **_HARD_DELETE,
)

CATALOG_COLUMNS: dict[str, dict[str, TColumnSchema]] = {
    name: described(endpoint.columns)
    for name, endpoint in endpoints.ENDPOINTS.items()
    if not endpoint.has_items
}
"""The columns of the tables that describe the API and its collections, by endpoint."""
