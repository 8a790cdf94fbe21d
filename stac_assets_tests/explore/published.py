"""What the API of these tests publishes: a collection that has all that is shown, and two that lack most."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from stac_assets.demo.documents import footprint
from stac_assets.demo.scenes import landsat_mosaic
from stac_assets_tests.stac_api import StacApi, make_collection, make_item

FULL, BARE, LONG = "full", "bare", "long"
FIRST, LAST = "2023-12-01", "2024-03-31"
NUMBER = 60
"""Items of the first collection: one each day and half from New Year on."""
Item = dict[str, Any]


def day_of(number: int) -> date:
    """The day of one of its items."""
    return date(2024, 1, 1) + timedelta(days=number * 3 // 2)


def full_item(number: int, pictures: str = "https://data.example.com", **properties: Any) -> Item:
    """An item with a footprint, a picture, a link and properties.

    Args:
        number: from 0 on.
        pictures: where its thumbnail is.
        properties: in place of its own.
    """
    name = f"<i>{number:02}</i>"  # which is no markup, wherever it is shown
    told = {"platform": ("east", "west")[number % 2], "gsd": 10, "eo:cloud_cover": number * 1.5}
    told |= {"s2:product_uri": f"urn:{number}", "s2:degraded": None if number % 3 else True}
    assets = {"preview": {"href": f"{pictures}/{number}.png", "type": "image/png", "roles": ["thumbnail"]}}
    links = [{"rel": "self", "href": f"{pictures}/items/{number}"}]
    members = {**footprint(10 + number % 7, 48 + number % 3, 1, 1), "assets": assets, "links": links}
    return make_item(
        name, FULL, f"{day_of(number)}T{number % 24:02}:00:00Z", extra=members, **told | properties
    )


def bare_item(number: int) -> Item:
    """An item with a time and nothing else."""
    item = make_item(f"b{number}", BARE, f"2024-02-0{number + 1}T00:00:00Z", extra={"geometry": None})
    return {**{name: item[name] for name in item if name != "bbox"}, "assets": {}}


def long_item(number: int) -> Item:
    """An item that lasts a month and has no single time, across the antimeridian."""
    start = datetime(2023, 12, 1 + number, tzinfo=UTC)
    return {**landsat_mosaic(7, start, start + timedelta(days=30)), "collection": LONG}


def publish(api: StacApi, pictures: str = "https://data.example.com") -> None:
    """Put all of it into the API."""
    api.collections = [make_collection(name) for name in (FULL, BARE, LONG)]
    for item in [
        *(full_item(number, pictures) for number in range(NUMBER)),
        *map(bare_item, range(5)),
        *map(long_item, range(3)),
    ]:
        api.put(item)
