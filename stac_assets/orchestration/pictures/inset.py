"""The world, small, beside a map of a part of it, with a box that marks the part."""

from collections.abc import Iterator
from functools import cache

from stac_assets.globe.frame import TURN, WORLD, Frame
from stac_assets.orchestration.pictures import land, svg

WIDTH, HEIGHT = 128, 64
LEAST = 6.0
"""Pixels of a mark that would be too small to be seen."""


def world(left: float, top: float, part: Frame) -> Iterator[str]:
    """The world at a place in the picture, and where on it a frame lies, which may be at both its ends."""
    yield f'<g transform="translate({left:g},{top:g})">{_drawn()}'
    for west in (part.west, part.west - TURN):
        x, right = _pixel(west, 0)[0], _pixel(west + part.width, 0)[0]
        y, bottom = _pixel(0, part.north)[1], _pixel(0, part.south)[1]
        x, right = _seen(x, right, WIDTH)
        y, bottom = _seen(y, bottom, HEIGHT)
        if right > x:
            yield svg.rectangle(
                *(x, y, right - x, bottom - y), fill="#d9480f", fill_opacity="0.2", stroke="#d9480f"
            )
    yield "</g>"


def _seen(first: float, last: float, edge: float) -> tuple[float, float]:
    """What is seen of a line between two places, lengthened where it is too short."""
    missing = max(0.0, LEAST - (last - first)) / 2
    return max(first - missing, 0.0), min(last + missing, edge)


@cache
def _drawn() -> str:
    return svg.rectangle(0, 0, WIDTH, HEIGHT, fill="#eef3f7") + land.drawn(WORLD, _pixel)


def _pixel(longitude: float, latitude: float) -> svg.Point:
    return (longitude + 180) * WIDTH / TURN, (90 - latitude) * HEIGHT / 180
