"""Geometries as APIs send them: those of which a column for geo tools can hold something, and others."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from stac_assets_tests.stac_api import RawItem, StacApi, make_item

SQUARE = [[13.0, 52.0], [14.0, 52.0], [14.0, 53.0], [13.0, 53.0], [13.0, 52.0]]
HOLE = [[13.2, 52.2], [13.4, 52.2], [13.4, 52.4], [13.2, 52.2]]
EAST, WEST = (
    [[x, -17.0], [x + 2.5, -17.0], [x + 2.5, -15.0], [x, -15.0], [x, -17.0]] for x in (177.5, -180.0)
)
ACROSS = [[179.0, 1.0], [-179.0, 1.0], [-179.0, 2.0], [179.0, 2.0], [179.0, 1.0]]


def _of(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates}


POINT = _of("Point", [13.4, 52.5])
SHAPES: Mapping[str, Any] = {
    "point": POINT,
    "many points": _of("MultiPoint", [[13.4, 52.5], [0.1, 0.2]]),
    "line": _of("LineString", [[13.4, 52.5], [13.5, 52.5000000001]]),
    "lines": _of("MultiLineString", [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]),
    "polygon": _of("Polygon", [SQUARE]),
    "hole": _of("Polygon", [SQUARE, HOLE]),
    "both sides of the antimeridian": _of("MultiPolygon", [[EAST], [WEST]]),
    "across the antimeridian": _of("Polygon", [ACROSS]),
    "crosses itself": _of("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
    "beyond the world": _of("Point", [540.0, 95.0]),
    "collection": {"type": "GeometryCollection", "geometries": [POINT, _of("Polygon", [SQUARE])]},
    "collections beside each other": {
        "type": "GeometryCollection",
        "geometries": [{"type": "GeometryCollection", "geometries": [POINT]}] * 40,
    },
    "heights": _of("Polygon", [[[x, y, 34.5] for x, y in SQUARE]]),
    "a high point": _of("Point", [13.4, 52.5, -1.25]),
    "no points": _of("MultiPoint", []),
    "nothing in a collection": {"type": "GeometryCollection", "geometries": []},
}
"""Those that are stored as they are."""

NO_OBJECTS: Mapping[str, Any] = {"a list": [13.4, 52.5], "a word": "POINT (1 2)"}
"""Those that no column of GeoJSON holds, and so is without; the row has them in `extra`."""
NO_SHAPES: Mapping[str, Any] = {
    "not closed": _of("Polygon", [SQUARE[:-1]]),
    "a ring of three positions": _of("Polygon", [[[0, 0], [1, 1], [0, 0]]]),
    "text": _of("Point", ["13.4", "52.5"]),
    "one number": _of("Point", [13.4]),
    "four dimensions": _of("Point", [13.4, 52.5, 1.0, 2.0]),
    "null in a position": _of("Point", [13.4, None]),
    "no such type": _of("Circle", [13.4, 52.5]),
    "no coordinates": {"type": "Polygon"},
    **NO_OBJECTS,
}
"""Those of which no geometry can be made."""


def put(api: StacApi, shapes: Mapping[str, Any], day: str = "2024-01-01") -> None:
    """Let the API have an item of each geometry, whose id is the name of it."""
    for number, (name, shape) in enumerate(shapes.items()):
        time = f"{day}T{number // 60:02}:{number % 60:02}:00Z"
        api.put(make_item(name, datetime=time, extra={"geometry": shape}))


def put_deep(api: StacApi, levels: int, day: str = "2024-01-01") -> None:
    """Let the API have an item whose geometry is a collection within a collection, and so on."""
    geometry = '{"type":"GeometryCollection","geometries":[' * levels + "]}" * levels
    text = (
        f'{{"type": "Feature", "stac_version": "1.0.0", "id": "deep", "collection": "c1", "links": [], '
        f'"assets": {{}}, "properties": {{"datetime": "{day}T12:00:00Z"}}, "geometry": {geometry}}}'
    )
    noon = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    api.put(RawItem(text.encode(), "c1", noon, noon, "deep"))
