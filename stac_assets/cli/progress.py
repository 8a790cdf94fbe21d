"""How a load goes, on stderr: a live bar on a terminal, a line now and then elsewhere."""

import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted

LINE_SECONDS = 5.0


class Tally:
    """The figures of all windows of a load so far.

    Args:
        windows: how many windows the load has.
        expected: how many items it has, where that is known before the API is asked.
        max_items: how many items are read of a window at most.
    """

    def __init__(self, windows: int, expected: int | None = None, max_items: int | None = None) -> None:
        self._windows = windows
        self._expected = expected
        self._max_items = max_items
        self._figures: dict[Window, Figures] = {}
        self._started = time.monotonic()

    def note(self, window: Window, figures: Figures) -> None:
        """Keep the figures of one window as they are now."""
        self._figures[window] = replace(figures)

    @property
    def read(self) -> int:
        """Items read, those that do not become rows included: the API counts them too."""
        return sum(
            f.items + f.duplicates + f.items_owned_elsewhere + f.rejected_items
            for f in self._figures.values()
        )

    @property
    def pages(self) -> int:
        """Pages read."""
        return sum(figures.pages for figures in self._figures.values())

    @property
    def total(self) -> int | None:
        """Items of the windows begun so far (`numberMatched`); None where the API does not say."""
        if self._expected is not None:
            return self._expected
        known = [figures.number_matched for figures in self._figures.values()]
        if not known or None in known:
            return None
        return sum(min(matched, self._max_items or matched) for matched in known if matched is not None)

    @property
    def is_total_final(self) -> bool:
        """Whether no window can add to the total."""
        return self._expected is not None or len(self._figures) == self._windows

    @property
    def items_per_second(self) -> float:
        """Items read per second since the start."""
        return self.read / max(time.monotonic() - self._started, 0.001)

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}{'' if self.is_total_final else '+'}"
        pages = f" in {counted(self.pages, 'page')}" if self.pages else ""  # single items have none
        items = f"{self.read:,}{of} items" if of else counted(self.read, "item")
        return f"{items}{pages}, {self.items_per_second:,.0f} items/s"


class LoadDisplay:
    """Shows a tally while a resource is loaded; may be told of pages from several threads."""

    def __init__(self, resource: str, tally: Tally, console: Console) -> None:
        self._resource = resource
        self._tally = tally
        self._console = console
        self._lock = threading.Lock()
        self._next_line = 0.0
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[tally]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(f"fetching {resource}", total=None, tally="")
        self.is_storing = False

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def page(self, window: Window, figures: Figures) -> None:
        """A page of a window was read."""
        with self._lock:
            self._tally.note(window, figures)
            self._bar.update(
                self._task, completed=self._tally.read, total=self._tally.total, tally=str(self._tally)
            )
            if not self._console.is_terminal and time.monotonic() >= self._next_line:
                self._next_line = time.monotonic() + LINE_SECONDS
                self._say(f"fetching {self._resource}: {self._tally}")

    def stage(self, text: str) -> None:
        """What is done now, in a line: a load fetches first, and from its first stage on it stores."""
        if not self.is_storing:
            if self._tally.read:
                self._say(f"{self._resource}: {self._tally}")
            self.is_storing = True
            self._bar.update(self._task, visible=False)
            self._task = self._bar.add_task(f"storing {self._resource}", total=None, tally="")
        self.say(text)

    def say(self, text: str) -> None:
        """Something about the resource, in a line."""
        self._say(f"{self._resource}: {text}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
