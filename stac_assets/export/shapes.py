"""Geometries as the readers of exported files take them; the table has them as they were sent."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely


def readable(geometries: Any) -> Any:
    """The geometries without what readers fail on; one that is empty as a whole is None.

    Empty parts are left out, collections within a collection become one with it, and heights are left out
    where not all positions of a geometry have one.

    Args:
        geometries: an array of shapely's, which is changed.
    """
    kinds = shapely.get_type_id(geometries)
    parts, places = shapely.get_parts(geometries, return_index=True)
    nested = np.flatnonzero(kinds == shapely.GeometryType.GEOMETRYCOLLECTION)
    for place in np.union1d(places[shapely.is_empty(parts)], nested):
        whole = geometries[place]
        if not whole.is_empty:
            geometries[place] = type(whole)(list(_simple_parts(whole)))
    geometries[shapely.is_empty(geometries)] = None
    high = np.flatnonzero(shapely.has_z(geometries))
    positions, inner = shapely.get_coordinates(geometries[high], include_z=True, return_index=True)
    flat = high[np.unique(inner[np.isnan(positions[:, 2])])]
    geometries[flat] = shapely.force_2d(geometries[flat])
    return geometries


def _simple_parts(whole: Any) -> Iterator[Any]:
    """The parts of a geometry that are not empty; of a collection, those of collections within it."""
    for part in whole.geoms:
        if part.is_empty:
            continue
        if part.geom_type == "GeometryCollection":
            yield from _simple_parts(part)
        else:
            yield type(part)(list(_simple_parts(part))) if hasattr(part, "geoms") else part
