"""What a question asks for, and what on a page cannot be an answer to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from stac_assets.stac.boxes import BOX, Box, bbox_columns, flat, touch
from stac_assets.stac.documents import Item, Page, text_in
from stac_assets.stac.item_times import time_texts
from stac_assets.stac.windows import Interval, parse_time

SAMPLE = 16
"""The items of a page whose times and boxes are looked at. A page whose filter is lost shows it in most."""
SECOND = timedelta(seconds=1)
"""How much a time may lie beside an interval, because some APIs compare whole seconds."""
MARGIN = 0.001
"""Degrees by which a box may lie beside the box that is asked for, because APIs round."""
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Aspect(StrEnum):
    """In what a document lies beyond a question."""

    COLLECTION = "collection"
    TIME = "time"
    BOX = "bbox"


def times_of(item: Item) -> tuple[datetime, datetime] | None:
    """The earliest and the latest of the times of an item; None where it has none that can be read.

    APIs go by different ones of `datetime`, `start_datetime` and `end_datetime`.
    """
    times = [time for time in map(parse_time, time_texts(item) or ()) if time is not None]
    return (min(times), max(times)) if times else None


@dataclass(frozen=True)
class Scope:
    """What all requests for a window ask for beside their interval.

    Args:
        collections: the ids of the collections; empty for any.
        bbox: the box, of four or six numbers.
    """

    collections: frozenset[str] = frozenset()
    bbox: tuple[float, ...] | None = None

    def beyond(self, page: Page, interval: Interval) -> dict[Aspect, float]:
        """In what the items of a page lie beyond the question, with the share of those that do.

        All items are asked for their collection, and a sample of them for time and box. What an item does
        not tell is not held against it.
        """
        if not page.items:
            return {}
        sample = page.items[:: max(1, len(page.items) // SAMPLE)]
        if sample[-1] is not page.items[-1]:
            sample.append(page.items[-1])
        shares = {
            Aspect.COLLECTION: self._other_collections(page) / len(page.items),
            Aspect.TIME: sum(_is_outside(item, interval) for item in sample) / len(sample),
            Aspect.BOX: sum(self._is_beside(item) for item in sample) / len(sample),
        }
        return {aspect: share for aspect, share in shares.items() if share}

    def _other_collections(self, page: Page) -> int:
        """How many items name a collection that is not asked for."""
        if not self.collections:
            return 0
        texts = {bytes(item.get("collection", b"")) for item in page.items}
        others = {text for text in texts if text_in(text) not in (None, *self.collections)}
        return sum(bytes(item.get("collection", b"")) in others for item in page.items) if others else 0

    def _is_beside(self, item: Item) -> bool:
        if self.bbox is None or "bbox" not in item:
            return False
        return is_beside(self.bbox, bbox_columns(bytes(item["bbox"])))


def is_beside(box: Box, columns: Mapping[str, Any]) -> bool:
    """Whether an item, by its columns `bbox_xmin` and so on, lies beside a box; one without has no place."""
    own = [edge for edge in (columns.get(name) for name in BOX) if edge is not None]
    return len(own) == len(BOX) and not touch(flat(box), own, MARGIN)


def _is_outside(item: Item, interval: Interval) -> bool:
    times = times_of(item)
    if times is None:
        return False
    first, last = times
    begin, end = interval.start or EARLIEST, interval.end or LATEST
    return (last < begin and begin - last > SECOND) or (first > end and first - end > SECOND)
