"""What a look at an item tells: whose window it is, when it changed, and what it is known again by."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import msgspec

from stac_assets.stac.documents import Item, Page
from stac_assets.stac.page_limits import SMALLEST_LIMIT
from stac_assets.stac.windows import parse_time

Field = Literal["updated", "created"]
FIELDS: tuple[Field, ...] = ("updated", "created")
"""Properties that tell when an item changed; `created` tells of new items only."""
MILLISECOND = timedelta(milliseconds=1)
"""How exactly instants are compared: Elasticsearch, behind many an API, knows no smaller part of a second."""


class _Properties(msgspec.Struct):
    datetime: Any = None
    start_datetime: Any = None
    updated: Any = None
    created: Any = None


_decode_properties = msgspec.json.Decoder(_Properties).decode


@dataclass(frozen=True)
class Sighting:
    """An item as a look at a page shows it.

    `day` is the UTC day that owns it, `instants` are its `updated` and `created`, in whole milliseconds;
    `key` is another one once the item has changed.
    """

    key: str
    day: date | None
    instants: dict[Field, datetime]


@dataclass(frozen=True)
class Look:
    """One page of items.

    `is_whole` says that nothing else matches, `number_matched` is the API's count, or None.
    """

    sightings: tuple[Sighting, ...]
    is_whole: bool
    number_matched: int | None

    @property
    def fingerprint(self) -> str:
        """The same for the same items, in whatever order."""
        return digest(*sorted(sighting.key for sighting in self.sightings))


def digest(*texts: str) -> str:
    """Eight hexadecimal digits that tell these texts from others."""
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def floored(time: datetime) -> datetime:
    """An instant cut to milliseconds."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def look_at(page: Page, size: int) -> Look:
    """What a page shows that was asked for so many items."""
    return Look(tuple(map(_sighting, page.items)), _is_whole(page, size), page.number_matched)


def _is_whole(page: Page, size: int) -> bool:
    """Whether the page is the whole result; a `next` link alone proves nothing: some APIs always send one."""
    if page.number_matched == page.length:
        return True
    if any(link.rel == "next" and link.href for link in page.links):
        return page.length < min(size, SMALLEST_LIMIT)
    return page.length < size


def _sighting(item: Item) -> Sighting:
    try:
        properties = _decode_properties(item.get("properties", b"{}"))
    except msgspec.MsgspecError:
        properties = _Properties()
    time = parse_time(properties.datetime) or parse_time(properties.start_datetime)
    instants: dict[Field, datetime] = {
        name: floored(instant) for name in FIELDS if (instant := parse_time(getattr(properties, name)))
    }
    texts = (properties.updated, properties.created, properties.datetime, properties.start_datetime)
    key = digest(bytes(item.get("id", b"")).decode("utf-8", "replace"), *map(str, texts))
    return Sighting(key, time.date() if time else None, instants)
