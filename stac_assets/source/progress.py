"""What a fetch tells while it goes on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window

if TYPE_CHECKING:  # Dagster's definitions know of progress, and import nothing that fetches
    from stac_assets.source.fetched import FetchedWindow


class Progress:
    """Is told how far a fetch is; as it stands it pays no heed.

    A subclass overrides what it wants to hear of. It is called from several threads at a time, and they wait
    for it: it should note what it hears, and do its work elsewhere.
    """

    def begun(self, windows: Sequence["FetchedWindow"]) -> None:
        """One question begins, for these windows. Those that had ended are asked for once more."""

    def page(self, window: Window, figures: Figures) -> None:
        """A page was read: the first window of its question, and a copy of the figures of that so far."""

    def given_back(self, windows: Sequence["FetchedWindow"], count: int | None = None) -> None:
        """What was read for these windows is thrown away, because they will be asked for otherwise.

        Args:
            windows: those of a question.
            count: the API's count of all their items, where it has told one.
        """

    def ended(self, windows: Sequence["FetchedWindow"]) -> None:
        """These windows are fetched, or have failed: that is their `error`."""


SILENT = Progress()
"""For a fetch of which nobody wants to hear."""
