"""What was fetched for one window."""

from collections.abc import Callable
from dataclasses import dataclass, field

from stac_assets.source.shrinkage import Shrinkage
from stac_assets.source.spool import Spool
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.page_request import link as link_of
from stac_assets.stac.windows import Window

MOST_NAMES = 20
"""Items of one kind that are called by their ids; of more there is only a count."""


@dataclass(eq=False, slots=True)
class NamedItems:
    """How many items there are of some kind, and the first of them by id and owning partition key."""

    count: int = 0
    named: list[tuple[str, str]] = field(default_factory=list)

    def plus(self, item_id: str, key: str) -> "NamedItems":
        """These items and one more, whose name is kept while there are few."""
        found = NamedItems() if self is NO_ITEMS else self
        found.count += 1
        if len(found.named) < MOST_NAMES:
            found.named.append((item_id, key))
        return found

    def merge(self, other: "NamedItems") -> None:
        """Count other items too."""
        self.count += other.count
        self.named += other.named[: MOST_NAMES - len(self.named)]

    def __bool__(self) -> bool:
        return bool(self.count)

    def __str__(self) -> str:
        words = ", ".join(f"{item_id} ({key})" for item_id, key in self.named)
        return f"{words} and {self.count - len(self.named):,} more" if self.count > len(self.named) else words


NO_ITEMS = NamedItems()
"""What thousands of windows have in common."""


@dataclass(slots=True)
class FetchedWindow:
    """What was fetched for one window: its rows in the spool, or the error that it ended with."""

    window: Window
    spool: Spool
    figures: Figures = field(default_factory=Figures)
    error: StacError | None = None
    seconds: float = 0.0
    requests: Callable[[], tuple[PageRequest, PageRequest]] | None = None
    """Makes the first request for the window alone, and one for the same that a link can be.

    They are made when they are looked at, because a load may have many thousand windows."""
    known: int = 0
    """How many items it has at least, as an answer showed that was too long to be read to its end."""
    deleted: list[str] = field(default_factory=list)
    """Ids of items that the API no longer has, or as none that can be a row; of items that are looked up."""
    brought_by_others: NamedItems = NO_ITEMS
    """Its own items that its answer lacked, and that came with the answer for another window."""
    incomplete: str = ""
    """Why it may lack items that the API has, where dates do not find them; empty where they do."""
    overlaps: NamedItems = NO_ITEMS
    """Items that came with its answer, touch it, and belong to days that were not loaded."""
    strays: NamedItems = NO_ITEMS
    """Items that came with its answer although they do not touch it, or are none that their own day is sure
    to find, and that belong to days or collections that were not loaded."""

    shrinkage: Shrinkage | None = None
    """What the table held and what the API answered with, where it was asked once more for that."""

    @property
    def request(self) -> PageRequest | None:
        """The first request for it; none where items are looked up, or where it failed."""
        return self.requests()[0] if self.requests else None

    @property
    def link(self) -> str | None:
        """For people, a link to the same."""
        return link_of(self.requests()[1]) if self.requests else None

    def forget(self, cost: Figures | None = None) -> None:
        """Forget what was fetched, because it will be asked for again; what that has cost stays counted.

        Args:
            cost: the figures of a fetch in vain, which is counted here.
        """
        self.spool.discard()
        self.known = max(self.known, self.figures.items)
        self.figures = self.figures.cost()
        if cost is not None:
            self.figures.add(cost.cost())
