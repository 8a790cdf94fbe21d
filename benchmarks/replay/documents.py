"""Item documents of three sizes, with marks where one item differs from the next.

A mark `@name@` is replaced in every item that is served (see `templates`); `~text~` around a whole string
makes a bare JSON number of it. Everything is generated, from fixed seeds: no clock, no network, no recording.
"""

from collections.abc import Callable
from random import Random
from typing import Any

Json = dict[str, Any]

SITE = "https://data.example.com"
SCHEMAS = "https://stac-extensions.github.io"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"

DIGITS, NUMBERS, HEXES = 24, 40, 2
"""How many marks there are: `@d0@` four digits, `@n0@` an integer of 7 or 8 digits, `@h0@` 64 hex digits."""

_BANDS = {
    "coastal": ("B01", 0.443, 0.027, 60),
    "blue": ("B02", 0.49, 0.098, 10),
    "green": ("B03", 0.56, 0.045, 10),
    "red": ("B04", 0.665, 0.038, 10),
    "rededge1": ("B05", 0.704, 0.019, 20),
    "rededge2": ("B06", 0.74, 0.018, 20),
    "rededge3": ("B07", 0.783, 0.028, 20),
    "nir": ("B08", 0.842, 0.145, 10),
    "nir08": ("B8A", 0.865, 0.033, 20),
    "nir09": ("B09", 0.945, 0.026, 60),
    "swir16": ("B11", 1.61, 0.143, 20),
    "swir22": ("B12", 2.19, 0.242, 20),
}
_MAPS = {"visual": 10, "aot": 20, "wvp": 10, "scl": 20}
_LETTERS = "CDEFGHJKLMNPQRSTUVWX"


def large(rng: Random, collection: str) -> Json:
    """17 KB: an optical scene as Sentinel-2 catalogs have it, each raster as GeoTIFF and as JPEG 2000."""
    zone, band = rng.randrange(1, 61), rng.choice(_LETTERS)
    square = rng.choice(_LETTERS) + rng.choice(_LETTERS)
    tile, satellite, orbit = f"{zone:02}{band}{square}", rng.choice("AB"), rng.randrange(1, 144)
    name = f"S2{satellite}_{tile}_@key@_L2A"
    left, top = rng.randrange(2, 8) * 100_000 - 20, rng.randrange(10, 90) * 100_000 + 40
    properties = {
        "datetime": "@time@",
        "created": "@later@",
        "updated": "@later@",
        "platform": f"sentinel-2{satellite.lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "eo:cloud_cover": _near(rng.uniform(0, 99), 8),
        "proj:epsg": (32600 if band >= "N" else 32700) + zone,
        "proj:centroid": {"lat": _near(rng.uniform(-60, 70), 9), "lon": _near(rng.uniform(-179, 179), 10)},
        "mgrs:utm_zone": zone,
        "mgrs:latitude_band": band,
        "mgrs:grid_square": square,
        "grid:code": f"MGRS-{tile}",
        "sat:relative_orbit": orbit,
        "view:sun_azimuth": _near(rng.uniform(100, 190), 11),
        "view:sun_elevation": _near(rng.uniform(10, 70), 12),
        "s2:vegetation_percentage": _near(rng.uniform(0, 60), 13),
        "s2:water_percentage": _near(rng.uniform(0, 40), 14),
        "s2:nodata_pixel_percentage": 0 if rng.random() < 0.7 else _near(rng.uniform(0, 60), 15),
        "s2:degraded": rng.random() < 0.03,
        "s2:sequence": str(rng.randrange(2)),
        "s2:product_uri": f"S2{satellite}_MSIL2A_@key@_N0510_R{orbit:03}_T{tile}.SAFE",
        "s2:datatake_id": f"GS2{satellite}_@key@_0@d16@_N05.10",
        "processing:software": {"sentinel2-to-stac": f"2024.{rng.randrange(1, 12):02}.0"},
        "s2:comment": None if rng.random() < 0.5 else "reprocessed",
    }
    extensions = ("eo/v1.1.0", "file/v2.1.0", "grid/v1.1.0", "mgrs/v1.0.0", "projection/v1.1.0")
    extensions += ("raster/v1.1.0", "sat/v1.0.0", "sentinel-2/v1.0.0", "view/v1.0.0")
    folder = f"{SITE}/{tile}/@day@/{name}"
    return _item(rng, collection, name, extensions, properties, _large_assets(folder, left, top))


def _large_assets(folder: str, left: int, top: int) -> Json:
    assets: Json = {}
    number = 0
    for suffix, ending in (("", "tif"), ("-jp2", "jp2")):
        rasters = {name: (size, name.capitalize()) for name, (*_, size) in _BANDS.items()}
        rasters |= {name: (size, f"{name.upper()} map") for name, size in _MAPS.items()}
        for name, (size, title) in rasters.items():
            raster = {"nodata": 0, "data_type": "uint16", "spatial_resolution": size}
            asset = {
                "href": f"{folder}/{_BANDS[name][0] if name in _BANDS else name.upper()}.{ending}",
                "type": COG if ending == "tif" else "image/jp2",
                "title": title,
                "proj:shape": [109_800 // size, 109_800 // size],
                "proj:transform": [size, 0, left, 0, -size, top],
                "raster:bands": [raster],
                "file:size": f"~@n{number}@~",
                "roles": ["data"],
            }
            if name in _BANDS:
                band, centre, width, _ = _BANDS[name]
                spectrum = {"center_wavelength": centre, "full_width_half_max": width}
                asset["eo:bands"] = [{"name": band, "common_name": name, **spectrum}]
                raster["scale"] = 0.0001
            assets[name + suffix] = asset
            number += 1
    assets["thumbnail"] = {"href": f"{folder}/preview.jpg", "type": "image/jpeg", "roles": ["thumbnail"]}
    for place, part in enumerate(("granule", "product")):
        assets[f"{part}_metadata"] = {
            "href": f"{folder}/{part}.xml",
            "type": "application/xml",
            "file:checksum": f"1220@h{place}@",
            "roles": ["metadata"],
        }
    return assets


def small(rng: Random, collection: str) -> Json:
    """3 KB: a photograph with three files."""
    town = rng.choice(("arles", "bergen", "cusco", "dakar", "ely"))
    name = f"{town}-{rng.randrange(10_000):04}-@key@"
    properties = {
        "datetime": "@time@",
        "created": "@later@",
        "updated": "@later@",
        "title": f"Flight over {town.capitalize()}, strip {rng.randrange(90)}",
        "platform": f"aircraft-{rng.randrange(1, 30)}",
        "instruments": ["frame-camera"],
        "providers": [{"name": "Sample Air Survey", "roles": ["producer"], "url": f"{SITE}/survey"}],
        "gsd": rng.choice((1, 0.5, 0.25, 2)),
        "eo:cloud_cover": _near(rng.uniform(0, 99), 8),
        "view:off_nadir": _near(rng.uniform(0, 45), 9),
        "view:sun_azimuth": _near(rng.uniform(100, 190), 10),
        "view:sun_elevation": _near(rng.uniform(10, 70), 11),
        "proj:code": f"EPSG:{32600 + rng.randrange(1, 61)}",
        "proj:shape": [9_000 + rng.randrange(500), 12_000 + rng.randrange(500)],
        "survey:flight": f"F@d12@-{rng.randrange(40)}",
        "survey:height": _near(rng.uniform(900, 3_000), 13),
        "survey:oblique": rng.random() < 0.2,
        "survey:frame": "~@n3@~",
        "survey:note": None if rng.random() < 0.4 else f"crew {rng.randrange(20)}",
        "survey:camera": {"name": f"C-{rng.randrange(9)}", "focal": _near(rng.uniform(50, 90), 14)},
    }
    folder = f"{SITE}/{collection}/{town}/@day@/{name}"
    bands = [
        {"name": colour, "eo:common_name": colour, "data_type": "uint8"}
        for colour in ("red", "green", "blue")
    ]
    assets = {
        kind: {
            "href": f"{folder}/{kind}.tif",
            "type": COG,
            "title": f"{kind.capitalize()} of the ground",
            "file:size": f"~@n{place}@~",
            "bands": bands if kind != "height" else bands[:1],
            "roles": ["data"],
        }
        for place, kind in enumerate(("image", "ortho", "height"))
    }
    assets["image"]["file:checksum"] = "1220@h0@"
    extensions = ("eo/v2.0.0", "file/v2.1.0", "projection/v2.0.0", "view/v1.0.0")
    return _item(rng, collection, name, extensions, properties, assets)


def tiny(rng: Random, collection: str) -> Json:
    """1.2 KB: for tables of a million rows, whose cost is in their number."""
    name = f"P{rng.randrange(100_000):05}-@key@"
    properties = {"datetime": "@time@", "eo:cloud_cover": _near(rng.uniform(0, 99), 8), "gsd": 10}
    assets = {"data": {"href": f"{SITE}/{collection}/@day@/{name}.tif", "type": COG}}
    return _item(rng, collection, name, (), properties, assets)


KINDS: dict[str, Callable[[Random, str], Json]] = {"large": large, "small": small, "tiny": tiny}


def _near(value: float, slot: int) -> str:
    """A number close to `value` whose last four digits differ in every item."""
    return f"~{value:.2f}@d{slot}@~"


def _item(
    rng: Random, collection: str, name: str, extensions: tuple[str, ...], properties: Json, assets: Json
) -> Json:
    west, south = rng.uniform(-179, 177), rng.uniform(-60, 70)
    corners = [
        (west, south, 0),
        (west + 1.4, south + 0.01, 2),
        (west + 1.4, south + 1, 4),
        (west, south + 1, 6),
    ]
    ring = [[_near(x, slot), _near(y, slot + 1)] for x, y, slot in corners]
    home = f"{SITE}/stac/collections/{collection}"
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [f"{SCHEMAS}/{extension}/schema.json" for extension in extensions],
        "id": name,
        "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "bbox": [*ring[0], *ring[2]],
        "properties": properties,
        "links": [
            {"rel": "self", "type": "application/geo+json", "href": f"{home}/items/{name}"},
            {"rel": "canonical", "type": "application/json", "href": f"{home}/@day@/{name}.json"},
            {"rel": "collection", "type": "application/json", "href": home},
            {"rel": "parent", "type": "application/json", "href": home},
            {"rel": "root", "type": "application/json", "href": f"{SITE}/stac"},
        ],
        "assets": assets,
    }
