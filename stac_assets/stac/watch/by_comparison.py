"""Changed windows where items do not tell: each of the last windows is compared with what was seen there.

What is compared is the API's count of the window, or where it does not count a fingerprint of the first items
there. Older windows are not looked at.
"""

from collections.abc import Callable
from datetime import date
from itertools import zip_longest

from stac_assets.stac.watch.budgeted_client import Questions, Span
from stac_assets.stac.watch.changed_windows import Finds
from stac_assets.stac.watch.item_versions import digest

PROBED_ITEMS = 25
"""Items of a window that a probe looks at."""
NO_ITEMS = {"counts": "0", "probe": digest()}
"""What an empty window shows."""


class NoCounts(Exception):
    """The API does not count (any more)."""


class Unsteady(Exception):
    """The same question got two answers: what differs is not the items."""


class Trailing:
    """Looks at the last windows of one collection.

    Args:
        questions: asks the API.
        collection: of the items.
        strategy: `counts` or `probe`.
        finds: gets what is found.
    """

    def __init__(self, questions: Questions, collection: str, strategy: str, finds: Finds) -> None:
        self._questions = questions
        self._collection = collection
        self._finds = finds
        self._shown: Callable[[Span], str] = self._count if strategy == "counts" else self._probe
        self._nothing = NO_ITEMS[strategy]

    def compare(
        self,
        windows: list[date],
        seen: dict[date, str],
        begin: date | None,
        was_empty: bool,
        keep: Callable[[dict[date, str], date | None], None],
    ) -> None:
        """Compare each window with what was seen.

        Args:
            windows: the newest first.
            seen: what each of them showed.
            begin: the window to begin with; None is the newest.
            was_empty: whether a window that was never looked at held nothing when the others were.
            keep: gets what is seen, and with which window to go on, after every step.

        Raises:
            Spent: no request is left.
            NoCounts: the API does not count.
            StacError: the API did not answer as it should.
        """
        oldest = min(seen, default=None)
        if windows and seen and max(seen) < windows[-1]:
            self._finds.notes.append(f"not looked at since {max(seen)}: windows before {windows[-1]}")
        first = windows.index(begin) if begin is not None and begin in windows else 0
        for window, following in zip_longest(windows[first:], windows[first + 1 :]):
            # what is newer than any that was seen came into being since; what is older was never asked for
            is_new = was_empty or (oldest is not None and window > oldest)
            before = seen.get(window, self._nothing if is_new else None)
            shown = self._shown(self._span(window))
            if before is not None and shown != before:
                try:
                    shown = self._settled(window, shown)
                except Unsteady:
                    shown = before
                    self._finds.notes.append(f"{window}: two looks showed different items, so neither counts")
            if before is not None and shown != before:
                self._finds.change(window, shown, before)
            seen = {**seen, window: shown}
            keep(seen, following)
        keep({window: shown for window, shown in seen.items() if window in set(windows)}, None)

    def _settled(self, window: date, shown: str) -> str:
        """What a window shows, if it is a probe's second look that says so, too.

        Raises:
            Unsteady: the second look shows something else.
        """
        if self._shown == self._probe and self._probe(self._span(window)) != shown:
            raise Unsteady
        return shown

    def _count(self, span: Span) -> str:
        look = self._questions.items(self._collection, span, size=1)
        if look.number_matched is None:
            raise NoCounts
        return str(look.number_matched)

    def _probe(self, span: Span) -> str:
        return self._questions.items(self._collection, span, size=PROBED_ITEMS).fingerprint

    def _span(self, window: date) -> Span:
        return Span(window, self._finds.calendar.granularity.next(window))
