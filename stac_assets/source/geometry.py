"""The geometries of items as WKB, which databases and files hold for geo tools.

`geometry` stays what the API sent. What is derived from it here is never read back.
"""

import re
from typing import Any

import pyarrow as pa

from stac_assets.source.geometry_column import GEOM, SYSTEM, Dimensions

FIELD = pa.field(
    GEOM,
    pa.binary(),
    metadata={
        "ARROW:extension:name": "geoarrow.wkb",
        "ARROW:extension:metadata": f'{{"crs":"{SYSTEM}","crs_type":"authority_code"}}',
    },
)
"""The column in Arrow, which GeoArrow's readers, DuckDB among them, take for geometries."""
TEXT_FIELD = pa.field(GEOM, pa.string())
"""The column in Arrow where dlt stores the rows: WKT, which databases turn into geometries."""
MOST_COLLECTIONS = 32
"""Collections within collections of which a geometry is read: GEOS has no stack for 100,000."""
_BRACES = re.compile(r'"(?:[^"\\]|\\.)*"|[^"{}]+|([{}])')
"""What texts and all other characters are, which is left out, and the braces."""
LEAST_RING = 4
"""Positions that a ring has at least (RFC 7946, section 3.1.6). PostGIS refuses any other."""


def as_wkb(texts: pa.Array | pa.ChunkedArray, dimensions: Dimensions = 3) -> pa.Array:
    """The WKB (ISO 13249-3) of geometries.

    Polygons that cross themselves, or the antimeridian, stay as they are.

    Args:
        texts: GeoJSON.
        dimensions: 2 leaves heights out, 3 keeps them.

    Returns:
        As many values as `texts`, NULL where there is no geometry, or what GEOS or PostGIS takes for none:
        a ring that is not closed, or has fewer than four positions, text for a number, four dimensions.
    """
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), pa.binary())
    import shapely  # not where nothing is found, which it would make slower

    written: Any = shapely.to_wkb(_geometries(texts), flavor="iso", output_dimension=dimensions)
    return pa.array(written, pa.binary())


def as_wkt(texts: pa.Array | pa.ChunkedArray, dimensions: Dimensions = 3) -> pa.Array:
    """The same as WKT, whose numbers have all their digits."""
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), pa.string())
    import shapely

    found = _geometries(texts)
    written: Any = shapely.to_wkt(found, rounding_precision=-1, output_dimension=dimensions)
    return pa.array(written, pa.string())


def _geometries(texts: pa.Array | pa.ChunkedArray) -> Any:
    import numpy as np
    import shapely

    sent = [None if t is None or _is_too_deep(t) else t for t in texts.to_pylist()]
    with np.errstate(over="ignore", invalid="ignore"):
        found: Any = shapely.from_geojson(sent, on_invalid="ignore")
    found[_short_ringed(found)] = None
    return found


def _is_too_deep(text: str) -> bool:
    """Whether objects are nested deeper than collections may be, by the braces that are not in texts."""
    if text.count("{") <= MOST_COLLECTIONS:
        return False
    depth = 0
    for brace in _BRACES.sub(r"\1", text):
        depth += 1 if brace == "{" else -1
        if depth > MOST_COLLECTIONS + 1:
            return True
    return False


def _short_ringed(geometries: Any) -> Any:
    """The places of geometries that have a ring of fewer positions than a ring has."""
    import numpy as np
    import shapely

    parts, places = geometries, np.arange(len(geometries))
    while np.any(shapely.get_type_id(parts) > shapely.GeometryType.POLYGON):
        parts, inner = shapely.get_parts(parts, return_index=True)
        places = places[inner]
    rings, inner = shapely.get_rings(parts, return_index=True)
    counts = shapely.get_num_points(rings)
    return places[inner[(counts > 0) & (counts < LEAST_RING)]]
