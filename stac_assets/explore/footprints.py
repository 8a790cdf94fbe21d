"""The footprints of some items, in lines that a chart can draw."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stac_assets.explore.mirror import Mirror, Rows, Table, absent
from stac_assets.explore.sample import Sample
from stac_assets.globe.frame import TURN, WORLD, Box, Frame, fitted, moved_into, on_the_globe
from stac_assets.globe.outline import outline
from stac_assets.source.columns import ITEM_TIME

MOST = 500
"""Footprints on a map."""
READ = 2_000
"""Rows of which these are taken, so that each day of a sample has some."""
SHAPE = 1.6
"""Width of a map by its height."""
FINEST = (500, 125, 30)
"""A footprint has corners no nearer to each other than this part of the map's width: of the first where the
map has no more corners then than `MOST_CORNERS`, or of a later one. Else all are drawn as their boxes."""
MOST_CORNERS = 15_000
LONGEST = 20_000
"""Letters of a geometry that is read; an item with a longer one is drawn as its box."""
Drawn = tuple[Any, Any, Any, Box | None]
"""Of an item: its id, its time, its shape or none, its box."""
BOX = ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax")


@dataclass(frozen=True)
class Footprints:
    """What a map shows.

    Args:
        corners: a row for each corner: `longitude`, `latitude`, `ring` (a number for each line), `place`
            (its order there), `kind` (`area`, `line` or `point`), and of its item `id` and `time`
            (UTC, as text: a chart would show it in the zone of the browser).
        frame: the part of the globe where they lie, with a margin.
        items: how many items are drawn.
        nowhere: of those that were read, how many have no geometry.
    """

    corners: Rows
    frame: Frame
    items: int
    nowhere: int


def footprints(mirror: Mirror, table: Table, some: Sample) -> Footprints:
    """The footprints of some items, at most `MOST`: their geometries, or their boxes where these are none."""
    rows = mirror.ask(
        f"SELECT id, {ITEM_TIME} AS time, {', '.join(BOX)}, "  # noqa: S608
        f"CASE WHEN length(CAST(geometry AS VARCHAR)) <= {LONGEST} THEN CAST(geometry AS VARCHAR) END "
        f"AS geometry FROM {table.sql} WHERE {some.condition} LIMIT {READ}",
        *some.values,
    )
    thinned = rows.iloc[:: max(1, -(-len(rows) // MOST))]
    boxes = [_box(row) for row in thinned[list(BOX)].itertuples(index=False)]
    shapes = _shapes(thinned["geometry"])
    drawn = [
        (item, time, shape, box)
        for item, time, shape, box in zip(thinned["id"], thinned["time"], shapes, boxes, strict=True)
        if box is not None or shape is not None
    ]
    placed = [(item, time, shape, box or _bounds(shape)) for item, time, shape, box in drawn]
    sound = [each for each in placed if each[3] is not None]
    frame = fitted([box for *_, box in sound if box is not None], SHAPE) if sound else WORLD
    return Footprints(_few_corners(sound, frame), frame, len(sound), len(thinned) - len(sound))


def land(frame: Frame) -> Rows:
    """The land, as corners of rings; `water` tells the lakes. It is rough (`stac_assets.globe.outline`)."""
    import pandas as pd
    import shapely

    turns = (0.0, TURN) if frame.east > WORLD.east else (0.0,)
    rings: list[tuple[Any, bool]] = []
    for part in shapely.get_parts(outline()):
        rings.append((part.exterior, False))
        rings += [(hole, True) for hole in part.interiors]
    rows = [
        {"longitude": x + turn, "latitude": y, "ring": number * 2 + (turn > 0), "place": place, "water": wet}
        for number, (ring, wet) in enumerate(rings)
        for turn in turns
        for place, (x, y) in enumerate(ring.coords)
    ]
    return pd.DataFrame(rows)


def _box(edges: Sequence[Any]) -> Box | None:
    if any(absent(edge) or not math.isfinite(edge) for edge in edges):
        return None
    return on_the_globe(edges)


def _bounds(shape: Any) -> Box | None:
    bounds = shape.bounds
    return on_the_globe(bounds) if all(map(math.isfinite, bounds)) else None


def _shapes(texts: Rows) -> list[Any]:
    """Geometries of GeoJSON; None where there is none."""
    import pyarrow as pa
    import shapely

    from stac_assets.source.geometry import as_wkb

    values = [None if absent(text) else str(text) for text in texts]
    found: Any = shapely.from_wkb(as_wkb(pa.array(values, pa.string()), 2).to_pylist())
    return [None if shape is None or shape.is_empty else shape for shape in found]


def _few_corners(items: Sequence[Drawn], frame: Frame) -> Rows:
    """The corners of all items, as fine as so many items may be drawn."""
    for part in FINEST:
        corners = _corners(items, frame, frame.width / part)
        if len(corners) <= MOST_CORNERS:
            return corners
    return _corners([(item, time, None, box) for item, time, _, box in items], frame, 0.0)


def _corners(items: Sequence[Drawn], frame: Frame, finest: float) -> Rows:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    ring = 0
    for item, time, shape, box in items:
        assert box is not None
        crosses = box[2] > WORLD.east or box[0] < WORLD.west
        for kind, line in _lines(_simple(shape, finest) if shape is not None else _rectangle(box)):
            ring += 1
            moved = _moved(line, crosses, frame)
            rows += [
                {"longitude": x, "latitude": y, "ring": ring, "place": place, "kind": kind}
                | {"id": item, "time": "" if absent(time) else f"{time:%Y-%m-%d %H:%M}"}
                for place, (x, y) in enumerate(moved)
            ]
    names = ["longitude", "latitude", "ring", "place", "kind", "id", "time"]
    return pd.DataFrame(rows, columns=pd.Index(names))


def _simple(shape: Any, finest: float) -> Any:
    import shapely

    return shapely.simplify(shape, finest, preserve_topology=True)


def _rectangle(box: Box) -> Any:
    import shapely

    return shapely.box(*box)


def _lines(shape: Any) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """What is drawn of a geometry: the outer rings of its areas, its lines and its points."""
    import shapely

    for part in shapely.get_parts(shape):
        match part.geom_type:
            case "Polygon":
                yield "area", [(x, y) for x, y, *_ in part.exterior.coords]
            case "LineString" | "LinearRing":
                yield "line", [(x, y) for x, y, *_ in part.coords]
            case "Point":
                yield "point", [(part.x, part.y)]
            case _:
                yield from _lines(part)


def _moved(line: list[tuple[float, float]], crosses: bool, frame: Frame) -> list[tuple[float, float]]:
    """A line in the longitudes of a frame; what was cut at the antimeridian is there on both sides of it."""
    west = min(x for x, _ in line)
    east = max(x for x, _ in line)
    if crosses and east - west > TURN / 2:  # one ring around the globe the wrong way
        line = [(x + TURN if x < 0 else x, y) for x, y in line]
        west, east = min(x for x, _ in line), max(x for x, _ in line)
    by = moved_into((west, 0.0, east, 0.0), frame)[0] - west
    if frame == WORLD and by == 0 and west >= WORLD.east:
        by = -TURN
    return [(x + by, y) for x, y in line]
