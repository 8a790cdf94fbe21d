"""Where and when the sample scenes lie: the Sentinel-2 tiles, the Landsat paths, the sun, the antimeridian.

The formulas are spherical and good to some kilometres, which is all a sample needs: the names (tile "32TPQ",
path 44 row 34) then agree with the places, so the catalog looks right on a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import asin, atan, atan2, ceil, cos, cosh, degrees, floor, pi, radians, sin, sinh, tan
from typing import Any

Point = tuple[float, float]

_EARTH_RADIUS = 6_367_449.0  # of the meridian's length, in metres
_DEGREE_KM = 111.32
_ORBIT_TILT = radians(8.2)  # how far a sun-synchronous orbit misses the poles
_COLUMN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUV"
_BAND_LETTERS = "CDEFGHJKLMNPQRSTUVWX"


@dataclass(frozen=True)
class Tile:
    """One tile of the Sentinel-2 grid: a UTM zone and the 100 km square its lower left corner is in."""

    zone: int
    south: bool
    column: int
    row: int

    @property
    def corner(self) -> tuple[int, int]:
        """Easting and northing of the upper left corner, on the grid of the coarsest (60 m) band."""
        return self.column * 100_000 // 60 * 60, ceil((self.row + 1) * 100_000 / 60) * 60

    @property
    def ring(self) -> list[Point]:
        """The four corners of the tile, 109.8 km apart."""
        left, top = self.corner
        right, bottom = left + 109_800, top - 109_800
        return [self._lon_lat(x, y) for x, y in ((left, top), (left, bottom), (right, bottom), (right, top))]

    @property
    def centre(self) -> Point:
        """The middle of the tile."""
        left, top = self.corner
        return self._lon_lat(left + 54_900, top - 54_900)

    @property
    def latitude_band(self) -> str:
        """The MGRS letter of the 8 degrees of latitude the tile begins in."""
        left, top = self.corner
        return _BAND_LETTERS[int(self._lon_lat(left, top - 109_800)[1] + 80) // 8]

    @property
    def square(self) -> str:
        """The MGRS letters of the 100 km square."""
        column = _COLUMN_LETTERS[(self.zone - 1) % 3 * 8 + self.column - 1]
        return column + _ROW_LETTERS[(self.row + (0 if self.zone % 2 else 5)) % 20]

    @property
    def name(self) -> str:
        """The MGRS name, as "32TPQ"."""
        return f"{self.zone:02}{self.latitude_band}{self.square}"

    @property
    def epsg(self) -> int:
        """The code of the tile's UTM projection."""
        return (32700 if self.south else 32600) + self.zone

    def _lon_lat(self, easting: float, northing: float) -> Point:
        x = (easting - 500_000) / (0.9996 * _EARTH_RADIUS)
        y = (northing - (10_000_000 if self.south else 0)) / (0.9996 * _EARTH_RADIUS)
        longitude = self.zone * 6 - 183 + degrees(atan2(sinh(x), cos(y)))
        return longitude, degrees(asin(sin(y) / cosh(x)))


def landsat_centre(path: int, row: int) -> Point:
    """The middle of a scene of the WRS-2 grid: row 60 is the equator, rows count southwards."""
    along = radians((row - 60) * 360 / 248)
    latitude = asin(-sin(along) * cos(_ORBIT_TILT))
    drift = degrees(atan(tan(along) * sin(_ORBIT_TILT))) + degrees(along) * 16 / 233
    return -64.6 - (path - 1) * 360 / 233 - drift, degrees(latitude)


def landsat_ring(path: int, row: int) -> list[Point]:
    """The leaning outline of a Landsat scene, 185 by 180 km."""
    longitude, latitude = landsat_centre(path, row)
    return rectangle(longitude, latitude, 185, 180, asin(sin(_ORBIT_TILT) / cos(radians(latitude))))


def rectangle(lon: float, lat: float, width_km: float, height_km: float, tilt: float = 0.0) -> list[Point]:
    """The corners of a rectangle on the ground, turned clockwise by `tilt` radians."""
    ring: list[Point] = []
    for east, north in ((-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5), (0.5, 0.5)):
        x, y = east * width_km, north * height_km
        x, y = x * cos(tilt) + y * sin(tilt), y * cos(tilt) - x * sin(tilt)
        ring.append((lon + x / (_DEGREE_KM * cos(radians(lat))), lat + y / _DEGREE_KM))
    return ring


def outline(ring: Sequence[Point], heights: tuple[float, float] | None = None) -> dict[str, Any]:
    """The `geometry` and `bbox` of an item, as RFC 7946 asks for them.

    A ring which passes 180 degrees is cut into two polygons and its bbox begins east of where it ends. With
    `heights` the coordinates and the bbox are three-dimensional.
    """
    shift = 360 * floor((min(lon for lon, _ in ring) + 180) / 360)
    points = [(float(lon - shift), lat) for lon, lat in ring]
    west, east = min(lon for lon, _ in points), max(lon for lon, _ in points)
    south, north = min(lat for _, lat in points), max(lat for _, lat in points)
    if east > 180:
        beyond = [(lon - 360, lat) for lon, lat in _beyond(points, 180.0, 1)]
        polygons = [_closed(_beyond(points, 180.0, -1), heights), _closed(beyond, heights)]
        geometry = {"type": "MultiPolygon", "coordinates": polygons}
        east -= 360
    else:
        geometry = {"type": "Polygon", "coordinates": _closed(points, heights)}
    low, high = ([height] for height in heights) if heights else ([], [])
    bbox = [west, south, *low, east, north, *high]
    return {"geometry": geometry, "bbox": [round(value, 6) for value in bbox]}


def _beyond(points: Sequence[Point], meridian: float, sign: int) -> list[Point]:
    """The part of a convex ring on one side of a meridian (Sutherland and Hodgman's clipping)."""
    part: list[Point] = []
    for (lon, lat), (next_lon, next_lat) in zip(points, [*points[1:], points[0]], strict=True):
        inside, next_inside = (lon - meridian) * sign >= 0, (next_lon - meridian) * sign >= 0
        if inside:
            part.append((lon, lat))
        if inside != next_inside:
            part.append((meridian, lat + (next_lat - lat) * (meridian - lon) / (next_lon - lon)))
    return part


def _closed(points: Sequence[Point], heights: tuple[float, float] | None) -> list[list[list[float]]]:
    """The coordinates of a polygon without holes."""
    ring = [[round(lon, 6), round(lat, 6), *(heights[:1] if heights else ())] for lon, lat in points]
    return [[*ring, ring[0]]]


def overpass(day: date, lon: float, local_hour: float) -> datetime:
    """When, on a day of UTC, the sun's time at a longitude is `local_hour`."""
    seconds = round((local_hour - lon / 15) % 24 * 3600)
    return datetime.combine(day, time(), UTC) + timedelta(seconds=min(seconds, 86_399))


def sun(day: date, lat: float, local_hour: float) -> tuple[float, float]:
    """The sun's azimuth and elevation in degrees."""
    declination = radians(-23.44) * cos(2 * pi * (day.timetuple().tm_yday + 10) / 365)
    hour, latitude = radians((local_hour - 12) * 15), radians(lat)
    height = sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour)
    azimuth = atan2(sin(hour), cos(hour) * sin(latitude) - tan(declination) * cos(latitude))
    return round(degrees(azimuth) + 180, 4), round(degrees(asin(height)), 4)
