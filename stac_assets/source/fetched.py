"""What was fetched for one window."""

from collections.abc import Callable
from dataclasses import dataclass, field

from stac_assets.source.spool import Spool
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.windows import Window

Progress = Callable[[Window, Figures], None]
"""Called after every page with the window and its figures so far."""


@dataclass
class FetchedWindow:
    """What was fetched for one window: its rows in the spool, or the error that it ended with."""

    window: Window
    spool: Spool
    figures: Figures = field(default_factory=Figures)
    error: StacError | None = None
    seconds: float = 0.0
    request: PageRequest | None = None
    """The first request for it, and for people a link to the same; none where items are looked up."""
    link: str | None = None
    deleted: list[str] = field(default_factory=list)
    """Ids of items that the API no longer has, or as none that can be a row; of items that are looked up."""
