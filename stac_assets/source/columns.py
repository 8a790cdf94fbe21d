"""The tables and their columns: what dlt is told about each, before a row is seen."""

from typing import Any

from dlt.common.schema.typing import TColumnSchema, TSchemaContractDict

ITEM_TABLES = ("collection_items", "search", "item")
REJECTED = "rejected_items"

CONTRACT: TSchemaContractDict = {"tables": "evolve", "columns": "evolve", "data_type": "freeze"}
"""Tables and columns may be added; a column never changes its type."""

PARTITION_KEY = "_partition_key"
DELETED = "_deleted"
PROPERTY_HINT = "x-stac-property"
"""Hint on a promoted column: the property that claimed it."""


def _columns(**described: tuple[str, str]) -> dict[str, TColumnSchema]:
    """`name=("type", "description")`; a type that ends in `!` is not null."""
    return {
        name: TColumnSchema(
            name=name,
            data_type=data_type.rstrip("!"),  # type: ignore[typeddict-item]
            nullable=not data_type.endswith("!"),
            description=description,
        )
        for name, (data_type, description) in described.items()
    }


def _with_hint(columns: dict[str, TColumnSchema], name: str, **hints: Any) -> dict[str, TColumnSchema]:
    return {**columns, name: {**columns[name], **hints}}  # type: ignore[dict-item]


def type_of(column: TColumnSchema) -> str:
    """dlt's data type of a column."""
    return column.get("data_type") or "text"


_BBOX = {
    "bbox_xmin": (
        "double",
        "West edge of the box, degrees (WGS 84); above bbox_xmax at the antimeridian",
    ),
    "bbox_ymin": ("double", "South edge of the bounding box, degrees"),
    "bbox_xmax": ("double", "East edge of the bounding box, degrees"),
    "bbox_ymax": ("double", "North edge of the bounding box, degrees"),
}

ITEM_COLUMNS = _with_hint(
    _columns(
        id=("text!", "Identifier of the item, unique within its collection"),
        collection=("text!", "Identifier of the collection"),
        stac_version=("text", "STAC version that the document claims"),
        datetime=("timestamp", "Nominal time of the item, UTC; null where only an interval is given"),
        start_datetime=("timestamp", "Begin of the item's interval, UTC"),
        end_datetime=("timestamp", "End of the item's interval, UTC"),
        created=("timestamp", "When the metadata was created, UTC"),
        updated=("timestamp", "When the metadata was last changed, UTC"),
        **_BBOX,
        geometry=("json", "GeoJSON geometry, as sent"),
        properties=("json", "All properties, as sent"),
        assets=("json", "Assets by key, as sent"),
        links=("json", "Links, as sent"),
        stac_extensions=("json", "Schema URLs of the extensions used"),
        bbox=("json", "Bounding box as sent: 4 or 6 numbers"),
        extra=("json", "Any other top-level member; of a list, the second part names absent members"),
        _partition_key=("text!", "collection|YYYY-MM-DD: the UTC day that owns the row"),
        _deleted=("bool", "Marks tombstones while loading; null in every stored row"),
    ),
    DELETED,
    hard_delete=True,
)

REJECTED_COLUMNS = _with_hint(
    _columns(
        resource=("text!", "The endpoint that the document came from"),
        collection=("text!", "The collection that was asked for"),
        id=("text", "Identifier of the document, where it could be read"),
        reason=("text", "Why it could not be loaded"),
        document=("text", "The whole document, as text"),
        _partition_key=("text!", "resource|collection|YYYY-MM-DD"),
        _deleted=("bool", "Marks tombstones while loading; null in every stored row"),
    ),
    DELETED,
    hard_delete=True,
)

_COLLECTION_COLUMNS = _columns(
    id=("text!", "Identifier of the collection"),
    title=("text", "Title"),
    description=("text", "Description, CommonMark"),
    license=("text", "Licence identifier (SPDX, `various` or `proprietary`)"),
    stac_version=("text", "STAC version that the document claims"),
    **_BBOX,
    start_datetime=("timestamp", "Begin of the temporal extent, UTC; null where open"),
    end_datetime=("timestamp", "End of the temporal extent, UTC; null where open"),
    keywords=("json", "Keywords"),
    providers=("json", "Providers"),
    document=("json", "The whole document, as sent"),
)

CATALOG_COLUMNS: dict[str, dict[str, TColumnSchema]] = {
    "client_root": _columns(
        id=("text", "Identifier of the catalog"),
        title=("text", "Title"),
        description=("text", "Description, CommonMark"),
        stac_version=("text", "STAC version that the document claims"),
        url=("text!", "The base URL"),
        conforms_to=("json", "Conformance classes, as sent"),
        links=("json", "Links, as sent"),
        document=("json", "The whole landing page, as sent"),
    ),
    "conformance": _columns(uri=("text!", "URI of a conformance class")),
    "landing_pages": _columns(
        rel=("text", "Link relation"),
        href=("text!", "Where the link leads, absolute"),
        type=("text", "Media type that the link claims"),
        title=("text", "Title of the link"),
        status=("bigint", "HTTP status of the document; null where it is not fetched"),
        document=("json", "The JSON document behind the link"),
    ),
    "collections": _COLLECTION_COLUMNS,
    "collection": _COLLECTION_COLUMNS,
    "queryables": _columns(
        collection=("text", "The collection; null for the root's own queryables"),
        name=("text!", "Name of the property"),
        title=("text", "Title"),
        type=("text", "JSON type; several are joined by a comma"),
        schema=("json", "JSON schema of the property"),
    ),
}
