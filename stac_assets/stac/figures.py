"""The figures of a fetch: what it cost, and what it met."""

from dataclasses import dataclass, fields
from datetime import datetime


@dataclass
class Figures:
    """The figures of one fetch, each a count unless it says otherwise.

    Args:
        items: items that were kept.
        pages: pages that were decoded.
        requests: requests that were sent, retries included.
        bytes: the size of all bodies, decompressed.
        retries: requests that were sent again.
        seconds_waited: seconds of waiting, summed over requests, so that they may exceed the clock's.
        page_size_reductions: how often a smaller page was asked for, because the API failed at a larger one
            or refused it.
        window_splits: how often an interval was halved.
        asked_again: windows that were asked for once more, because their answer had shrunk.
        duplicates: documents that the API sent again within one result. A document that came again because
            it was asked for again (on smaller pages, or in half of an interval) is not one.
        items_owned_elsewhere: items that touch the window and belong to another one.
        rejected_items: documents that cannot be rows.
        items_outside_bbox: items that were kept although their box lies beside the one that was asked for.
        number_matched: the API's count of the items; None where it does not count.
        first_datetime: the earliest time of an item.
        last_datetime: the latest time of an item.
        complete: whether all items were asked for, and not a sample.
    """

    items: int = 0
    pages: int = 0
    requests: int = 0
    bytes: int = 0
    retries: int = 0
    seconds_waited: float = 0.0
    page_size_reductions: int = 0
    window_splits: int = 0
    asked_again: int = 0
    duplicates: int = 0
    items_owned_elsewhere: int = 0
    rejected_items: int = 0
    items_outside_bbox: int = 0
    number_matched: int | None = None
    first_datetime: datetime | None = None
    last_datetime: datetime | None = None
    complete: bool = True

    def saw(self, time: datetime) -> None:
        """Note the time of an item."""
        if self.first_datetime is None or time < self.first_datetime:
            self.first_datetime = time
        if self.last_datetime is None or time > self.last_datetime:
            self.last_datetime = time

    def cost(self) -> "Figures":
        """What the requests cost, without what they brought: it also counts for an attempt that failed."""
        return Figures(
            requests=self.requests,
            bytes=self.bytes,
            retries=self.retries,
            seconds_waited=self.seconds_waited,
            page_size_reductions=self.page_size_reductions,
        )

    def since(self, before: "Figures") -> "Figures":
        """What was counted since a copy of these figures was made, without the API's count."""
        counts = [field.name for field in fields(self) if field.default == 0]
        return Figures(**{name: getattr(self, name) - getattr(before, name) for name in counts})

    def add(self, other: "Figures") -> None:
        """Add the figures of another fetch."""
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name == "complete":
                self.complete = mine and theirs
            elif isinstance(theirs, datetime):
                self.saw(theirs)
            elif theirs is not None:
                setattr(self, field.name, (mine or 0) + theirs)
