"""What every sample document is made of: the names, the days, and the STAC frame around an item."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

Json = dict[str, Any]

SENTINEL, LANDSAT = "demo-sentinel-2-l2a", "demo-landsat-c2-l2"
CLIMATE, AERIAL = "demo-climate-monthly-mosaic", "demo-aerial-scenes"
FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2024, 1, 30)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]

SITE = "https://example.com"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def seeded(collection: str) -> Random:
    """The chance a collection is made with, the same in every run."""
    return Random(collection)


def stamp(moment: datetime) -> str:
    """A time as most APIs write it: UTC with a Z, and 0, 3 or 6 decimals of a second as needed."""
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds")
    return text.removesuffix("000").removesuffix(".000") + "Z"


def asset(href: str, media_type: str, title: str, role: str) -> Json:
    """An asset without any particulars."""
    return {"href": href, "type": media_type, "title": title, "roles": [role]}


def item(
    collection: str, name: str, extensions: tuple[str, ...], where: Json, properties: Json, assets: Json
) -> Json:
    """A STAC item, in the version its extensions belong to.

    The API which serves an item adds the links to itself; the two here are the publisher's own.
    """
    schemas = "https://stac-extensions.github.io/{}/schema.json"
    publisher = f"{SITE}/stac/collections/{collection}"
    return {
        "type": "Feature",
        "stac_version": "1.0.0" if "projection/v1.1.0" in extensions else "1.1.0",
        "stac_extensions": [url if url.startswith("https:") else schemas.format(url) for url in extensions],
        "id": name,
        "collection": collection,
        **where,
        "properties": properties,
        "links": [
            {"rel": "collection", "href": publisher, "type": "application/json"},
            {"rel": "canonical", "href": f"{publisher}/{name}.json", "type": "application/geo+json"},
        ],
        "assets": assets,
    }
