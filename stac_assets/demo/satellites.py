"""The sample scenes of the two satellites: wide items, with many assets of nested bands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from stac_assets.demo.documents import COG, DAYS, LANDSAT, SENTINEL, SITE, Json, asset, item, seeded, stamp
from stac_assets.demo.footprints import Tile, landsat_centre, landsat_ring, outline, overpass, sun

LANDSAT_OUTAGE = frozenset((date(2024, 1, 13), date(2024, 1, 14), date(2024, 1, 21)))

# zone, south, first column, first row: northern Italy, the Nile, California, the Mekong, the Cerrado,
# Canterbury, the Solomon Islands (where 10:30 is midnight UTC) and Fiji (over the antimeridian)
_SENTINEL_REGIONS = (
    (32, False, 3, 45),
    (36, False, 2, 27),
    (10, False, 5, 38),
    (48, False, 3, 9),
    (23, True, 1, 80),
    (59, True, 2, 48),
    (57, True, 3, 86),
    (60, True, 5, 77),
)
# name: (band, common name, wavelength and width in micrometres, metres of a pixel)
_SENTINEL_BANDS = {
    "coastal": ("B01", "coastal", 0.443, 0.027, 60),
    "blue": ("B02", "blue", 0.49, 0.098, 10),
    "green": ("B03", "green", 0.56, 0.045, 10),
    "red": ("B04", "red", 0.665, 0.038, 10),
    "rededge1": ("B05", "rededge", 0.704, 0.019, 20),
    "rededge2": ("B06", "rededge", 0.74, 0.018, 20),
    "rededge3": ("B07", "rededge", 0.783, 0.028, 20),
    "nir": ("B08", "nir", 0.842, 0.145, 10),
    "nir08": ("B8A", "nir08", 0.865, 0.033, 20),
    "nir09": ("B09", "nir09", 0.945, 0.026, 60),
    "swir16": ("B11", "swir16", 1.61, 0.143, 20),
    "swir22": ("B12", "swir22", 2.19, 0.242, 20),
}
_SENTINEL_MAPS = {
    "visual": ("TCI", 10, "uint8", "visual", "Natural colours"),
    "aot": ("AOT", 20, "uint16", "data", "Aerosol optical thickness"),
    "wvp": ("WVP", 10, "uint16", "data", "Water vapour"),
    "scl": ("SCL", 20, "uint8", "data", "Scene classes"),
}
_SENTINEL_COVERS = (
    *("vegetation", "not_vegetated", "water", "snow_ice", "unclassified", "cloud_shadow"),
    *("medium_proba_clouds", "high_proba_clouds", "thin_cirrus"),
)
# the first path and row of: California, the Amazon, the Alps, Ethiopia, Bengal, New South Wales, Fiji
_LANDSAT_REGIONS = ((41, 32), (227, 62), (192, 26), (167, 51), (136, 41), (88, 80), (71, 70))
_LANDSAT_BANDS = {
    "coastal": ("SR_B1", 0.44, 0.02),
    "blue": ("SR_B2", 0.48, 0.06),
    "green": ("SR_B3", 0.56, 0.06),
    "red": ("SR_B4", 0.65, 0.04),
    "nir08": ("SR_B5", 0.86, 0.03),
    "swir16": ("SR_B6", 1.6, 0.08),
    "swir22": ("SR_B7", 2.2, 0.2),
    "lwir11": ("ST_B10", 10.9, 0.59),
}


def sentinel_2() -> Iterator[Json]:
    """Every tile once in five days; a few scenes a second time, as a reprocessing leaves them."""
    rng = seeded(SENTINEL)
    for number, (zone, south, first_column, first_row) in enumerate(_SENTINEL_REGIONS):
        for column in range(first_column, first_column + 4):
            for row in range(first_row, first_row + 7):
                tile = Tile(zone, south, column, row)
                for turn, day in enumerate(DAYS[(2 * number + column) % 5 :: 5]):
                    for sequence in range(2 if rng.random() < 0.04 else 1):
                        yield _sentinel_2_scene(rng, tile, day, "ab"[turn % 2], sequence)


def _sentinel_2_scene(rng: Random, tile: Tile, day: date, satellite: str, sequence: int) -> Json:
    taken = overpass(day, tile.ring[0][0], 10.5) + timedelta(milliseconds=(90 - tile.row) * 15_113 % 900)
    longitude, latitude = tile.centre
    azimuth, elevation = sun(day, latitude, 10.5)
    name = f"S2{satellite.upper()}_{tile.name}_{day:%Y%m%d}_{sequence}_L2A"
    orbit = (tile.zone * 11 + tile.column) % 143 + 1
    baseline = f"05.1{sequence}"
    made = taken + timedelta(hours=4 + 30 * sequence, minutes=tile.row)
    weights = [rng.random() ** 4 for _ in _SENTINEL_COVERS]
    covers = {
        f"s2:{cover}_percentage": round(100 * weight / sum(weights), 6)
        for cover, weight in zip(_SENTINEL_COVERS, weights, strict=True)
    }
    cloudy = ("medium_proba_clouds", "high_proba_clouds", "thin_cirrus")
    product = f"S2{satellite.upper()}_MSIL2A_{taken:%Y%m%dT%H%M%S}_N051{sequence}_R{orbit:03}_T{tile.name}"
    properties = {
        "datetime": stamp(taken),
        "created": stamp(made + timedelta(hours=2)),
        "updated": stamp(made + timedelta(hours=2)),
        "platform": f"sentinel-2{satellite}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "eo:cloud_cover": round(sum(covers[f"s2:{cover}_percentage"] for cover in cloudy), 6),
        "proj:epsg": tile.epsg,
        "proj:centroid": {"lat": round(latitude, 5), "lon": round((longitude + 180) % 360 - 180, 5)},
        "mgrs:utm_zone": tile.zone,
        "mgrs:latitude_band": tile.latitude_band,
        "mgrs:grid_square": tile.square,
        "grid:code": f"MGRS-{tile.name}",
        "sat:orbit_state": "descending",
        "sat:relative_orbit": orbit,
        "view:sun_azimuth": azimuth,
        "view:sun_elevation": elevation,
        **covers,
        "s2:nodata_pixel_percentage": 0 if rng.random() < 0.7 else round(rng.uniform(0, 60), 6),
        "s2:mgrs_tile": tile.name,
        "s2:sequence": str(sequence),
        "s2:product_type": "S2MSI2A",
        "s2:processing_baseline": baseline,
        "s2:product_uri": f"{product}_{made:%Y%m%dT%H%M%S}.SAFE",
        "s2:generation_time": stamp(made),
        "s2:datatake_id": f"GS2{satellite.upper()}_{taken:%Y%m%dT%H%M%S}_{orbit:06}_N{baseline}",
        "s2:datatake_type": "INS-NOBS",
        "s2:reflectance_conversion_factor": round(1.034 - 0.0002 * day.day, 12),
    }
    extensions = ("eo/v1.1.0", "file/v2.1.0", "grid/v1.1.0", "mgrs/v1.0.0", "projection/v1.1.0")
    extensions += ("raster/v1.1.0", "sat/v1.0.0", "sentinel-2/v1.0.0", "view/v1.0.0")
    assets = _sentinel_2_assets(rng, tile, f"{SITE}/{SENTINEL}/{tile.name}/{day:%Y/%m/%d}/{name}")
    return item(SENTINEL, name, extensions, outline(tile.ring), properties, assets)


def _sentinel_2_assets(rng: Random, tile: Tile, folder: str) -> Json:
    """Each raster twice, as GeoTIFF and as JPEG 2000, beside the metadata: 35 in all."""
    left, top = tile.corner

    def raster(file: str, title: str, size: int, kind: str, roles: list[str], more: Json) -> Json:
        return {
            "href": f"{folder}/{file}",
            "type": "image/jp2" if file.endswith("jp2") else COG,
            "title": title,
            "gsd": size,
            "proj:shape": [109_800 // size, 109_800 // size],
            "proj:transform": [size, 0, left, 0, -size, top],
            "raster:bands": [{"nodata": 0, "data_type": kind, "spatial_resolution": size, **more}],
            "file:size": rng.randrange(2_000_000, 250_000_000) // size,
            "roles": roles,
        }

    assets: Json = {}
    for suffix, ending in (("", "tif"), ("-jp2", "jp2")):
        for name, (band, common, centre, width, size) in _SENTINEL_BANDS.items():
            title, scale = f"{name.capitalize()} at {size} m", {"scale": 0.0001, "offset": -0.1}
            spectrum = {"center_wavelength": centre, "full_width_half_max": width}
            assets[name + suffix] = {
                **raster(f"{band}.{ending}", title, size, "uint16", ["data", "reflectance"], scale),
                "eo:bands": [{"name": band, "common_name": common, **spectrum}],
            }
        for name, (file, size, kind, role, title) in _SENTINEL_MAPS.items():
            assets[name + suffix] = raster(f"{file}.{ending}", title, size, kind, [role], {})
    assets["thumbnail"] = asset(f"{folder}/preview.jpg", "image/jpeg", "Small picture", "thumbnail")
    for part in ("granule", "product"):
        href = f"{folder}/{part}.xml"
        assets[f"{part}_metadata"] = asset(href, "application/xml", f"About the {part}", "metadata")
    return assets


def landsat() -> Iterator[Json]:
    """Every path once in eight days, by the two satellites in turn; nothing at all on the outage's days."""
    rng = seeded(LANDSAT)
    for first_path, first_row in _LANDSAT_REGIONS:
        for path in range(first_path, first_path + 5):
            for row in range(first_row, first_row + 6):
                for turn, day in enumerate(DAYS[path % 8 :: 8]):
                    if day not in LANDSAT_OUTAGE:
                        yield _landsat_scene(rng, path, row, day, 8 + (path + turn) % 2)


def _landsat_scene(rng: Random, path: int, row: int, day: date, satellite: int) -> Json:
    longitude, latitude = landsat_centre(path, row)
    taken = overpass(day, longitude, 10.2) + timedelta(microseconds=rng.randrange(1_000_000))
    azimuth, elevation = sun(day, latitude, 10.2)
    made = taken + timedelta(days=rng.randrange(3, 9), seconds=rng.randrange(86_400))
    name = f"LC{satellite:02}_L2SP_{path:03}{row:03}_{day:%Y%m%d}_02_T{1 if rng.random() < 0.85 else 2}"
    cover = rng.random() ** 2 * 100
    left, top = rng.randrange(5_000, 15_000) * 30.0, round(latitude * 3_710) * 30.0
    properties = {
        "datetime": stamp(taken),
        "created": stamp(made),
        "description": "Surface reflectance and temperature of a sample scene",
        "platform": f"landsat-{satellite}",
        "instruments": ["oli", "tirs"],
        "gsd": 30,
        "eo:cloud_cover": round(cover, 2),
        "proj:epsg": (32600 if latitude > 0 else 32700) + int((longitude + 180) % 360 // 6) + 1,
        "proj:shape": [7_700 + rng.randrange(100), 7_600 + rng.randrange(100)],
        "proj:transform": [30.0, 0.0, left, 0.0, -30.0, top],
        "view:off_nadir": 0,
        "view:sun_azimuth": azimuth,
        "view:sun_elevation": elevation,
        "landsat:wrs_type": "2",
        "landsat:wrs_path": f"{path:03}",
        "landsat:wrs_row": f"{row:03}",
        "landsat:scene_id": f"LC{satellite}{path:03}{row:03}{day:%Y%j}SMP00",
        "landsat:cloud_cover_land": round(min(100.0, cover * rng.uniform(0.8, 1.2)), 2),
        "landsat:correction": "L2SP",
        "landsat:collection_number": "02",
        "landsat:collection_category": name[-2:],
    }
    extensions = ("eo/v1.1.0", "projection/v1.1.0", "raster/v1.1.0", "view/v1.0.0")
    extensions += ("https://landsat.usgs.gov/stac/landsat-extension/v1.1.1/schema.json",)
    assets = _landsat_assets(f"{SITE}/{LANDSAT}/{path:03}/{row:03}/{day:%Y}/{name}/{name}")
    return item(LANDSAT, name, extensions, outline(landsat_ring(path, row)), properties, assets)


def _landsat_assets(stem: str) -> Json:
    """Twelve assets; one name has a dot in it, as in the real product."""
    assets: Json = {}
    for name, (band, centre, width) in _LANDSAT_BANDS.items():
        thermal = name == "lwir11"
        spectrum = {"center_wavelength": centre, "full_width_half_max": width}
        scale = {"scale": 0.00341802, "offset": 149.0} if thermal else {"scale": 2.75e-05, "offset": -0.2}
        assets[name] = {
            "href": f"{stem}_{band}.TIF",
            "type": COG,
            "title": f"{name.capitalize()} band",
            "description": "Temperature of the surface" if thermal else "Reflectance of the surface",
            "eo:bands": [{"name": band, "common_name": name, **spectrum}],
            "raster:bands": [{"nodata": 0, "data_type": "uint16", "spatial_resolution": 30, **scale}],
            "roles": ["data", "temperature" if thermal else "reflectance"],
        }
    for name, title in (("qa_pixel", "Pixel quality"), ("qa_radsat", "Saturated pixels")):
        assets[name] = asset(f"{stem}_{name.upper()}.TIF", COG, title, "data")
    assets["mtl.json"] = asset(f"{stem}_MTL.json", "application/json", "Product metadata", "metadata")
    assets["thumbnail"] = asset(f"{stem}_thumb.jpeg", "image/jpeg", "Small picture", "thumbnail")
    return assets
