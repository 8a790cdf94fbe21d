"""Where on the globe the items of a partition lie."""

from collections.abc import Iterator, Sequence

import dagster as dg

from stac_assets.orchestration.pictures import svg
from stac_assets.orchestration.pictures.world import CONTINENTS
from stac_assets.stac.wording import counted

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; a west edge east of the east edge crosses the antimeridian."""

WIDTH, HEIGHT = 480, 240
SMALLEST = 3.0
"""Pixels of a box that would be too small to be seen."""
MOST_BOXES = 300


def footprints(boxes: Sequence[Box], total: int) -> dg.MarkdownMetadataValue:
    """A small world map with the boxes of items.

    Args:
        boxes: of the items, or of some of them.
        total: how many items there are.
    """
    some = boxes[:: max(1, -(-len(boxes) // MOST_BOXES))]
    shown = [part for box in some for part in _parts(box)]
    elements = [
        svg.rectangle(0, 0, WIDTH, HEIGHT, fill="#eef3f7"),
        svg.outlines([[_pixel(x, y) for x, y in ring] for ring in CONTINENTS.values()], fill="#d3dbd0"),
        svg.rings([_ring(box) for box in shown], fill="#d9480f", fill_opacity="0.25", stroke="#d9480f"),
    ]
    words = counted(total, "item") if len(some) == total else f"{len(some)} of {total} items"
    return svg.picture(WIDTH, HEIGHT, elements, f"Footprints of {words}")


def _parts(box: Box) -> Iterator[Box]:
    west, south, east, north = box
    if west <= east:
        yield box
    else:
        yield west, south, 180.0, north
        yield -180.0, south, east, north


def _ring(box: Box) -> list[svg.Point]:
    (left, bottom), (right, top) = _pixel(box[0], box[1]), _pixel(box[2], box[3])
    if right - left < SMALLEST:
        left, right = (left + right - SMALLEST) / 2, (left + right + SMALLEST) / 2
    if bottom - top < SMALLEST:
        top, bottom = (top + bottom - SMALLEST) / 2, (top + bottom + SMALLEST) / 2
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _pixel(longitude: float, latitude: float) -> svg.Point:
    """Plate carrée; what lies off the globe is drawn at its edge."""
    x = min(max(longitude, -180.0), 180.0)
    y = min(max(latitude, -90.0), 90.0)
    return (x + 180) * WIDTH / 360, (90 - y) * HEIGHT / 180
