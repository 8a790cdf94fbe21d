"""One STAC item, one row, and back: the columns of an item table hold every member of the document."""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from stac_assets.source.columns import FINGERPRINT
from stac_assets.source.fingerprint import digest_of
from stac_assets.stac.boxes import BOX, bbox_columns
from stac_assets.stac.documents import Item, object_text
from stac_assets.stac.windows import parse_time

TEXT_MEMBERS = ("id", "collection", "stac_version")
OBJECT_MEMBERS = ("geometry", "properties", "assets")
LIST_MEMBERS = ("links", "stac_extensions", "bbox")
JSON_MEMBERS = (*OBJECT_MEMBERS, *LIST_MEMBERS)
TIME_PROPERTIES = ("datetime", "start_datetime", "end_datetime", "created", "updated")

_QUOTE, _BRACE, _BRACKET = b'"{['
_BEGINS = {
    **dict.fromkeys(TEXT_MEMBERS, _QUOTE),
    **dict.fromkeys(OBJECT_MEMBERS, _BRACE),
    **dict.fromkeys(LIST_MEMBERS, _BRACKET),
}
"""How the text of a member that has a column begins, if it is what the specification says."""
_EMPTY: dict[str, Any] = dict.fromkeys((*TEXT_MEMBERS, *TIME_PROPERTIES, *BOX, *JSON_MEMBERS, "extra"))

_decode_text = msgspec.json.Decoder(str).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


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
        The row (JSON columns as `bytes`, times as UTC `datetime`), without `_partition_key` and with the
        digest of the document as its fingerprint; the properties.

    Raises:
        NotARow: the item has no id.
    """
    row = _EMPTY.copy()
    row[FINGERPRINT] = digest_of(item)
    extra: dict[str, bytes] = {}
    for name, raw in item.items():
        text = bytes(raw)
        begin = _BEGINS.get(name)
        if text[0] != begin:
            extra[name] = text
        else:
            row[name] = _decode_text(text) if begin == _QUOTE else text
    if not row["id"]:
        if not extra.get("id", b"").lstrip(b"-")[:1].isdigit():
            raise NotARow("the item has no id")
        row["id"] = extra["id"].decode()  # a number, which `extra` keeps as it is
    row["extra"] = object_text(extra)
    if row["collection"] is None:
        row["collection"] = collection
    if "collection" not in item:
        row["extra"] = b"[" + row["extra"] + b"," + msgspec.json.encode(["collection"]) + b"]"
    properties = {} if row["properties"] is None else _decode_object(row["properties"])
    for name in TIME_PROPERTIES:
        if (time := properties.get(name)) is not None:
            row[name] = parse_time(time)
    if row["bbox"] is not None:
        row.update(bbox_columns(row["bbox"]))
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


def _parsed(value: Any) -> Any:
    if value is None or _is_nan(value):
        return None
    return json.loads(value) if isinstance(value, str | bytes) else value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
