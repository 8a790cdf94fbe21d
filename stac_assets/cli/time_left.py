"""How long what is left will take, by how fast it went lately."""

import math
import time
from collections.abc import Iterable

from rich.progress import Progress, Task

from stac_assets.cli.collection_tally import Row

PERIOD = 120.0
"""Seconds that the speed is the mean of, so that one slow page or one empty year does not sway it."""
SETTLING = 2.0
"""Seconds for which nothing is said, because the first pages tell little."""
DAMPING = 4.0
"""Seconds within which a new estimate takes the place of the one before by two thirds."""
UNKNOWN = "not known"


class TimeLeft:
    """Estimates the time that is left of several rows, each of a name of its own.

    rich measures the speed. Between two pages an estimate counts down, and a new one takes the place of the
    old one little by little, so that what is shown does not jump.
    """

    def __init__(self) -> None:
        self._progress = Progress(auto_refresh=False, disable=True, speed_estimate_period=PERIOD)
        self._tasks: dict[str, Task] = {}
        self._changed: dict[str, float] = {}
        """When each row last got further."""
        self._ends: dict[str, tuple[float, float]] = {}
        """When each row will be over, and when that was estimated, by the monotonic clock."""

    def note(self, rows: Iterable[Row]) -> None:
        """Note how far rows are now."""
        for row in rows:
            task = self._tasks.get(row.name)
            if task is None:
                self._progress.add_task(row.name, total=1.0)
                task = self._tasks[row.name] = self._progress.tasks[-1]
            if row.fraction != task.completed:
                self._changed[row.name] = time.monotonic()
            self._progress.update(task.id, completed=row.fraction)

    def forget(self, name: str) -> None:
        """A row is over; if it begins again, so does the estimate."""
        task = self._tasks.pop(name, None)
        if task is not None:
            self._progress.remove_task(task.id)
            self._ends.pop(name, None)
            self._changed.pop(name, None)

    def seconds(self, name: str) -> float | None:
        """The seconds that are left of a row, one at least; None where nothing is known yet."""
        task = self._tasks.get(name)
        if task is None:
            return None
        speed, now = task.speed, time.monotonic()
        if not speed or (task.elapsed or 0.0) < SETTLING:
            return None
        still = now - self._changed.get(name, now)  # of which rich's speed knows nothing until it is over
        end = now + max((1.0 - task.completed) / speed, still)
        before, estimated = self._ends.get(name, (end, now))
        end = before + (end - before) * (1.0 - math.exp((estimated - now) / DAMPING))
        self._ends[name] = end, now
        return max(1.0, end - now)


def told(seconds: float | None) -> str:
    """A time as `H:MM:SS`, the longer the rounder; what is not known is said so."""
    if seconds is None:
        return UNKNOWN
    step = 60 if seconds >= 3600 else 10 if seconds >= 600 else 1
    minutes, rest = divmod(math.ceil(seconds / step) * step, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}:{minutes:02}:{rest:02}"
