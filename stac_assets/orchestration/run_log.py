"""What a run's log says: a few lines that tell what it did, and a sign of life in between."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from stac_assets.settings import Settings
from stac_assets.source.progress import Progress
from stac_assets.source.request import LoadRequest
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import ONE_DAY, Window
from stac_assets.stac.wording import counted

PROGRESS_SECONDS = 10.0

Log = Callable[[str], None]


class Alarm(Protocol):
    """What a `threading.Event` can do, as far as it is needed here."""

    def wait(self, seconds: float, /) -> bool:
        """Whether it was set within so many seconds."""
        ...

    def set(self) -> None:
        """Let nobody wait any longer."""


def begin(request: LoadRequest, settings: Settings, place: str) -> str:
    """What is loaded, from where, into what."""
    what = request.endpoint.name
    if request.windows:
        collections = list(dict.fromkeys(window.collection for window in request.windows))
        first = min(window.start for window in request.windows)
        last = max(window.end for window in request.windows) - ONE_DAY
        dates = f"{first}" if first == last else f"{first} to {last}"
        what = f"{what}: {counted(len(request.windows), 'partition')} of {_listed(collections)}, {dates}"
    elif request.endpoint.is_partitioned:
        what = f"{what}: {_listed(request.collections)}"
    return f"{what}, from {settings.base_url} into {place}"


def end(figures: Figures) -> str:
    """What was asked and what came, as far as it is worth a word."""
    parts = [counted(figures.requests, "request"), f"{figures.bytes / 1e6:.1f} MB"]
    for count, *words in (
        (figures.retries, "request sent again", "requests sent again"),
        (figures.page_size_reductions, "smaller page size"),
        (figures.window_splits, "window split"),
        (figures.asked_again, "partition asked for once more", "partitions asked for once more"),
        (figures.duplicates, "duplicate"),
        (figures.items_owned_elsewhere, "item of another partition", "items of other partitions"),
        (figures.rejected_items, "rejected document"),
        (figures.items_outside_bbox, "item outside of the bbox", "items outside of the bbox"),
    ):
        if count:
            parts.append(counted(count, *words))
    if figures.seconds_waited >= 1:
        parts.append(f"{figures.seconds_waited:.0f} s of waiting for the API")
    return ", ".join(parts)


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


class Heartbeat(Progress):
    """Says at least every ten seconds how far a load is, even while the API or the database is silent.

    Args:
        log: where it says so.
        over: waits for so many seconds, or for less once it is set.
    """

    def __init__(self, log: Log, over: Alarm | None = None) -> None:
        self._log = log
        self._over = over or threading.Event()
        self._figures: dict[Window, tuple[int, int]] = {}
        self._stage, self._since = "fetching", time.monotonic()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def page(self, window: Window, figures: Figures) -> None:
        """To be called after every page."""
        self._figures[window] = figures.items, figures.pages

    def stage(self, line: str) -> None:
        """To be called when something else begins, with what the log shall say."""
        self._log(line)
        self._stage, self._since = "storing", time.monotonic()

    def _beat(self) -> None:
        while not self._over.wait(PROGRESS_SECONDS):
            self._log(self._line())

    def _line(self) -> str:
        if self._stage != "fetching":
            return f"{self._stage}, for {time.monotonic() - self._since:.0f} s"
        counts = list(self._figures.values())
        items, pages = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
        read = f"{counted(items, 'item')} in {counted(pages, 'page')}"
        return f"fetching: {read} of {counted(len(counts), 'partition')}"
