"""The strategy `updated`: it finds changed items of every date, by their own `updated` (or `created`).

Where the API sorts, the position climbs from instant to instant: each request begins at the newest instant
that was seen, so that no page depends on another one, and nothing is lost when items change in between.
Where it cannot climb (the API does not sort, or one instant has more items than a page holds), it walks from
window to window instead, for the changes between two fixed instants. Both can stop after any request, and
go on from the position that was reached. See `docs/architecture.md`, "The watcher".
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from stac_assets.stac.watch.changed_items import BEGINNING, FEW, ChangedItems, NotHonoured
from stac_assets.stac.watch.changed_windows import ChangedWindows
from stac_assets.stac.watch.item_versions import MILLISECOND, ItemVersion
from stac_assets.stac.watch.position import Position, Walk, keys, position_behind
from stac_assets.stac.watch.updated_filter import instant_text
from stac_assets.stac.windows import Interval


class ByUpdated:
    """Reads the changes of one collection.

    Args:
        changed: asks for changed items.
        found: collects the windows of those items.
    """

    def __init__(self, changed: ChangedItems, found: ChangedWindows) -> None:
        self._changed = changed
        self._found = found
        self._calendar = changed.calendar
        self._stride: timedelta | None = None

    def advance(self, position: Position, keep: Callable[[Position], None]) -> None:
        """Read from `position` up to the newest change, and give `keep` each position that is reached.

        Raises:
            BudgetExhausted: no request is left.
            NotHonoured: the API does not filter any more.
            StacError: the API failed.
        """
        is_done = False
        while not is_done:
            if position.walk is not None:
                position = self._after_step(position, position.walk)
            else:
                position, is_done = self._after_climb(position)
            keep(position)

    def _after_climb(self, position: Position) -> tuple[Position, bool]:
        """The position after one request, and whether nothing is left behind it."""
        instant = self._changed.instant
        page = self._changed.page(position.since)
        new = [version for version in page.versions if version.key not in position.seen]
        if page.is_whole:
            if not page.versions and position.seen:
                self._check_emptiness(position.since)
            self._add(new)
            return position_behind(position.since, page.versions, instant), True
        instants = list(map(instant, page.versions))
        last = max(instants)
        if not self._changed.is_sorted or last <= position.since or instants != sorted(instants):
            return Position(position.since, position.seen, Walk(last, self._calendar.start)), False
        # the last instant may have more items than this page shows, so it is left to the next request
        self._add(version for version in new if instant(version) < last)
        old = (version for version in page.versions if version not in new and instant(version) == last)
        return Position(last, keys(old)), False

    def _after_step(self, position: Position, walk: Walk) -> Position:
        """The position after one step of a walk, over as many windows as change by no more than a page."""
        day, end, seen = walk.day, self._calendar.end, walk.seen
        if day >= end:
            return self._after_walk(walk)
        until = walk.until + MILLISECOND
        stop = self._stop(day, end)
        page = self._changed.page(position.since, until, Interval.of_days(day, stop))
        while not page.is_whole and stop > self._calendar.next(day):
            self._stride = (stop - day) / 2
            stop = self._stop(day, end)
            page = self._changed.page(position.since, until, Interval.of_days(day, stop))
        tomorrow = self._calendar.next(self._calendar.today)
        self._stride = None if day < tomorrow <= stop else (stop - day) * 2  # little lies in the future
        own = [version for version in page.versions if version.day is not None and day <= version.day < stop]
        self._add(version for version in own if version.key not in position.seen)
        at_end = keys(version for version in page.versions if self._changed.instant(version) == walk.until)
        seen = tuple(dict.fromkeys((*seen, *at_end))) if seen is not None else None
        if not page.is_whole:
            # this one window has more changes than a page shows, and it changed whichever they are
            self._found.add(day, instant_text(walk.until), *at_end)
            self._found.more_in.add(day)
        if seen is not None and (not page.is_whole or len(seen) > self._changed.client.page_size // 2):
            seen = None
        return Position(position.since, position.seen, Walk(walk.until, stop, seen))

    def _after_walk(self, walk: Walk) -> Position:
        if walk.seen is not None:
            return Position(walk.until, walk.seen)
        self._found.notes.append(
            f"more items than can be remembered have the same `{self._changed.field}`, "
            f"{instant_text(walk.until)}; one that gets this very instant later is found by rescan_days only"
        )
        return Position(walk.until + MILLISECOND)

    def _stop(self, day: date, end: date) -> date:
        """The day on which a step that begins on `day` ends.

        Without a stride it ends with the window of today, and after that with the last window.
        """
        if self._stride is None:
            tomorrow = self._calendar.next(self._calendar.today)
            return min(end, tomorrow) if day < tomorrow else end
        far = day + min(self._stride, end - day)
        return min(end, max(self._calendar.next(day), self._calendar.granularity.floor(far)))

    def _add(self, versions: Iterable[ItemVersion]) -> None:
        for version in versions:
            self._found.add_item(version, instant_text(self._changed.instant(version)))

    def _check_emptiness(self, since: datetime) -> None:
        """Make sure that an empty answer, where items were, means that these were deleted or changed.

        Raises:
            NotHonoured: the API has an item that its filter should have found.
        """
        changed = self._changed
        if not changed.is_sorted:
            return
        newest = changed.page(BEGINNING, direction="desc", size=FEW).versions
        is_there = changed.instant(newest[0]) >= since if newest else bool(changed.sample().versions)
        if is_there and not changed.page(since, size=FEW).versions:
            raise NotHonoured("its filter does not find what is there")
