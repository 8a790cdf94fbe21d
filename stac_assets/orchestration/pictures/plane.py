"""A map on which degrees are lines: of the world, or of a part of it with its degrees at the edges."""

from collections.abc import Iterator, Sequence

from stac_assets.globe.frame import Box, Frame, moved_into
from stac_assets.orchestration.pictures import degrees, land, svg

GRID = "#b6c2cc"
LABEL = "#495057"
MARK = {"fill": "#d9480f", "fill_opacity": "0.25", "stroke": "#d9480f"}
EDGE = 0.03
"""Of a map's height, in which no latitude is written, as half of it would be beyond the picture."""
SMALLEST = 3.0
"""Pixels of a box that would be too small to be seen."""


class Plane:
    """A frame drawn into a rectangle of the picture: plate carrée, as long as wide in its middle.

    Args:
        frame: the part of the globe.
        left, top, width, height: of the rectangle, in pixels.
    """

    def __init__(self, frame: Frame, left: float, top: float, width: float, height: float) -> None:
        self.frame = frame
        self._left, self._top = left, top
        self.width, self._height = width, height

    def ground(self) -> Iterator[str]:
        """Water and land."""
        yield svg.rectangle(self._left, self._top, self.width, self._height, fill="#eef3f7")
        yield land.drawn(self.frame, self.pixel)

    def grid(self) -> Iterator[str]:
        """Lines at round degrees, which are written at the left and the lower edge."""
        right, bottom = self._left + self.width, self._top + self._height
        path, beside, below = "", "", ""
        values, decimals = degrees.lines(self.frame.south, self.frame.north - EDGE * self.frame.height)
        for value in values:
            y = self.pixel(self.frame.west, value)[1]
            path += f"M{self._left:g} {y:.4g}H{right:g}"
            beside += svg.text(self._left - 4, y + 4, degrees.latitude(value, decimals))
        values, decimals = degrees.lines(self.frame.west, self.frame.east)
        for value in values:
            x = self.pixel(value, self.frame.south)[0]
            path += f"M{x:.4g} {self._top:g}V{bottom:g}"
            below += svg.text(x, bottom + 13, degrees.longitude(value, decimals))
        yield f'<path d="{path}" stroke="{GRID}"/>'
        yield svg.group(beside, fill=LABEL, text_anchor="end") + svg.group(
            below, fill=LABEL, text_anchor="middle"
        )

    def boxes(self, boxes: Sequence[Box]) -> str:
        """The boxes of items, in two parts where one goes beyond the edge of the world."""
        return svg.boxes((self._pixels(part) for box in boxes for part in self._parts(box)), **MARK)

    def _parts(self, box: Box) -> Iterator[Box]:
        west, south, east, north = moved_into(box, self.frame)
        edge = self.frame.east
        if east <= edge:
            yield west, south, east, north
        else:
            yield west, south, edge, north
            yield self.frame.west, south, self.frame.west + east - edge, north

    def _pixels(self, box: Box) -> svg.Rectangle:
        (left, bottom), (right, top) = self.pixel(box[0], box[1]), self.pixel(box[2], box[3])
        width, height = max(right - left, SMALLEST), max(bottom - top, SMALLEST)
        return (left + right - width) / 2, (top + bottom - height) / 2, width, height

    def pixel(self, longitude: float, latitude: float) -> svg.Point:
        """Where in the picture a place is."""
        x = (longitude - self.frame.west) * self.width / self.frame.width
        y = (self.frame.north - latitude) * self._height / self.frame.height
        return self._left + x, self._top + y
