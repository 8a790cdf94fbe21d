"""The sample mosaics and photographs: intervals without an instant, edges of the day, uneven properties."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from random import Random

from stac_assets.demo.documents import (
    AERIAL,
    CLIMATE,
    COG,
    DAYS,
    FIRST_DAY,
    LAST_DAY,
    SITE,
    Json,
    asset,
    item,
    seeded,
    stamp,
)
from stac_assets.demo.footprints import Point, outline, rectangle

_COLOURS = ("red", "green", "blue")
_LAST_INSTANT = timedelta(days=1) - timedelta(microseconds=500)
# name: unit, type, value for nothing (a number: rustac refuses the "nan" which STAC 1.1 allows), title
_CLIMATE_VARIABLES = {
    "air-temperature": ("K", "float32", -9999.0, "Mean air temperature at two metres"),
    "precipitation": ("mm", "float32", -9999.0, "Total precipitation"),
    "soil-moisture": ("m3 m-3", "float32", -9999.0, "Mean moisture of the topmost soil"),
    "snow-days": ("d", "uint8", 255.0, "Days with snow on the ground"),
}
# site: longitude, latitude, metres above the sea
_AERIAL_SITES = {
    "delft": (4.36, 52.01, -1.0),
    "cusco": (-71.97, -13.52, 3_399.0),
    "leh": (77.58, 34.16, 3_500.0),
    "taveuni": (180.0, -16.83, 240.0),
}


def climate() -> Iterator[Json]:
    """Ten belts of the world, each with thirty mosaics of 1 to 10 days which begin at any quarter of a day.

    They have an interval and no instant. In half of the belts a mosaic ends on the hour (an exclusive end),
    in the others half a millisecond before it (an inclusive end); none reaches past the last day.
    """
    rng = seeded(CLIMATE)
    begin = datetime.combine(FIRST_DAY, time(), UTC)
    for belt in range(10):
        for number in range(30):
            days = number % 10 + 1
            latest = len(DAYS) - days
            start = begin + timedelta(days=rng.randrange(latest), hours=6 * rng.randrange(5))
            end = start + timedelta(days=days)
            if belt % 2 or end.date() > LAST_DAY:
                end -= timedelta(microseconds=500)
            yield _climate_mosaic(belt, number, start, end)


def _climate_mosaic(belt: int, number: int, start: datetime, end: datetime) -> Json:
    west = -170 + belt * 36
    ring: list[Point] = [(west, 72.0), (west, -60.0), (west + 36, -60.0), (west + 36, 72.0)]
    days = round((end - start) / timedelta(days=1))
    name = f"CM_{belt:02}_{start:%Y%m%dT%H}_P{days}D_{number:02}"
    folder = f"{SITE}/{CLIMATE}/{belt:02}/{name}"
    axes = {
        "x": {"type": "spatial", "axis": "x", "extent": [west, west + 36], "step": 0.05},
        "y": {"type": "spatial", "axis": "y", "extent": [-60, 72], "step": 0.05},
        "time": {"type": "temporal", "extent": [stamp(start), stamp(end)], "step": f"P{days}D"},
    }
    variables = {
        variable: {"type": "data", "unit": unit, "dimensions": ["time", "y", "x"]}
        for variable, (unit, *_) in _CLIMATE_VARIABLES.items()
    }
    properties = {
        "datetime": None,
        "start_datetime": stamp(start),
        "end_datetime": stamp(end),
        "title": f"Belt {belt}, mosaic of P{days}D from {start:%Y-%m-%d}",
        "created": stamp(end.replace(microsecond=0) + timedelta(days=2)),
        "proj:code": "EPSG:4326",
        "demo:belt": belt,
        "demo:days": days,
        "cube:dimensions": axes,
        "cube:variables": variables,
        "processing:software": {"demo-mosaic": "1.4.0"},
    }
    assets = {
        variable: {
            **asset(f"{folder}/{variable}.tif", COG, title, "data"),
            "bands": [{"name": variable, "unit": unit, "data_type": kind, "nodata": nothing}],
            "proj:shape": [2640, 720],
        }
        for variable, (unit, kind, nothing, title) in _CLIMATE_VARIABLES.items()
    }
    extensions = ("datacube/v2.2.0", "processing/v1.2.0", "projection/v2.0.0")
    return item(CLIMATE, name, extensions, outline(ring), properties, assets)


def aerial() -> Iterator[Json]:
    """Two or three dozen photographs a day; the first and the last sit on the very edges of the UTC day."""
    rng = seeded(AERIAL)
    for day in DAYS:
        begin = datetime.combine(day, time(), UTC)
        instants = sorted(rng.randrange(1, 86_400) for _ in range(rng.randrange(18, 34)))
        offsets = [timedelta(), *(timedelta(seconds=second) for second in instants), _LAST_INSTANT]
        for number, offset in enumerate(offsets):
            yield _aerial_scene(rng, begin + offset, number)


def _aerial_scene(rng: Random, taken: datetime, number: int) -> Json:
    """A photograph, whose `gsd` is an integer or a float and whose `demo:survey` may be null or missing."""
    site = list(_AERIAL_SITES)[rng.randrange(len(_AERIAL_SITES))]
    longitude, latitude, height = _AERIAL_SITES[site]
    centre = longitude + rng.uniform(-0.02, 0.02), latitude + rng.uniform(-0.02, 0.02)
    ring = rectangle(*centre, 1.2, 0.9, rng.uniform(-0.7, 0.7))
    name = f"{site}-{taken:%Y%m%d}-{number:03}"
    folder = f"{SITE}/{AERIAL}/{site}/{taken:%Y%m%d}/{number:03}"
    operator = {"name": "Sample Air Survey", "roles": ["producer", "licensor"], "url": f"{SITE}/survey"}
    made = taken.replace(microsecond=0) + timedelta(days=1, seconds=rng.randrange(86_400))
    oblique = rng.random() < 0.2
    properties: Json = {
        "datetime": stamp(taken),
        "title": f"Flight over {site.capitalize()}, picture {number}",
        "created": stamp(made),
        "updated": stamp(made + timedelta(days=rng.randrange(30))),
        "platform": f"aircraft-{rng.randrange(1, 4)}",
        "instruments": ["frame-camera"],
        "providers": [operator],
        "gsd": (1, 0.5, 0.25, 2)[rng.randrange(4)],
        "view:off_nadir": round(rng.uniform(20, 45), 1) if oblique else 0,
        "proj:code": "EPSG:4326",
        "demo:site": site,
        "demo:oblique": oblique,
    }
    if rng.random() < 0.8:
        properties["demo:survey"] = None if rng.random() < 0.3 else f"survey-{taken:%m}-{rng.randrange(1, 6)}"
    image = asset(f"{folder}/image.tif", COG, "Picture", "data")
    image |= {
        "proj:shape": [900 + rng.randrange(50), 1_200 + rng.randrange(50)],
        "file:size": rng.randrange(2_000_000, 9_000_000),
        "file:checksum": f"1220{rng.getrandbits(256):064x}",
        "bands": [{"name": band, "eo:common_name": band, "data_type": "uint8"} for band in _COLOURS],
    }
    small = asset(f"{folder}/small.png", "image/png", "Small picture", "thumbnail")
    assets = {"image": image, "thumbnail": small}
    if oblique:
        assets["camera"] = asset(f"{folder}/camera.json", "application/json", "Camera's position", "metadata")
    extensions = ("eo/v2.0.0", "file/v2.1.0", "projection/v2.0.0", "view/v1.0.0")
    solid = (height, height + 120.5) if rng.random() < 0.02 else None
    return item(AERIAL, name, extensions, outline(ring, solid), properties, assets)
