"""All collections of the API (STAC API - Collections)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stac_assets.stac.endpoints.cells import json_text, texts, written
from stac_assets.stac.endpoints.endpoint import BOX_COLUMNS, Endpoint, Refused, Row, columns
from stac_assets.stac.errors import StacError
from stac_assets.stac.windows import parse_time

if TYPE_CHECKING:
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.documents import Item
    from stac_assets.stac.survey import Surveyor

COLLECTION_COLUMNS = columns(
    id=("text!", "Identifier of the collection"),
    title=("text", "Title"),
    description=("text", "Description, CommonMark"),
    license=("text", "Licence identifier (SPDX, `various` or `proprietary`)"),
    stac_version=("text", "STAC version that the document claims"),
    **BOX_COLUMNS,
    start_datetime=("timestamp", "Begin of the temporal extent, UTC; null where open"),
    end_datetime=("timestamp", "End of the temporal extent, UTC; null where open"),
    keywords=("json", "Keywords"),
    providers=("json", "Providers"),
    document=("json", "The whole document, as sent"),
)


def collection_row(members: "Item") -> Row:
    """The row of one collection document, given the JSON text of each of its members."""
    from stac_assets.stac.boxes import bbox_columns
    from stac_assets.stac.documents import object_text

    document = json.loads(object_text(members))
    extent = document.get("extent") if isinstance(document.get("extent"), dict) else {}
    start, end = _interval(extent.get("temporal"))
    spatial = extent.get("spatial")
    boxes = spatial.get("bbox") if isinstance(spatial, dict) else None
    return {
        **texts(document, "id", "title", "description", "license", "stac_version"),
        **bbox_columns(written(boxes[0]) if isinstance(boxes, list) and boxes else b""),
        "start_datetime": start,
        "end_datetime": end,
        "keywords": json_text(members, "keywords"),
        "providers": json_text(members, "providers"),
        "document": object_text(members),
    }


def _interval(temporal: Any) -> tuple[Any, Any]:
    intervals = temporal.get("interval") if isinstance(temporal, dict) else None
    first = intervals[0] if isinstance(intervals, list) and intervals else None
    if not isinstance(first, list) or len(first) != 2:
        return None, None
    return parse_time(first[0]), parse_time(first[1])


def _rows(api: "StacApi", collections: Sequence[str]) -> "Iterator[Row | Refused]":
    for number, members in enumerate(api.collections(), 1):
        row = collection_row(members)
        if row["id"] is None:
            yield Refused(f"entry {number}", StacError("it has no id, or one that is no text"))
        else:
            yield row


def _probe(survey: "Surveyor") -> str:
    known = survey.api.collection_ids()
    configured = [window for window in survey.ranges if window.collection in known]
    if configured:
        survey.window = configured[0]
    elif known:
        survey.window = replace(survey.window, collection=known[0])
    return f"{len(known)} listed"


COLLECTIONS = Endpoint(
    name="collections",
    path="GET /collections",
    relations=("data",),
    upstream="client_root",
    description="""
All collections, `GET /collections`, every page of it. One row per collection with its extent, licence and
the whole document. With `collections = "*"` materializing it also registers the item assets' partitions.
""",
    columns=COLLECTION_COLUMNS,
    lists_collections=True,
    rows=_rows,
    probe=_probe,
)
