"""Rows of the six tables that describe the API and its collections."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from stac_assets.source.rows import bbox_columns
from stac_assets.stac.api import QUERYABLES, StacApi
from stac_assets.stac.documents import Item, decode_members, object_text
from stac_assets.stac.http.links import absolute
from stac_assets.stac.windows import parse_time

Row = dict[str, Any]


def client_root(api: StacApi) -> Iterator[Row]:
    """The landing page: one row."""
    members = api.landing.members()
    document = api.landing.document()
    yield {
        **_texts(document, "id", "title", "description", "stac_version"),
        "url": api.landing.base_url,
        "conforms_to": _json(members, "conformsTo"),
        "links": _json(members, "links"),
        "document": object_text(members),
    }


def conformance(api: StacApi) -> Iterator[Row]:
    """One row per conformance class."""
    for uri in api.conformance():
        yield {"uri": uri}


def landing_pages(api: StacApi) -> Iterator[Row]:
    """One row per link of the landing page, with the document behind it."""
    for link in api.landing.links():
        found = api.link_document(link)
        status, text = found or (None, b"")
        yield {
            "rel": link.rel,
            "href": absolute(api.landing.base_url + "/", link.href),
            "type": link.type,
            "title": link.title,
            "status": status,
            "document": text or None,
        }


def collections(api: StacApi) -> Iterator[Row]:
    """One row per collection that the API lists."""
    for members in api.collections():
        yield _collection_row(members)


def collection(api: StacApi, ids: Sequence[str]) -> Iterator[Row]:
    """One row per collection of `ids`, each from its own endpoint."""
    for collection_id in ids:
        yield _collection_row(decode_members(api.collection(collection_id)))


def queryables(api: StacApi, ids: Sequence[str]) -> Iterator[Row]:
    """One row per property that the root or a collection can be queried by.

    Raises:
        EndpointMissing: neither the root nor any of the collections has queryables.
    """
    answered = False
    for collection_id in (None, *ids):
        schema = api.queryables(collection_id)
        if schema is None:
            continue
        answered = True
        properties = schema.get("properties")
        for name, definition in (properties if isinstance(properties, dict) else {}).items():
            described = definition if isinstance(definition, dict) else {}
            types = described.get("type")
            yield {
                "collection": collection_id,
                "name": name,
                "title": _text(described.get("title")),
                "type": ",".join(map(str, types)) if isinstance(types, list) else _text(types),
                "schema": _written(definition),
            }
    if not answered:
        raise api.landing.missing(QUERYABLES)


def _collection_row(members: Item) -> Row:
    document = json.loads(object_text(members))
    extent = document.get("extent") if isinstance(document.get("extent"), dict) else {}
    start, end = _interval(extent.get("temporal"))
    spatial = extent.get("spatial")
    boxes = spatial.get("bbox") if isinstance(spatial, dict) else None
    return {
        **_texts(document, "id", "title", "description", "license", "stac_version"),
        **bbox_columns(_written(boxes[0]) if isinstance(boxes, list) and boxes else b""),
        "start_datetime": start,
        "end_datetime": end,
        "keywords": _json(members, "keywords"),
        "providers": _json(members, "providers"),
        "document": object_text(members),
    }


def _interval(temporal: Any) -> tuple[Any, Any]:
    intervals = temporal.get("interval") if isinstance(temporal, dict) else None
    first = intervals[0] if isinstance(intervals, list) and intervals else None
    if not isinstance(first, list) or len(first) != 2:
        return None, None
    return parse_time(first[0]), parse_time(first[1])


def _texts(document: dict[str, Any], *names: str) -> Row:
    return {name: _text(document.get(name)) for name in names}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _json(members: Item, name: str) -> bytes | None:
    raw = members.get(name)
    return None if raw is None or bytes(raw) == b"null" else bytes(raw)


def _written(value: Any) -> bytes:
    """JSON text of a decoded value; what is not quite JSON (NaN) as Python writes it."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()
