"""One STAC item, one row, and back: the columns of an item table hold every member of the document."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from stac_assets.stac.documents import Item, object_text
from stac_assets.stac.windows import parse_time

TEXT_MEMBERS = ("id", "collection", "stac_version")
JSON_MEMBERS = {
    "geometry": b"{",
    "properties": b"{",
    "assets": b"{",
    "links": b"[",
    "stac_extensions": b"[",
    "bbox": b"[",
}
"""Members that have a JSON column, and how their text begins if they are what the specification says."""
BOX = ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax")
_BEGINS = {**dict.fromkeys(TEXT_MEMBERS, b'"'), **JSON_MEMBERS}
TIME_PROPERTIES = ("datetime", "start_datetime", "end_datetime", "created", "updated")
LARGEST_EXACT_INTEGER = 2**53

Kind = Literal["bool", "number", "text"]
_KINDS: dict[type, Kind] = {str: "text", bool: "bool", float: "number", int: "number"}
_TIMES = frozenset(TIME_PROPERTIES)
_decode = msgspec.json.decode
_decode_box = msgspec.json.Decoder(list[float]).decode


class NotARow(ValueError):
    """The document cannot be a row; the message says why."""


def build_row(item: Item, collection: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The core columns of an item, and its properties as Python values.

    A member that is what the specification says goes to the column of its name; anything else (other
    members, nulls, other types) goes to `extra`, so that `item_from_row` gives back what was sent.

    Args:
        item: the JSON text of each member.
        collection: the collection that was asked for, for items that name none.

    Returns:
        The row (JSON columns as `bytes`, times as UTC `datetime`), without `_partition_key`; the properties.

    Raises:
        NotARow: the item has no id.
    """
    row: dict[str, Any] = {}
    extra: dict[str, bytes] = {}
    for name, raw in item.items():
        text = bytes(raw)
        begin = _BEGINS.get(name)
        if begin is None or not text.startswith(begin):
            extra[name] = text
        else:
            row[name] = _decode(text) if begin == b'"' else text
    if not row.get("id"):
        if not extra.get("id", b"").lstrip(b"-")[:1].isdigit():
            raise NotARow("the item has no id")
        row["id"] = extra["id"].decode()  # a number, which `extra` keeps as it is
    absent = [] if "collection" in item else ["collection"]
    if row.get("collection") is None:
        row["collection"] = collection
    row["extra"] = object_text(extra)
    if absent:
        row["extra"] = b"[" + row["extra"] + b"," + msgspec.json.encode(absent) + b"]"
    properties = _decode(row["properties"]) if "properties" in row else {}
    for name in TIME_PROPERTIES:
        time = properties.get(name)
        row[name] = None if time is None else parse_time(time)
    row.update(bbox_columns(row.get("bbox", b"")))
    return row, properties


def item_from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The STAC item that a row of an item table was made from: the inverse of the row builder.

    Args:
        row: column names and values, as the drivers of DuckDB and PostgreSQL return them, and for DuckDB
            also `.df().to_dict("records")`; JSON columns may be text or already parsed. (Of PostgreSQL dlt's
            `.df()` makes one struct out of the JSON of all rows, in which absent members become null.)

    Returns:
        The item as parsed JSON, equal to what the API sent; members keep the order of the columns.
    """
    extra = _parsed(row.get("extra")) or {}
    extra, absent = extra if isinstance(extra, list) else (extra, [])
    item = {
        name: row[name]
        for name in TEXT_MEMBERS
        if row.get(name) is not None and not _is_nan(row[name]) and name not in absent
    }
    for name in JSON_MEMBERS:
        value = _parsed(row.get(name))
        if value is not None:
            item[name] = value
    return {**item, **extra}


def owner_time(row: Mapping[str, Any]) -> datetime | None:
    """The instant whose UTC day owns the row: `datetime`, else `start_datetime`."""
    return row["datetime"] or row["start_datetime"]


def scalars(properties: Mapping[str, Any]) -> Iterator[tuple[str, Kind | None, Any]]:
    """Name, kind and value of every property that may have a column of its own; times have one already.

    An integer that a double cannot hold exactly comes with the kind None: it has no place in any column.
    """
    for name, value in properties.items():
        kind = _KINDS.get(type(value))
        if kind is None or name in _TIMES:
            continue
        if type(value) is int:
            if -LARGEST_EXACT_INTEGER <= value <= LARGEST_EXACT_INTEGER:
                value = float(value)
            else:
                kind = None
        yield name, kind, value


def unread_times(row: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[str]:
    """The time properties that are given, but name no time."""
    for name in TIME_PROPERTIES:
        if row[name] is None and properties.get(name) is not None:
            yield name


def bbox_columns(bbox: bytes) -> dict[str, float | None]:
    """`bbox_xmin` … `bbox_ymax` of the JSON text of a 2D or 3D box (RFC 7946, section 5); else nulls."""
    try:
        corners = _decode_box(bbox)
    except msgspec.DecodeError:
        corners = []
    if len(corners) == 6:
        del corners[2::3]
    if len(corners) == 4 and min(corners) > -1e300 and max(corners) < 1e300:
        return dict(zip(BOX, corners, strict=True))
    return dict.fromkeys(BOX)


def _parsed(value: Any) -> Any:
    if value is None or _is_nan(value):
        return None
    return json.loads(value) if isinstance(value, str | bytes) else value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
