"""What fetching cost and met: the figures that a materialization reports."""

from dataclasses import dataclass, fields
from datetime import datetime


@dataclass
class Figures:
    """Counts of one fetch. Seconds are summed over requests, so they may exceed the clock.

    `duplicates` are documents that the API sent again within one result. What comes twice because we asked
    again (a smaller page, half a window) is none.
    """

    items: int = 0
    pages: int = 0
    requests: int = 0
    bytes: int = 0
    retries: int = 0
    seconds_waited: float = 0.0
    page_size_reductions: int = 0
    window_splits: int = 0
    duplicates: int = 0
    items_owned_elsewhere: int = 0
    rejected_items: int = 0
    number_matched: int | None = None
    first_datetime: datetime | None = None
    last_datetime: datetime | None = None
    complete: bool = True

    def saw(self, time: datetime) -> None:
        """Widen the span of the items' own times."""
        if self.first_datetime is None or time < self.first_datetime:
            self.first_datetime = time
        if self.last_datetime is None or time > self.last_datetime:
            self.last_datetime = time

    def cost(self) -> "Figures":
        """What it took to ask, and nothing else: all that counts of an attempt which came to nothing."""
        return Figures(
            requests=self.requests,
            bytes=self.bytes,
            retries=self.retries,
            seconds_waited=self.seconds_waited,
        )

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
