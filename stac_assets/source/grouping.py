"""Which windows are asked for together: requests follow items, so that years of empty days are few requests.

A stretch is asked as a whole at first. Where its answer is long, it is cut: first by collections, then by
dates. Then so many units of it are asked for at a time as hold little, which is learned while going along.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from stac_assets.source.fetched import FetchedWindow

FEW = 28
"""Windows of a collection that are asked for one by one, because asking for them together saves little."""
CUT = 4
"""Into how many parts a question is cut whose answer is long, or that failed."""

Unit = Sequence[FetchedWindow]
"""What is not cut while a stretch is asked: a single window, or all windows of one collection."""


class Stretch:
    """Units of which so many neighbours are asked for at a time, from the first to the last.

    While the step is being sought, one question is asked after the other. Once it has proved right, any
    number may be asked at the same time.

    Args:
        runs: neighbours: collections with the same dates, or else the windows of one collection.
        step: how many units are asked for at a time.
        is_settled: whether the step is known to be right.
        is_counted: whether it comes from the API's count.
        is_fixed: whether it stays whatever is answered.
    """

    def __init__(
        self,
        runs: Iterable[Sequence[Unit]],
        step: int,
        *,
        is_settled: bool = False,
        is_counted: bool = False,
        is_fixed: bool = False,
    ) -> None:
        self.step = step
        self.is_settled = is_settled or is_fixed
        self.is_counted = is_counted
        self._runs = deque(runs)
        self._is_fixed = is_fixed
        self._is_seeking = False

    @classmethod
    def whole(cls, units: Sequence[Unit]) -> "Stretch":
        """One that is asked for by a single question."""
        return cls([units], len(units))

    @classmethod
    def one_by_one(cls, windows: Iterable[FetchedWindow]) -> "Stretch":
        """One of which each window is asked for alone."""
        return cls(([[window]] for window in windows), 1, is_fixed=True)

    @property
    def is_left(self) -> bool:
        """Whether units are left that were not taken."""
        return bool(self._runs)

    @property
    def may_ask(self) -> bool:
        """Whether a question may be taken now."""
        return self.is_left and (self.is_settled or not self._is_seeking)

    def take(self, room: int) -> list[Unit]:
        """The units of the next question.

        Units that are known to have more items than a page has room for are not asked for together.
        """
        run = self._runs.popleft()
        size, known = 1, known_items(run[:1])
        while size < min(self.step, len(run)) and known + known_items(run[size : size + 1]) <= room:
            known += known_items(run[size : size + 1])
            size += 1
        if size < len(run):
            self._runs.appendleft(run[size:])
        self._is_seeking = not self.is_settled
        return list(run[:size])

    def answered(self, units: Sequence[Unit], items: int, room: int) -> None:
        """Learn from the answer to a question, which had so many items."""
        self._is_seeking = False
        if 2 * items >= room:
            self.is_settled = True
        elif len(units) >= self.step and not self._is_fixed:
            self.step = len(units) * (2 if items else CUT)
            self.is_settled = False

    def goes_on(self) -> None:
        """Learn that the answer to a question of a single window has several pages, before all are read."""
        self._is_seeking = False
        self.is_settled = True

    def was_long(self, units: Sequence[Unit], count: int | None, room: int, at_once: int) -> "Stretch | None":
        """Take units back whose answer was long.

        Args:
            units: those of the question.
            count: the API's count of their items, if it counts.
            room: how many items a page has room for.
            at_once: how many questions may be asked at the same time.

        Returns:
            Another stretch, if they are asked otherwise than the rest of this one.
        """
        self._is_seeking = False
        if len(units) == 1:  # a collection, which is cut by dates from now on
            self.step = 1
            if len(units[0]) <= FEW:
                return Stretch.one_by_one(units[0])
            windows = [[window] for window in units[0]]
            return Stretch([windows], _fitting(len(windows), count, room, at_once), is_counted=bool(count))
        step = _fitting(len(units), count, room, at_once)
        if count is not None:
            return Stretch([units], step, is_settled=True, is_counted=True)
        behind = self._runs[0] if self._runs else []
        if behind and _are_neighbours(units[-1], behind[0]):
            self._runs[0] = [*units, *behind]
        else:
            self._runs.appendleft(units)
        self.step = min(self.step, step)
        self.is_settled = self.step == len(units[0]) == 1
        return None

    def failed(self, units: Sequence[Unit]) -> "Stretch":
        """What is to be asked instead of units of several windows, because asking for them failed."""
        self._is_seeking = False
        parts = units if len(units) > 1 else [[window] for window in units[0]]
        return Stretch([parts], max(1, len(parts) // CUT), is_settled=True)


def stretches(windows: Sequence[FetchedWindow], joins_collections: bool) -> list[Stretch]:
    """The stretches that are asked as a whole at first, and one of the windows that are asked for alone.

    Args:
        windows: all that are asked for.
        joins_collections: whether one request may ask for several collections.
    """
    blocks: dict[object, list[Unit]] = {}
    for number, row in enumerate(_in_a_row(windows)):
        dates = tuple((fetched.window.start, fetched.window.end) for fetched in row)
        blocks.setdefault(dates if joins_collections else number, []).append(row)
    alone: list[FetchedWindow] = []
    found: list[Stretch] = []
    for rows in blocks.values():
        if len(rows) > 1:
            found.append(Stretch.whole(rows))
        elif len(rows[0]) > FEW:
            found.append(Stretch.whole([[window] for window in rows[0]]))
        else:
            alone += rows[0]
    return [*found, Stretch.one_by_one(alone)]


def known_items(units: Iterable[Unit]) -> int:
    """How many items the units have at least."""
    return sum(fetched.known for unit in units for fetched in unit)


def _fitting(units: int, count: int | None, room: int, at_once: int) -> int:
    """How many of so many units to ask for at a time, after all of them at once were too much."""
    if count is None:
        return max(1, units // CUT)
    return max(1, min(room * units // max(1, count), -(-units // at_once)))


def _are_neighbours(one: Unit, other: Unit) -> bool:
    """Whether a question may ask for both units: for two collections, or for windows of one that meet."""
    last, first = one[-1].window, other[0].window
    return last.collection != first.collection or last.end == first.start


def _in_a_row(windows: Sequence[FetchedWindow]) -> list[list[FetchedWindow]]:
    """Windows of one collection of which each begins where the one before it ends."""
    rows: list[list[FetchedWindow]] = []
    for fetched in sorted(windows, key=lambda each: each.window):
        window, last = fetched.window, rows[-1][-1].window if rows else None
        if last and (last.collection, last.end) == (window.collection, window.start):
            rows[-1].append(fetched)
        else:
            rows.append([fetched])
    return rows
