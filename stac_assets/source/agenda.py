"""What is still to be asked, for any number of threads."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.grouping import Stretch, Unit, known_items
from stac_assets.source.question import MOST_PAGES
from stac_assets.stac.errors import Cancelled

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Taken:
    """Units that a thread asks for by one question, and the stretch that they belong to."""

    stretch: Stretch
    units: Sequence[Unit]

    @property
    def windows(self) -> list[FetchedWindow]:
        """All windows."""
        return [window for unit in self.units for window in unit]


class Agenda:
    """Hands out questions, and learns from their answers which to ask next.

    Args:
        stretches: all that is to be asked.
        page_size: how many items a page has room for.
        at_once: how many questions may be asked at the same time.
        stop: is set when no more is wanted.
    """

    def __init__(
        self, stretches: Iterable[Stretch], page_size: int, at_once: int, stop: threading.Event
    ) -> None:
        self._stretches = list(stretches)
        self._room = page_size
        self._at_once = at_once
        self._stop = stop
        self._asked = 0
        self._changed = threading.Condition()

    def take(self) -> Taken | None:
        """The next question, which may have to be waited for; None once there will be no more.

        Raises:
            Cancelled: no more is wanted.
        """
        with self._changed:
            while True:
                if self._stop.is_set():
                    raise Cancelled("stopped on request")
                self._stretches = [stretch for stretch in self._stretches if stretch.is_left or self._asked]
                stretch = next((each for each in self._stretches if each.may_ask), None)
                if stretch is not None:
                    taken = Taken(stretch, stretch.take(self._room))
                    if not self._is_surely_long(taken.units):
                        self._asked += 1
                        return taken
                    self._cut(taken, None)
                elif not self._asked:
                    return None
                else:
                    self._changed.wait(POLL_SECONDS)

    def answered(self, taken: Taken, items: int) -> None:
        """Note that a question was answered, and how many items the answer had."""
        with self._done():
            taken.stretch.answered(taken.units, items, self._room)

    def goes_on(self, taken: Taken) -> None:
        """Note that the answer to a question of a single window has several pages, before all are read."""
        with self._changed:
            taken.stretch.goes_on()
            self._changed.notify_all()

    def was_long(self, taken: Taken, count: int | None, room: int) -> None:
        """Note that an answer was too long, what the API counts, and how many items a page had room for."""
        with self._done():
            self._room = min(self._room, room)
            self._cut(taken, count)

    def failed(self, taken: Taken) -> None:
        """Note that asking for several windows failed."""
        with self._done():
            self._stretches.append(taken.stretch.failed(taken.units))

    @contextmanager
    def _done(self) -> Iterator[None]:
        """The end of a question, after which waiting threads look again."""
        with self._changed:
            yield
            self._asked -= 1
            self._changed.notify_all()

    def _cut(self, taken: Taken, count: int | None) -> None:
        other = taken.stretch.was_long(taken.units, count, self._room, self._at_once)
        if other is not None:
            self._stretches.append(other)

    def _is_surely_long(self, units: Sequence[Unit]) -> bool:
        return len(units) == 1 < len(units[0]) and known_items(units) > MOST_PAGES * self._room
