"""The sample items: three kinds, in the form in which large catalogs publish theirs.

Nothing is downloaded: an item follows from its arguments alone, on every machine. The places are real, the
scenes are not.
"""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from stac_assets.demo.documents import SITE, Json, asset, footprint, published_item

SENTINEL_2, SENTINEL_1, LANDSAT = "sentinel-2-l2a", "sentinel-1-grd", "landsat-mosaic"

_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
# West and south of a region: central Europe, the Nile, California, the Mekong, the Cerrado, New Zealand.
_REGIONS = ((8.0, 49.2), (29.0, 24.0), (-123.0, 34.0), (100.0, 8.0), (-52.0, -24.0), (166.0, -46.0))
_LETTERS = "CDEFGHJKLMNPQRSTUVWX"
# Rasters of an optical scene, and metres of their pixels.
_BANDS = {"blue": 10, "green": 10, "red": 10, "nir": 10, "rededge1": 20, "rededge2": 20, "rededge3": 20}
_BANDS |= {"nir08": 20, "swir16": 20, "swir22": 20, "coastal": 60, "nir09": 60}
_MAPS = {"visual": 10, "aot": 20, "wvp": 10, "scl": 20}


class _Chance(Random):
    """Numbers that follow from the names of a scene."""

    def number(self, low: float, high: float) -> float:
        return round(self.uniform(low, high), 6)

    def file(self) -> Json:
        return {"file:size": self.randrange(1_000_000, 99_999_999)}

    def checksum(self) -> Json:
        return {"file:checksum": f"1220{self.getrandbits(256):064x}"}


def sentinel_2(place: int, taken: datetime, number: int = 0) -> Json:
    """An optical scene of 17 KB: each raster as GeoTIFF and as JPEG 2000, 35 assets.

    Args:
        place: from 0 to 959; each is another tile.
        taken: in UTC.
        number: tells scenes of one place and day apart, such as the processings of one scene.
    """
    chance = _Chance(f"{place} {taken} {number}")
    west, south, row, column = _locate(place, chance)
    zone, square = int(west + 180) // 6 + 1, _LETTERS[column] + _LETTERS[row]
    tile = f"{zone:02}{_LETTERS[int(south + 80) // 8]}{square}"
    satellite, orbit, scene = "ab"[place % 2], place * 11 % 143 + 1, f"{taken:%Y%m%d}_{number}"
    name = f"S2{satellite.upper()}_{tile}_{scene}_L2A"
    properties = _origin(f"sentinel-2{satellite}", "msi", taken, chance)
    properties |= {"eo:cloud_cover": round(100 * chance.random() ** 2, 6), "grid:code": f"MGRS-{tile}"}
    properties |= {"proj:epsg": (32600 if south > 0 else 32700) + zone, "sat:relative_orbit": orbit}
    properties |= {"proj:centroid": {"lat": round(south + 0.49, 6), "lon": round(west + 0.72, 6)}}
    properties |= {"mgrs:utm_zone": zone, "mgrs:latitude_band": tile[2], "mgrs:grid_square": square}
    properties |= {"view:sun_azimuth": chance.number(100, 190), "view:sun_elevation": chance.number(10, 70)}
    properties |= {
        "s2:vegetation_percentage": chance.number(0, 60),
        "s2:water_percentage": chance.number(0, 40),
    }
    properties |= {"s2:nodata_pixel_percentage": 0 if chance.random() < 0.7 else chance.number(0, 60)}
    properties |= {"s2:degraded": chance.random() < 0.03, "s2:sequence": str(number % 2)}
    properties |= {"s2:product_uri": f"S2_MSIL2A_{scene}_N0510_R{orbit:03}_T{tile}.SAFE"}
    properties |= {"s2:datatake_id": f"GS2_{scene}_{orbit:06}_N05.10"}
    properties |= {"s2:comment": None if chance.random() < 0.5 else "reprocessed"}
    properties |= {"processing:software": {"sentinel2-to-stac": f"2024.{chance.randrange(1, 12):02}.0"}}
    extensions = ("eo/v1.1.0", "file/v2.1.0", "grid/v1.1.0", "mgrs/v1.0.0", "projection/v1.1.0")
    extensions += ("raster/v1.1.0", "sat/v1.0.0", "sentinel-2/v1.0.0", "view/v1.0.0")
    members = footprint(west, south, 1.39, 0.99, lean=0.05)
    members["assets"] = _optical_assets(f"{SITE}/{tile}/{taken:%Y/%m/%d}/{name}", chance)
    return published_item(name, SENTINEL_2, properties, *extensions, **members)


def _optical_assets(folder: str, chance: _Chance) -> Json:
    left, top = chance.randrange(2, 8) * 100_000 - 20, chance.randrange(10, 90) * 100_000 + 40
    assets: Json = {}
    for suffix, ending, media_type in (("", "tif", _COG), ("-jp2", "jp2", "image/jp2")):
        for name, size in (_BANDS | _MAPS).items():
            raster = {"nodata": 0, "data_type": "uint16", "spatial_resolution": size, "scale": 0.0001}
            members = {
                "title": f"{name.capitalize()} raster, {size} m",
                "raster:bands": [raster],
                **chance.file(),
            }
            members["proj:shape"] = [109_800 // size, 109_800 // size]
            members["proj:transform"] = [size, 0, left, 0, -size, top]
            if name in _BANDS:
                members["eo:bands"] = [{"name": name, "common_name": name, "full_width_half_max": 0.03}]
            assets[name + suffix] = asset(f"{folder}/{name}.{ending}", media_type, "data", **members)
    assets["thumbnail"] = asset(f"{folder}/preview.jpg", "image/jpeg", "thumbnail")
    for part in ("granule_metadata", "product_metadata"):
        assets[part] = asset(f"{folder}/{part}.xml", "application/xml", "metadata", **chance.checksum())
    return assets


def sentinel_1(place: int, taken: datetime, number: int = 0) -> Json:
    """A radar scene of 3 KB with three assets; the arguments are those of `sentinel_2`."""
    chance = _Chance(f"{place} {taken} {number}")
    west, south, *_ = _locate(place, chance)
    satellite, orbit = "ac"[place % 2], place * 7 % 175 + 1
    name = f"S1{satellite.upper()}_IW_GRDH_{taken:%Y%m%d}_{number}_R{orbit:03}_P{place:03}"
    properties = _origin(f"sentinel-1{satellite}", "c-sar", taken, chance)
    properties |= {
        "providers": [{"name": "Sample Radar Centre", "roles": ["producer"], "url": f"{SITE}/radar-centre"}]
    }
    properties |= {"proj:code": "EPSG:4326", "sat:relative_orbit": orbit}
    properties |= {"proj:centroid": {"lat": round(south + 0.85, 6), "lon": round(west + 1.12, 6)}}
    properties |= {"sar:instrument_mode": "IW", "sar:product_type": "GRD", "sar:polarizations": ["VV", "VH"]}
    properties |= {"sar:pixel_spacing_range": (10, 10.5, 20)[chance.randrange(3)]}
    properties |= {"view:incidence_angle": chance.number(29, 46), "view:azimuth": chance.number(260, 285)}
    properties |= {"s1:mean_backscatter": chance.number(-25, -5), "s1:noise_floor": chance.number(-35, -25)}
    properties |= {"s1:restituted": chance.random() < 0.2}
    properties |= {"s1:comment": None if chance.random() < 0.4 else f"slice {chance.randrange(20)}"}
    folder = f"{SITE}/{SENTINEL_1}/{taken:%Y/%m/%d}/{name}"
    members = footprint(west, south, 2.6, 1.7, lean=-0.35) | {"stac_version": "1.1.0"}
    members["assets"] = {"thumbnail": asset(f"{folder}/quick-look.png", "image/png", "thumbnail")}
    for band in ("vv", "vh"):
        about = {"title": f"Ground range, {band.upper()} polarization", **chance.file(), **chance.checksum()}
        about |= {"sar:polarizations": [band.upper()], "proj:shape": [16_700, 25_300]}
        about["bands"] = [{"name": band, "description": f"{band.upper()}, amplitude", "data_type": "uint16"}]
        members["assets"][band] = asset(f"{folder}/iw-{band}.tiff", _COG, "data", **about)
    extensions = ("file/v2.1.0", "projection/v2.0.0", "sar/v1.2.0", "sat/v1.1.0", "view/v1.0.0")
    return published_item(name, SENTINEL_1, properties, *extensions, **members)


def landsat_mosaic(place: int, start: datetime, end: datetime) -> Json:
    """A mosaic of 2 KB, which has an interval (in UTC) and no single time.

    `place` is from 0 to 7, from west to east; the last one lies across the antimeridian.
    """
    name = f"LM_{place:02}_{start:%Y%m%d}_{end:%Y%m%d}"
    chance = _Chance(name)
    properties = {"datetime": None, "start_datetime": stamp(start), "end_datetime": stamp(end)}
    properties |= {"created": stamp(end + timedelta(days=2)), "gsd": 30, "instruments": ["oli", "tirs"]}
    properties |= {"eo:cloud_cover": chance.randrange(900) / 100, "landsat:scenes": chance.randrange(20, 90)}
    folder, rasters = f"{SITE}/{LANDSAT}/{name}", ("red", "green", "blue", "nir08", "swir16", "lwir11")
    members = footprint(-150 + place * 42, -60, 42, 132) | {"stac_version": "1.1.0"}
    members["assets"] = {raster: asset(f"{folder}/{raster}.tif", _COG, "data") for raster in rasters}
    return published_item(name, LANDSAT, properties, "eo/v2.0.0", **members)


def overpass(place: int, day: date) -> datetime:
    """When, on a day in UTC, a satellite is over a place: at about half past ten, local time."""
    hour = (10.5 - _REGIONS[place % len(_REGIONS)][0] / 15) % 24
    return datetime.combine(day, time(), UTC) + timedelta(hours=hour, milliseconds=place * 1_511)


def stamp(moment: datetime) -> str:
    """A time in UTC as most APIs write it, to the millisecond."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _locate(place: int, chance: _Chance) -> tuple[float, float, int, int]:
    """West, south, row and column of a place: places fill the regions in turn, eight in a row.

    No scene lies exactly where the one before did, as in reality.
    """
    number, region = divmod(place, len(_REGIONS))
    row, column = divmod(number, 8)
    west, south = _REGIONS[region][0] + column * 1.4, _REGIONS[region][1] + row * 0.9
    return west + chance.number(0, 0.02), south + chance.number(0, 0.02), row, column


def _origin(platform: str, instrument: str, taken: datetime, chance: _Chance) -> Json:
    made = stamp(taken + timedelta(seconds=20_000 + chance.randrange(9_973)))
    origin = {"platform": platform, "constellation": platform[:-1], "instruments": [instrument]}
    return {"datetime": stamp(taken), "created": made, "updated": made, **origin}
