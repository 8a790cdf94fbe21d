"""The land in a picture."""

from collections.abc import Callable, Iterator
from typing import Any

from stac_assets.globe.frame import TURN, WORLD, Frame
from stac_assets.globe.outline import LEAST_DEGREES, outline
from stac_assets.orchestration.pictures import svg

LEAST_PIXELS = 1.2
"""How far a line may be from where it should be, so that it has few points."""
LEAST_AREA = 5.0
"""Square pixels of an island or a lake that is drawn."""


def drawn(frame: Frame, pixel: Callable[[float, float], svg.Point], longest: float = TURN) -> str:
    """What of the land lies in a frame; nothing where the frame shows so little that it would be wrong.

    Args:
        frame: what is seen.
        pixel: where in the picture a longitude and a latitude lie.
        longest: how many degrees a line may have that is drawn straight.
    """
    if max(frame.width, frame.height) < LEAST_DEGREES:
        return ""
    import shapely

    rings: list[list[svg.Point]] = []
    for turn in (0.0, TURN) if frame.east > WORLD.east else (0.0,):
        west, east = frame.west - turn, frame.east - turn
        seen = shapely.clip_by_rect(outline(), west, frame.south, east, frame.north)
        lines: Any = shapely.segmentize(seen, longest)
        points = [pixel(x + turn, y) for x, y in shapely.get_coordinates(lines).tolist()]
        placed = shapely.set_coordinates(lines, points) if points else lines
        rings += _rings(shapely.simplify(placed, LEAST_PIXELS))
    return svg.outlines(rings, fill="#d3dbd0", fill_rule="evenodd") if rings else ""


def _rings(land: Any) -> Iterator[list[svg.Point]]:
    import shapely

    for ring in shapely.get_rings(shapely.get_parts(land)):
        if shapely.area(shapely.polygons(ring)) >= LEAST_AREA:
            yield [(x, y) for x, y in shapely.get_coordinates(ring).tolist()[:-1]]
