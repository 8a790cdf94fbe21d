"""A catalog as an eoAPI grows it: many collections, each of other properties, over all years.

Its items say in several ways when they are: an instant, an interval without `datetime`, and a `datetime`
within, beside, or without the other end of an interval. Tests and benchmarks fill their servers with it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from stac_assets.demo.documents import SITE, Json, asset, collection, footprint, item
from stac_assets.demo.scenes import stamp

FIRST_YEAR, LAST_YEAR = 1944, 2100
START, END = "1940-01-01", "2100-12-31"
"""The days for which a user asks who wants all of it."""

_SPANS = (
    (datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, tzinfo=UTC)),
    (datetime(1972, 7, 23, tzinfo=UTC), datetime(2025, 6, 30, tzinfo=UTC)),
    (datetime(2019, 12, 29, tzinfo=UTC), datetime(2020, 1, 4, tzinfo=UTC)),
    (datetime(2026, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, tzinfo=UTC)),
)
"""When the items of a collection are: in all years, in those of a mission, in a week, in the future."""
_DAYS = (0, 1, 31, 365, 10_957)
"""How long intervals are."""


def _instant(moment: datetime, chance: Random) -> Json:
    return {"datetime": stamp(moment)}


def _interval(moment: datetime, chance: Random) -> Json:
    end = moment + timedelta(days=chance.choice(_DAYS))
    return {"datetime": None, "start_datetime": stamp(moment), "end_datetime": stamp(end)}


def _within(moment: datetime, chance: Random) -> Json:
    half = timedelta(days=chance.choice(_DAYS) / 2)
    return {
        "datetime": stamp(moment),
        "start_datetime": stamp(moment - half),
        "end_datetime": stamp(moment + half),
    }


def _beside(moment: datetime, chance: Random) -> Json:
    """A forecast or a compilation: `datetime` is when it was made, years before or after what it is of."""
    start = moment + chance.choice((1, -1)) * timedelta(days=chance.randrange(400, 7_000))
    end = start + timedelta(days=chance.choice(_DAYS[:4]))
    return {"datetime": stamp(moment), "start_datetime": stamp(start), "end_datetime": stamp(end)}


def _one_sided(moment: datetime, chance: Random) -> Json:
    return {"datetime": stamp(moment), "start_datetime": stamp(moment - timedelta(days=900))}


TIMES: tuple[Callable[[datetime, Random], Json], ...] = (_instant, _interval, _within, _beside, _one_sided)
"""How the items of a collection say when they are, in turn."""

_VALUES: tuple[Callable[[Random], Any], ...] = (
    lambda chance: round(chance.uniform(-90, 90), 6),
    lambda chance: f"{chance.getrandbits(64):016x}",
    lambda chance: chance.random() < 0.5,
    lambda chance: chance.randrange(10_000),
    lambda chance: stamp(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(10**8))),
    lambda chance: None if chance.random() < 0.5 else "reprocessed",
)
"""What the columns of a collection hold, in turn."""


@dataclass(frozen=True)
class ManyYears:
    """The catalog.

    Args:
        collections: how many; the first, and each 97th after it, is empty.
        items: how many in all, few in some collections and many in others.
        columns: how many properties each collection has that no other has.
        assets: how many each item has.
    """

    collections: int
    items: int
    columns: int = 10
    assets: int = 2

    @property
    def names(self) -> list[str]:
        """The ids of the collections."""
        return [f"c{number:03}" for number in range(self.collections)]

    def collection_documents(self) -> list[Json]:
        """The documents of the collections."""
        return [
            collection(
                name,
                title=f"Collection {number}",
                extent={
                    "spatial": {"bbox": [[-180, -90, 180, 90]]},
                    "temporal": {"interval": [[stamp(moment) for moment in _SPANS[number % len(_SPANS)]]]},
                },
            )
            for number, name in enumerate(self.names)
        ]

    def documents(self) -> Iterator[Json]:
        """All items, collection by collection."""
        weights = [number * 7919 % 97 for number in range(self.collections)]
        ends = [self.items * sum_ // sum(weights) for sum_ in accumulate(weights)]
        for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
            for place in range(last - first):
                yield self._document(number, place, last - first)

    def _document(self, number: int, place: int, count: int) -> Json:
        """Item `place` of the `count` of a collection; ids are unique in their collection only."""
        name = f"c{number:03}"
        chance = Random(f"{name} {place}")
        first, last = _SPANS[number % len(_SPANS)]
        moment = first + (last - first) * place / max(1, count - 1)
        if place % 3:  # the others lie at the edges of the span, and on midnights where its length allows
            moment += (last - moment) * chance.random() / count
        properties = TIMES[number % len(TIMES)](moment, chance)
        for column in range(self.columns):
            properties[f"{name}:p{column}"] = _VALUES[column % len(_VALUES)](chance)
        properties["made:by"] = {"software": "generator", "run": chance.randrange(100)}
        if number % 2:
            properties["updated"] = stamp(datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=place))
        files = {f"a{n}": self._asset(name, place, n, chance) for n in range(self.assets)}
        where = footprint(round(chance.uniform(-180, 179), 6), round(chance.uniform(-80, 79), 6), 1.0, 0.9)
        return item(f"item-{place:04}", name, properties, assets=files, **where)

    @staticmethod
    def _asset(name: str, place: int, number: int, chance: Random) -> Json:
        href = f"{SITE}/{name}/{place}/{chance.getrandbits(64):016x}/band-{number}.tif"
        bands = [{"name": f"b{number}", "data_type": "uint16", "nodata": 0, "scale": 0.0001}]
        return asset(href, "image/tiff", "data", title=f"Band {number}", **{"raster:bands": bands})


def owner(document: Json) -> str:
    """The key of the partition that an item belongs to: `datetime`, or else `start_datetime`, in UTC."""
    properties = document["properties"]
    time = datetime.fromisoformat(properties.get("datetime") or properties["start_datetime"])
    return f"{document['collection']}|{time.astimezone(UTC):%Y-%m-%d}"


def json_bytes(documents: list[Json]) -> int:
    """How long the documents are as an API sends them."""
    return sum(len(json.dumps(document, separators=(",", ":"))) for document in documents)
