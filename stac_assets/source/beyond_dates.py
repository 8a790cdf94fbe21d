"""What questions by date would miss: what dates hide is read whole, and what comes unasked is stored."""

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

from stac_assets.source.dealing import Dealer
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.question import Asking
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
) -> None:
    """Fetch windows: some of them without a date, and the others by date.

    Args:
        asking: whom is asked, and how.
        windows: what for.
        folder: where rows are spooled.
        largest: the items of a collection that is read whole at most; with 0 all is asked by date.
        by_date: fetches those that are left.
        stop: is set when no more is wanted.

    Raises:
        StacError: as of `by_date`.
    """
    if not windows:
        return
    with Strays(windows, folder) as strays:
        asking = replace(asking, strays=strays)
        whole = WholeCollections(asking, largest)
        dated = whole.read_all(windows, stop) if largest else windows
        by_date(asking, dated)
        if largest:
            spools = (Spool(folder, f"{asking.endpoint.name}-again-{number:05}") for number in count())
            whole.read_all_again(dated, lambda: next(spools), stop)
        endpoint, dialect, bbox = asking.endpoint, asking.dialect, asking.narrowing.bbox
        strays.settle(lambda window: Dealer([window], endpoint, dialect, window.figures, bbox=bbox))
