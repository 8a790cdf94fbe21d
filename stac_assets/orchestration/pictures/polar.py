"""A map around a pole, on which longitudes are rays and latitudes are circles."""

from collections.abc import Iterator, Sequence
from math import ceil, cos, radians, sin

from stac_assets.globe.frame import MARGIN, WORLD, Box, Frame
from stac_assets.orchestration.pictures import degrees, land, svg
from stac_assets.orchestration.pictures.plane import GRID, LABEL, MARK, SMALLEST

LEAST_LATITUDE = 45.0
"""All that is seen around a pole lies beyond it."""
WIDEST = 120.0
"""Degrees of longitude that are not yet around a pole."""
NEAR = 1.0
"""Degrees from the pole, at which no other map is of any use."""
LONGEST = 10.0
"""Degrees of longitude that are drawn as a straight line."""


def is_polar(found: Frame) -> bool:
    """Whether boxes that lie in a frame are better seen from above a pole."""
    nearest = min(abs(found.south), abs(found.north))
    if found.south * found.north < 0 or nearest < LEAST_LATITUDE:
        return False
    return found.width > WIDEST or max(abs(found.south), abs(found.north)) > WORLD.north - NEAR


class Polar:
    """A pole and what lies around it, in a square of the picture; distances from the pole are true.

    Args:
        found: where all boxes lie.
        left, top, size: of the square, in pixels.
    """

    def __init__(self, found: Frame, left: float, top: float, size: float) -> None:
        self._north = found.south > 0
        nearest = min(abs(found.south), abs(found.north))
        self._radius = max((90 - nearest) * (1 + MARGIN), 0.1)
        edge = 90 - self._radius
        self.frame = Frame(-180.0, edge, 180.0, 90.0) if self._north else Frame(-180.0, -90.0, 180.0, -edge)
        self._x, self._y = left + size / 2, top + size / 2
        self._pixels = size / 2

    def ground(self) -> Iterator[str]:
        """Water and land."""
        yield svg.circle(self._x, self._y, self._pixels, fill="#eef3f7")
        yield land.drawn(self.frame, self._pixel, LONGEST)

    def grid(self) -> Iterator[str]:
        """Rays each 90 degrees and circles at round latitudes, with their names."""
        x, y, size = self._x, self._y, self._pixels
        yield f'<path d="M{x - size:g} {y:g}h{2 * size:g}M{x:g} {y - size:g}v{2 * size:g}" stroke="{GRID}"/>'
        distances, decimals = degrees.lines(0, self._radius * 0.95, 3)
        names = ""
        for distance in distances[1:]:
            radius = distance * size / self._radius
            yield svg.circle(x, y, radius, fill="none", stroke=GRID)
            name = degrees.latitude((90 - distance) * (1 if self._north else -1), decimals)
            names += svg.text(x + 2, y - radius + 11, name)
        for longitude, at, down, anchor in ((-90, -size - 4, 4, "end"), (90, size + 4, 4, "start")):
            names += svg.text(x + at, y + down, degrees.longitude(longitude, 0), text_anchor=anchor)
        names += svg.text(x + 3, y + size - 3 if self._north else y - size + 10, "0°")
        yield svg.group(names, fill=LABEL)

    def boxes(self, boxes: Sequence[Box]) -> str:
        """The boxes of items, whose edges along a latitude are bent."""
        return svg.rings(map(self._ring, boxes), **MARK)

    def _ring(self, box: Box) -> list[svg.Point]:
        west, south, east, north = box
        count = ceil((east - west) / LONGEST) or 1
        along = [west + (east - west) * place / count for place in range(count + 1)]
        ring = [self._pixel(x, south) for x in along] + [self._pixel(x, north) for x in reversed(along)]
        (left, right), (top, bottom) = ((min(each), max(each)) for each in zip(*ring, strict=True))
        if max(right - left, bottom - top) >= SMALLEST:
            return ring
        x, y, half = (left + right) / 2, (top + bottom) / 2, SMALLEST / 2
        return [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]

    def _pixel(self, longitude: float, latitude: float) -> svg.Point:
        """Greenwich is below the North Pole, and above the South Pole."""
        distance = (90 - abs(latitude)) * self._pixels / self._radius
        angle = radians(longitude)
        down = cos(angle) if self._north else -cos(angle)
        return self._x + distance * sin(angle), self._y + distance * down
