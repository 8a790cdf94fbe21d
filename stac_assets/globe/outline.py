"""A rough outline of all land, drawn by hand to some five degrees: enough to see in which part of the world a
box lies, and so left out of a map of a small one.

`land.txt` has a ring in each line, in tenths of a degree: longitude and latitude, then the way to each next
point. A ring within another one is water.
"""

from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Any

LEAST_DEGREES = 25.0
"""Of a frame in which the outline is near enough to the coasts."""


@cache
def outline() -> Any:
    """All land, longitudes and latitudes."""
    import shapely

    text = files("stac_assets.globe").joinpath("land.txt").read_text(encoding="ascii")
    found = shapely.MultiPolygon()
    for line in text.splitlines():
        steps = [int(word) / 10 for word in line.split()]
        ring = zip(accumulate(steps[::2]), accumulate(steps[1::2]), strict=True)
        found = shapely.symmetric_difference(found, shapely.Polygon(list(ring)))
    return found
