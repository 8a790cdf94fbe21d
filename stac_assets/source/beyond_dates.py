"""What questions by date would miss: what dates hide is read whole, and what comes unasked is stored."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from stac_assets.source.dealing import Dealer
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.question import Asking
from stac_assets.source.shrunk import HeldRows, confirm_shrunk
from stac_assets.source.spool import Spool
from stac_assets.source.strays import Strays
from stac_assets.source.whole_collection import WholeCollections


def fetch_beyond_dates(
    asking: Asking,
    windows: list[FetchedWindow],
    folder: Path,
    largest: int,
    by_date: Callable[[Asking, list[FetchedWindow]], None],
    stop: threading.Event,
    held: HeldRows | None = None,
) -> None:
    """Fetch windows: some of them without a date, and the others by date.

    Args:
        asking: whom is asked, and how.
        windows: what for.
        folder: where rows are spooled.
        largest: the items of a collection that is read whole at most; with 0 all is asked by date.
        by_date: fetches those that are left.
        stop: is set when no more is wanted.
        held: counts what the table holds, so that answers that have shrunk are asked for once more.

    Raises:
        StacError: as of `by_date`.
    """
    if not windows:
        return
    with Strays(windows, folder) as strays:
        asking = replace(asking, strays=strays)
        whole = WholeCollections(asking, largest)
        spools = (Spool(folder, f"{asking.endpoint.name}-again-{number:05}") for number in count())

        def ask(windows: Sequence[FetchedWindow]) -> None:
            dated = whole.read_all(windows, stop) if largest else list(windows)
            by_date(asking, dated)
            if largest:
                whole.read_all_again(dated, lambda: next(spools), stop)

        ask(windows)
        if held is not None:
            confirm_shrunk(windows, held, ask)
            asking.progress.ended([fetched for fetched in windows if fetched.shrinkage is not None])
        endpoint, dialect, bbox = asking.endpoint, asking.dialect, asking.narrowing.bbox
        strays.settle(lambda window: Dealer([window], endpoint, dialect, window.figures, bbox=bbox))
