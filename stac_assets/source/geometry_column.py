"""The column of geometries that geo tools read, as dlt is told of it.

`geometry` stays what the API sent. What is derived from it is never read back.
"""

from typing import Literal

from dlt.common.schema.typing import TColumnSchema

Dimensions = Literal[2, 3]

GEOM = "geom"
"""The column of item tables."""
HINT = "x-stac-geometry"
"""Hint on that column. To dlt, which has no such type, it is text; clients make a geometry of it."""
COLUMN = TColumnSchema(
    name=GEOM,
    data_type="text",
    nullable=True,
    description="`geometry` as geo tools read it; null where that cannot be",
)
COLUMN[HINT] = True  # type: ignore[literal-required]
SYSTEM = "OGC:CRS84"
"""The reference system of GeoJSON (RFC 7946, section 4): longitude and latitude in degrees, in this order."""
