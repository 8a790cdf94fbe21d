"""The sample catalog: three collections, and their items of thirty days."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from stac_assets.demo.documents import SITE, Json, collection
from stac_assets.demo.scenes import (
    LANDSAT,
    SENTINEL_1,
    SENTINEL_2,
    landsat_mosaic,
    overpass,
    sentinel_1,
    sentinel_2,
)

COLLECTIONS = (SENTINEL_2, SENTINEL_1, LANDSAT)
FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2024, 1, 30)
_RADAR_OFF = (date(2024, 1, 13), date(2024, 1, 14))
_PLACES = 240
# title and description
_ABOUT = {
    SENTINEL_2: (
        "Sample optical scenes",
        "Each place once in five days, and a few scenes processed twice.",
    ),
    SENTINEL_1: (
        "Sample radar scenes",
        "Each place once in five days, but for two days on which the instrument was off.",
    ),
    LANDSAT: (
        "Sample mosaics",
        "Eight belts of the world, each of one to eight days: items with an interval and no single time.",
    ),
}


def items() -> Iterator[Json]:
    """All items, day by day."""
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=number)
        for place in range(number % 5, _PLACES, 5):
            taken = overpass(place, day)
            yield from (sentinel_2(place, taken, turn) for turn in range(2 if place % 30 == 0 else 1))
            if day not in _RADAR_OFF:
                yield sentinel_1(place, taken)
        midnight = datetime.combine(day, time(), UTC)
        yield from (landsat_mosaic(belt, midnight, midnight + timedelta(days=belt + 1)) for belt in range(8))


def collections() -> list[Json]:
    """The documents of all collections."""
    extent = {
        "spatial": {"bbox": [[-180, -60, 180, 72]]},
        "temporal": {"interval": [[f"{FIRST_DAY}T00:00:00Z", f"{LAST_DAY}T23:59:59Z"]]},
    }
    providers = [{"name": "Sample Data Centre", "roles": ["producer", "licensor"], "url": SITE}]
    return [
        collection(
            name,
            title=title,
            description=f"{description} Generated: the places are real, the scenes are not.",
            keywords=["sample", name.partition("-")[0]],
            license="CC0-1.0",
            providers=providers,
            extent=extent,
        )
        for name, (title, description) in _ABOUT.items()
    ]


def write_catalog(folder: Path) -> list[Path]:
    """Write the catalog as `rustac serve` takes it: a file for each collection, and one with all items."""
    for document in collections():
        (folder / f"{document['id']}.json").write_text(json.dumps(document), encoding="utf-8")
    with (folder / "items.ndjson").open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(json.dumps(item, separators=(",", ":")) + "\n" for item in items())
    return [*(folder / f"{name}.json" for name in COLLECTIONS), folder / "items.ndjson"]
