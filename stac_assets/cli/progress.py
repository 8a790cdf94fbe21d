"""How a load goes, on stderr: a live table on a terminal, a line now and then elsewhere."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from stac_assets.cli.load_table import MARGIN, TOTAL, WIDEST, LoadTable
from stac_assets.cli.tally import Tally
from stac_assets.cli.time_left import TimeLeft, told
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.progress import Progress
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted

LINE_SECONDS = 5.0
REFRESHES = 4.0
"""How often in a second the live table is drawn."""
SAMPLE_SECONDS = 0.5
"""How often it is noted how far the load is, where there is no live table."""


def is_live(console: Console) -> bool:
    """Whether a console can draw over what it has drawn: a terminal, and not one that is dumb."""
    return console.is_terminal and not console.is_dumb_terminal


class LoadDisplay(Progress):
    """Shows how a resource is loaded.

    Args:
        resource: what is loaded.
        tally: counts what is told.
        console: where it is shown.
        cancelled: is set once the load is to stop.
    """

    def __init__(
        self, resource: str, tally: Tally, console: Console, cancelled: threading.Event | None = None
    ) -> None:
        self._resource = resource
        self._tally = tally
        self._console = console
        self._cancelled = cancelled or threading.Event()
        self._is_live = is_live(console)
        self._lock = threading.Lock()
        self._left = TimeLeft()
        self._next_line = self._next_sample = 0.0
        self._since = time.monotonic()
        self._table = LoadTable(tally) if tally.names else None
        self._spinner = Spinner("line" if console.options.ascii_only else "dots")
        self.is_storing = False
        self._live = Live(
            console=console,
            transient=True,
            refresh_per_second=REFRESHES,
            get_renderable=self._drawn,
        )

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def begun(self, windows: Sequence[FetchedWindow]) -> None:
        """Windows are asked for now."""
        self._tally.begun(windows)

    def page(self, window: Window, figures: Figures) -> None:
        """A page was read."""
        self._tally.page(window, figures)
        self._beat()

    def given_back(self, windows: Sequence[FetchedWindow], count: int | None = None) -> None:
        """Windows will be asked for otherwise."""
        self._tally.given_back(windows, count)

    def ended(self, windows: Sequence[FetchedWindow]) -> None:
        """Windows are fetched, or have failed."""
        self._tally.ended(windows)
        if windows:
            self._beat()

    def stage(self, text: str) -> None:
        """What is done now, in a line: a load fetches first, and from its first stage on it stores."""
        if not self.is_storing:
            total = self._tally.total()
            if total.read:
                self._say(f"{self._resource}: {self._tally}{_failures(total.failed)}")
            self.is_storing, self._since = True, time.monotonic()
        self.say(text)

    def say(self, text: str) -> None:
        """Something about the resource, in a line."""
        self._say(f"{self._resource}: {text}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _beat(self) -> None:
        """Where there is no live table: note how far the load is, and say so once in a while."""
        if self._is_live or time.monotonic() < self._next_sample:
            return
        with self._lock:
            now = time.monotonic()
            if now >= self._next_sample:
                self._next_sample = now + SAMPLE_SECONDS
                self._left.note([replace(self._tally.total(), name=TOTAL)])
            if now >= self._next_line:
                self._next_line = now + LINE_SECONDS
                self._say(f"fetching {self._resource}: {self._tally}{self._far()}")

    def _far(self) -> str:
        """The collections that are done, and the time that is left."""
        total, many = self._tally.total(), len(self._tally.names)
        done = f", {self._tally.collections_over:,} of {counted(many, 'collection')} done"
        left = f", time left {told(self._left.seconds(TOTAL))}"
        return done + _failures(total.failed) + left

    def _drawn(self) -> RenderableType:
        """What the terminal shows now."""
        width = min(self._console.width - MARGIN, WIDEST)
        head = Table.grid(padding=(0, 1, 0, 0))
        head.add_column(width=1)
        head.add_column(width=max(1, width - 11), no_wrap=True, overflow="ellipsis")
        head.add_column(justify="right", no_wrap=True, width=7)
        head.add_row(self._spinner, Text(self._doing()), told(int(time.monotonic() - self._since)))
        return head if self._table is None or self.is_storing else Group(head, self._table)

    def _doing(self) -> str:
        if self._cancelled.is_set():
            return "stopping; Ctrl-C again stops at once"
        if not self.is_storing:
            rate = f": {self._tally}" if self._tally.total().read else ""
            return f"fetching {self._resource}{rate}"
        total = self._tally.total()
        many = counted(len(self._tally.names), "collection")
        what = f": {counted(total.done, 'partition')} of {many}" if total.windows else ""
        return f"storing {self._resource}{what}"


def _failures(failed: int) -> str:
    return f", {counted(failed, 'partition')} failed" if failed else ""
