"""Where on the globe the items of a partition lie."""

from collections.abc import Iterator, Sequence
from functools import cache

import dagster as dg

from stac_assets.globe.frame import WORLD, Box, Frame, around, fitted, on_the_globe
from stac_assets.orchestration.pictures import degrees, inset, svg
from stac_assets.orchestration.pictures.close_ups import CloseUps
from stac_assets.orchestration.pictures.plane import Plane
from stac_assets.orchestration.pictures.polar import Polar, is_polar
from stac_assets.stac.wording import counted

WIDTH = 480
WORLD_HEIGHT, HEIGHT = 240, 258
TOP = 2
MAP_LEFT, MAP_WIDTH, MAP_HEIGHT = 62, 282, 238
"""Of the map of a part of the world; its degrees are written at the left and below."""
WIDE = 90.0
"""Degrees of longitude of a map on which a few places are better shown each from near."""
MOST_BOXES = 300


def footprints(boxes: Sequence[Sequence[float]], total: int) -> dg.MarkdownMetadataValue | None:
    """A map with the boxes of items: of the part of the world where they lie, and that part on the world.

    Items in a few places far from each other are shown on the world, and each place from near.

    Args:
        boxes: of the items, or of some of them; those that are no boxes are left out.
        total: how many items there are.

    Returns:
        The picture; nothing without a box.
    """
    sound = [box for box in map(on_the_globe, boxes) if box is not None]
    if not sound:
        return None
    some = sound[:: max(1, -(-len(sound) // MOST_BOXES))]
    words = counted(total, "item") if len(some) == total else f"{len(some)} of {total} items"
    found = around(some)
    plot = _plot(some, found)
    near = CloseUps(some if plot.frame.width > WIDE and not is_polar(found) else ())
    if plot.frame == WORLD or near.count:
        world = _world()
        elements = [_ground_of_world(), *near.maps(WORLD_HEIGHT), *near.numbers(world), world.boxes(some)]
        places = f", in {near.count} places" if near.count else ""
        height = WORLD_HEIGHT + near.height
        return svg.picture(WIDTH, height, elements, f"Footprints of {words}{places}")
    seen = inset.world(WIDTH - inset.WIDTH - 1, TOP, plot.frame)
    elements = [*seen, *plot.ground(), *plot.grid(), plot.boxes(some)]
    return svg.picture(WIDTH, HEIGHT, elements, f"Footprints of {words}, {', '.join(_where(found))}")


def _plot(boxes: Sequence[Box], found: Frame) -> Plane | Polar:
    if is_polar(found):
        return Polar(found, MAP_LEFT, TOP, MAP_HEIGHT)
    frame = fitted(boxes, MAP_WIDTH / MAP_HEIGHT)
    if frame == WORLD:
        return _world()
    return Plane(frame, MAP_LEFT, TOP, MAP_WIDTH, MAP_HEIGHT)


@cache
def _world() -> Plane:
    return Plane(WORLD, 0, 0, WIDTH, WORLD_HEIGHT)


@cache
def _ground_of_world() -> str:
    return "".join(_world().ground())


def _where(found: Frame) -> Iterator[str]:
    """The edges of all boxes in words."""
    yield _span(degrees.latitude, found.south, found.north)
    if found.width <= WORLD.width / 2:
        yield _span(degrees.longitude, found.west, found.east)


def _span(name: degrees.Name, first: float, last: float) -> str:
    decimals = 1 + degrees.decimals_of(last - first)
    one, other = name(first, decimals), name(last, decimals)
    return one if one == other else f"{one} to {other}"
