"""Versions of items: what a watcher keeps of an item on a page, to know it again and to see it change."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import inf
from typing import Any, Literal

import msgspec

from stac_assets.stac.documents import Item, Page
from stac_assets.stac.page_limits import SMALLEST_LIMIT
from stac_assets.stac.windows import parse_time

Field = Literal["updated", "created"]
Direction = Literal["asc", "desc"]
FIELDS: tuple[Field, ...] = ("updated", "created")
"""The properties that say when an item changed; `created` says it of new items only."""
MILLISECOND = timedelta(milliseconds=1)
"""Instants are compared in milliseconds, because Elasticsearch, which serves many an API, keeps no more."""


class _Properties(msgspec.Struct):
    datetime: Any = None
    start_datetime: Any = None
    updated: Any = None
    created: Any = None


_decode_properties = msgspec.json.Decoder(_Properties).decode


@dataclass(frozen=True)
class ItemVersion:
    """One version of one item.

    Args:
        key: a digest of the item's id and of all its times; a changed item has another key.
        day: the UTC day that owns the item, or None for an item without a time.
        instants: the item's `updated` and `created`, truncated to milliseconds.
    """

    key: str
    day: date | None
    instants: dict[Field, datetime]


@dataclass(frozen=True)
class VersionPage:
    """The item versions on one page.

    Args:
        versions: one for each item, in the order of the page.
        is_whole: whether the page is the whole result.
        number_matched: the API's count of the result; None where it does not count.
    """

    versions: tuple[ItemVersion, ...]
    is_whole: bool
    number_matched: int | None

    @property
    def fingerprint(self) -> str:
        """A digest that is the same for the same versions, in whatever order they come."""
        return digest(*sorted(version.key for version in self.versions))


def joined_versions(
    pages: Sequence[VersionPage], field: Field | None = None, direction: Direction | None = None
) -> VersionPage:
    """The first pages of the parts of a question as one, with what several of them have only once.

    Of sorted pages it ends where the first of them ends that is not whole, as it would if it were one page;
    otherwise what follows in that part would be passed over. Pages that are not in their order stay so.

    Args:
        pages: of each part.
        field: by which they are sorted.
        direction: how; None where they are not.
    """
    if len(pages) == 1:
        return pages[0]
    versions = list({version.key: version for page in pages for version in page.versions}.values())
    counts = [page.number_matched for page in pages if page.number_matched is not None]
    is_whole, count = all(page.is_whole for page in pages), sum(counts) if len(counts) == len(pages) else None
    if field is None or direction is None or not all(field in version.instants for version in versions):
        return VersionPage(tuple(versions), is_whole, count)
    sign = -1 if direction == "desc" else 1

    def place(version: ItemVersion) -> float:
        return sign * version.instants[field].timestamp()

    if all([*page.versions] == sorted(page.versions, key=place) for page in pages):
        ends = [place(page.versions[-1]) for page in pages if page.versions and not page.is_whole]
        end = min(ends, default=inf)
        versions = sorted((version for version in versions if place(version) <= end), key=place)
    return VersionPage(tuple(versions), is_whole, count)


def digest(*texts: str) -> str:
    """Eight hexadecimal digits that differ for different texts."""
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def truncated(time: datetime) -> datetime:
    """An instant without what is smaller than a millisecond."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def versions_on(page: Page, size: int) -> VersionPage:
    """The item versions on a page; `size` is the number of items that the request asked for."""
    return VersionPage(tuple(map(_version, page.items)), _is_whole(page, size), page.number_matched)


def _is_whole(page: Page, size: int) -> bool:
    """Whether the page is the whole result. A `next` link does not deny it, as some APIs always send one."""
    if page.number_matched == page.length:
        return True
    if page.has_next:
        return page.length < min(size, SMALLEST_LIMIT)
    return page.length < size


def _version(item: Item) -> ItemVersion:
    try:
        properties = _decode_properties(item.get("properties", b"{}"))
    except msgspec.MsgspecError:
        properties = _Properties()
    time = parse_time(properties.datetime) or parse_time(properties.start_datetime)
    instants: dict[Field, datetime] = {
        name: truncated(instant) for name in FIELDS if (instant := parse_time(getattr(properties, name)))
    }
    texts = (properties.updated, properties.created, properties.datetime, properties.start_datetime)
    key = digest(bytes(item.get("id", b"")).decode("utf-8", "replace"), *map(str, texts))
    return ItemVersion(key, time.date() if time else None, instants)
