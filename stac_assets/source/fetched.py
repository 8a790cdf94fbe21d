"""What was fetched for one window."""

from collections.abc import Callable
from dataclasses import dataclass, field

from stac_assets.source.spool import Spool
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.page_request import link as link_of
from stac_assets.stac.windows import Window

Progress = Callable[[Window, Figures], None]
"""Called after every page with the window and its figures so far."""


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
