"""The strategies `counts` and `probe`: they compare each recent window with what it showed at the last poll.

`counts` compares the API's count of the items in the window, `probe` a fingerprint of the first of them.
Neither asks for older windows.
"""

from collections.abc import Callable, Mapping
from datetime import date
from itertools import zip_longest
from types import MappingProxyType

from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.watch.budgeted_client import BudgetedClient
from stac_assets.stac.watch.changed_windows import ChangedWindows
from stac_assets.stac.watch.item_versions import VersionPage, digest
from stac_assets.stac.windows import Interval

PROBED_ITEMS = 25
"""The number of items of which a fingerprint is made."""
COUNTED_ITEMS = 5
"""The number of items that are asked for with a count, because they may be more than it says."""
NOTHING: Mapping[date, str] = MappingProxyType({})
NO_ITEMS = {"counts": "0", "probe": digest()}
"""What an empty window shows."""


class NoCounts(Exception):
    """The API does not count the items of a result, or does so no longer."""


class ByComparison:
    """Compares the recent windows of one collection.

    Args:
        client: sends the requests.
        collection: the id of the collection.
        strategy: `counts` or `probe`.
        found: collects the changed windows.
        counted: for `probe`, the counts of windows by which the collection was watched before.
    """

    def __init__(
        self,
        client: BudgetedClient,
        collection: str,
        strategy: str,
        found: ChangedWindows,
        counted: Mapping[date, str] = NOTHING,
    ) -> None:
        self._client = client
        self._collection = collection
        self._found = found
        self._is_probe = strategy == "probe"
        self._nothing = NO_ITEMS[strategy]
        self._has_counted = False
        self._counted = counted
        self._page = VersionPage((), True, None)

    def compare(
        self,
        windows: list[date],
        seen: dict[date, str],
        begin: date | None,
        was_empty: bool,
        keep: Callable[[dict[date, str], date | None], None],
    ) -> None:
        """Compare each window with what it showed before.

        Args:
            windows: the first day of each, the newest first.
            seen: what each of them showed.
            begin: the window to begin with; None is the newest.
            was_empty: whether a window that is missing from `seen` held nothing when the others were seen.
            keep: gets, after every window, what was seen and the window to go on with.

        Raises:
            BudgetExhausted: no request is left.
            NoCounts: the API does not count.
            StacError: the API failed.
        """
        self._has_counted = bool(seen)
        oldest = min(seen, default=None)
        if windows and seen and max(seen) < windows[-1]:
            self._found.notes.append(f"not looked at since {max(seen)}: windows before {windows[-1]}")
        first = windows.index(begin) if begin is not None and begin in windows else 0
        for window, following in zip_longest(windows[first:], windows[first + 1 :]):
            # a window newer than any that was seen has begun since; an older one was never asked for
            is_new = was_empty or (oldest is not None and window > oldest)
            before = seen.get(window, self._nothing if is_new else None)
            shown = self._compared(window, before)
            if before is None and (count := self._count_before(window)) is not None:
                self._compare_with_count(window, shown, count)
            if before is not None and shown != before:
                self._found.add(window, shown, before)
            seen = {**seen, window: shown}
            keep(seen, following)
        keep({window: shown for window, shown in seen.items() if window in set(windows)}, None)

    def _compared(self, window: date, before: str | None) -> str:
        """What a window shows, or what it showed before where a second probe contradicts the first.

        An API may answer a probe with its items in another order each time, which is no change.
        """
        shown = self._shown(window)
        if self._is_probe and before is not None and shown != before and self._shown(window) != shown:
            self._found.notes.append(f"{window}: two looks showed different items, so neither counts")
            return before
        return shown

    def _count_before(self, window: date) -> int | None:
        """The count of a window before the API ceased to count; nothing was in one that has begun since."""
        if self._counted and window > max(self._counted):
            return 0
        count = self._counted.get(window)
        return None if count is None else int(count)

    def _compare_with_count(self, window: date, shown: str, before: int) -> None:
        """Compare what an API shows that has ceased to count; what cannot be compared has changed."""
        page = self._page
        if page.is_whole and len(page.versions) == before:
            return
        if not page.is_whole:
            self._found.notes.append(f"{window}: its {before} items of before cannot be counted any more")
        self._found.add(window, shown, str(before))

    def _shown(self, window: date) -> str:
        """The count of a window as text, or the fingerprint of its first items."""
        interval = Interval.of_days(window, self._found.calendar.next(window))
        if self._is_probe:
            self._page = self._client.items(self._collection, interval, size=PROBED_ITEMS)
            return self._page.fingerprint
        count = self._count(interval)
        if count is None:
            raise NoCounts
        return str(count)

    def _count(self, interval: Interval) -> int | None:
        """The API's count; None where it has none, or takes too long to count what it can show.

        Where it has counted at an earlier poll, a slow count is an error of this one: to go over to another
        strategy would lose the changes since then.
        """
        costs = self._client.api.count_costs
        if not costs.are_asked:
            return None
        try:
            with costs.of_a_count():
                return self._client.count(self._collection, interval, COUNTED_ITEMS)
        except RequestFailed:
            if costs.are_asked or self._has_counted:
                raise
            self._client.items(
                self._collection, interval, size=PROBED_ITEMS
            )  # which an API that is down has not
            return None
