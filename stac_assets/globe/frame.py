"""Which part of the globe a picture shows, so that one sees where some boxes lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, isfinite, radians
from statistics import median

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; a west edge east of the east edge crosses the antimeridian."""

TURN = 360.0
LEAST_SPAN = 0.01
"""Degrees of latitude that a frame has at least: a point is somewhere, too."""
MARGIN = 0.12
"""Of the span of all boxes, on each side."""
OWN_MARGIN = 0.75
"""Of the size of a box, on each side: a single one is not all that is seen."""
MOST_OWN_MARGIN = 5.0
"""Degrees of that: a large box shows by itself where it is."""
LEAST_COSINE = 0.02
"""Near a pole, where a degree of longitude is no way at all."""


@dataclass(frozen=True)
class Frame:
    """A part of the globe, in degrees; one that crosses the antimeridian has its east edge east of 180."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        """Degrees of longitude."""
        return self.east - self.west

    @property
    def height(self) -> float:
        """Degrees of latitude."""
        return self.north - self.south


WORLD = Frame(-180.0, -90.0, 180.0, 90.0)


def on_the_globe(box: Sequence[float]) -> Box | None:
    """The box with its edges in order and on the globe, or nothing where it does not lie there.

    Longitudes may be counted from 0 to 360. What goes beyond the globe ends at its edge.
    """
    west, south, east, north = map(float, box)
    if not all(map(isfinite, (west, south, east, north))):
        return None
    south, north = sorted((south, north))
    if south > WORLD.north or north < WORLD.south or west > TURN or east < -TURN:
        return None
    south, north = max(south, WORLD.south), min(north, WORLD.north)
    if not (-TURN <= west <= TURN and -TURN <= east <= TURN):
        west, east = (min(max(edge, -180.0), 180.0) for edge in (west, east))
    if east - west >= TURN:
        return WORLD.west, south, WORLD.east, north
    width = (east - west) % TURN
    west = west - TURN if west >= 180.0 < east else west + TURN if west < -180.0 else west
    return west, south, west + width, north


def around(boxes: Sequence[Box]) -> Frame:
    """The least part of the globe that has all boxes, across the antimeridian where that is shorter."""
    reach = max(east for _, _, east, _ in boxes) - TURN
    west, widest = WORLD.west, 0.0
    for edge, _, end, _ in sorted(boxes):
        if edge - reach > widest + 1e-9:
            west, widest = edge, edge - reach
        reach = max(reach, end)
    south, north = min(box[1] for box in boxes), max(box[3] for box in boxes)
    return Frame(west, south, west + TURN - widest, north)


def fitted(boxes: Sequence[Box], shape: float) -> Frame:
    """The boxes with a margin, in a frame of a shape, which is its width on the ground by its height.

    Degrees of longitude are as long as they are in its middle. A frame that would not be on the globe is
    moved there; one that is more than half of it around is the whole world.
    """
    found = around(boxes)
    height = _with_margin(found.height, median(north - south for _, south, _, north in boxes))
    width = _with_margin(found.width, median(east - west for west, _, east, _ in boxes))
    middle, across = (found.south + found.north) / 2, (found.west + found.east) / 2
    shrunk = max(cos(radians(middle)), LEAST_COSINE)
    height = max(height, width * shrunk / shape, LEAST_SPAN)
    width = height * shape / shrunk
    if width > TURN / 2 or height > TURN / 2:
        return WORLD
    south = min(max(middle - height / 2, WORLD.south), WORLD.north - height)
    west = across - width / 2
    west += TURN if west < WORLD.west else 0.0
    return Frame(west, south, west + width, south + height)


def _with_margin(span: float, size: float) -> float:
    return span + 2 * max(MARGIN * span, min(OWN_MARGIN * size, MOST_OWN_MARGIN))


def moved_into(box: Box, frame: Frame) -> Box:
    """The box with the longitudes that a frame across the antimeridian counts."""
    turn = TURN if box[0] < frame.west else 0.0
    return box[0] + turn, box[1], box[2] + turn, box[3]
