"""Small maps of a few places from near, below a map of the world on which these would be some pixels."""

from collections.abc import Iterator, Sequence
from typing import Any

from stac_assets.globe.frame import WORLD, Box, Frame, around, fitted
from stac_assets.orchestration.pictures import degrees, svg
from stac_assets.orchestration.pictures.plane import LABEL, Plane
from stac_assets.orchestration.pictures.polar import is_polar

MOST = 6
"""Places that are shown from near."""
NEAR = 5.0
"""Degrees between the boxes of one place; those of two are twice as far from each other, or more."""
WIDEST = 60.0
"""Degrees of a place that is better seen from near."""
COLUMNS, GAP, WIDTH, HEIGHT, TITLE = 3, 9, 154, 104, 17
"""How the small maps lie: so many beside each other, with a line of text above each; in pixels."""

NUMBER = 12
"""Pixels beside a place that its number takes."""


class CloseUps:
    """The places where boxes lie, numbered from west to east.

    Args:
        boxes: which lie all over the world.
    """

    def __init__(self, boxes: Sequence[Box]) -> None:
        places = sorted(_places(boxes), key=lambda some: around(some).west)
        wanted = 1 < len(places) <= MOST and all(map(_is_small, places))
        self._places = places if wanted else []

    @property
    def count(self) -> int:
        """How many places there are; 0 where they are too many, too large, or one."""
        return len(self._places)

    @property
    def height(self) -> int:
        """Pixels that they take below the world."""
        return -(-len(self._places) // COLUMNS) * (HEIGHT + TITLE)

    def numbers(self, world: Plane) -> Iterator[str]:
        """The number of each place beside it on the world."""
        for number, some in enumerate(self._places, 1):
            found = around(some)
            x, y = world.pixel(found.east, found.north)
            if x + NUMBER > world.width:
                x = world.pixel(found.west, found.north)[0] - NUMBER
            yield svg.text(x + 3, max(y + 2, 10), str(number), fill=LABEL)

    def maps(self, top: float) -> Iterator[str]:
        """A map of each place, with its number and where its middle is."""
        for place, some in enumerate(self._places):
            row, column = divmod(place, COLUMNS)
            x, y = column * (WIDTH + GAP), top + row * (HEIGHT + TITLE)
            yield svg.text(x, y + TITLE - 4, f"{place + 1}: {_middle(around(some))}", fill=LABEL)
            near = Plane(fitted(some, WIDTH / HEIGHT), x, y + TITLE, WIDTH, HEIGHT)
            yield from near.ground()
            yield near.boxes(some)


def _places(boxes: Sequence[Box]) -> Iterator[list[Box]]:
    """The boxes that lie near each other."""
    import shapely

    corners = [(w - NEAR, s - NEAR, e + NEAR, n + NEAR) for w, s, e, n in boxes]
    wide: Any = [shapely.box(*each) for each in corners]
    for area in shapely.get_parts(shapely.union_all(wide)):
        inside = shapely.intersects(area, wide)
        yield [box for box, is_here in zip(boxes, inside, strict=True) if is_here]


def _is_small(some: Sequence[Box]) -> bool:
    found = around(some)
    return found.width < WIDEST and not is_polar(found) and fitted(some, WIDTH / HEIGHT) != WORLD


def _middle(found: Frame) -> str:
    north, east = (found.south + found.north) / 2, (found.west + found.east) / 2
    return f"{degrees.latitude(north, 1)} {degrees.longitude(east, 1)}"
