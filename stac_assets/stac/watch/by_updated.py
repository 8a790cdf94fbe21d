"""Changed items by their own `updated` (or `created`): the strategy that sees every date.

With a sorted search the position climbs from instant to instant: each request asks anew from the newest
instant seen, so that no page depends on another, and nothing is lost while items change. Where that cannot
go on (the API does not sort, or one instant has more items than a page) the windows are walked one after
another, for a fixed pair of instants. Either may stop after any request; the position says what was seen.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from stac_assets.stac.watch.budgeted_client import Questions, Span
from stac_assets.stac.watch.changed_windows import FOREVER, Finds
from stac_assets.stac.watch.item_versions import MILLISECOND, Look, Sighting, floored
from stac_assets.stac.watch.updated_filter import Between, Direction, Language, instant_text

OVERLAP = timedelta(seconds=60)
"""How far behind the newest instant the next look begins: what several writers store is not seen in order."""
REMEMBERED = 50
"""Items that may be remembered for the overlap; with more it is made shorter."""
FEW = 20
"""Items of a page that is to show an order only."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=2)
"""Later than that after the beginning of the day of the evaluation nothing has changed; such an instant is
wrong, and a position behind it would see nothing any more."""


class NotHonoured(Exception):
    """The API does not do what it was asked; the message says what."""


class Walk(msgspec.Struct, frozen=True):
    """Windows before `day` are done for items that changed up to `until`, included.

    `seen` are the items at `until`; None says that they are too many to remember.
    """

    until: datetime
    day: date
    seen: tuple[str, ...] | None = ()


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen: everything before `since`, and of what changed since then the items `seen`."""

    since: datetime
    seen: tuple[str, ...] = ()
    walk: Walk | None = None


class Updates:
    """Looks for changed items of one collection.

    Args:
        questions: asks the API.
        collection: of the items.
        language: how to ask for what changed.
        is_sorted: whether the API sorts by that.
        finds: gets what is found.
    """

    def __init__(
        self, questions: Questions, collection: str, language: Language, is_sorted: bool, finds: Finds
    ) -> None:
        self._questions = questions
        self._collection = collection
        self._language = language
        self._sort: Direction | None = "asc" if is_sorted else None
        self._finds = finds
        self._calendar = finds.calendar
        self._horizon = datetime.combine(finds.calendar.today, time(), UTC) + AHEAD
        self._stride: timedelta | None = None

    def advance(self, position: Position, keep: Callable[[Position], None]) -> None:
        """Look on from `position` to the newest change; `keep` gets each position that is reached.

        Raises:
            Spent: no request is left.
            NotHonoured: the API does not filter as it did.
            StacError: the API did not answer as it should.
        """
        is_done = False
        while not is_done:
            if position.walk is not None:
                position = self._walked(position, position.walk)
            else:
                position, is_done = self._climbed(position)
            keep(position)

    def _climbed(self, position: Position) -> tuple[Position, bool]:
        """The next position, and whether it is the newest."""
        look = self._changed(Between(position.since))
        new = [sighting for sighting in look.sightings if sighting.key not in position.seen]
        if look.is_whole:
            if not look.sightings and position.seen:
                self._check_emptiness(position.since)
            self._found(new)
            return self._rested(position, look.sightings), True
        instants = list(map(self._instant, look.sightings))
        last = max(instants)
        if self._sort is None or last <= position.since or instants != sorted(instants):
            return Position(position.since, position.seen, Walk(last, self._calendar.span.start)), False
        # those of the last instant may not be all there are of it, so they are left to the next look
        self._found(sighting for sighting in new if self._instant(sighting) < last)
        return Position(
            last, _keys(s for s in look.sightings if s not in new and self._instant(s) == last)
        ), False

    def _rested(self, position: Position, sightings: Iterable[Sighting]) -> Position:
        """Where the next look begins, when these are all items since `position`."""
        ordered = sorted(sightings, key=self._instant, reverse=True)
        if not ordered:
            return Position(position.since)
        since = max(position.since, self._instant(ordered[0]) - OVERLAP)
        if len(ordered) > REMEMBERED:
            since = max(since, self._instant(ordered[REMEMBERED - 1]))
        return Position(since, _keys(s for s in ordered if self._instant(s) >= since))

    def _walked(self, position: Position, walk: Walk) -> Position:
        """One step through the windows: as many days as have no more changes than a page."""
        day, end, seen = walk.day, self._calendar.span.end or FOREVER, walk.seen
        if day >= end:
            return self._arrived(walk)
        between = Between(position.since, walk.until + MILLISECOND)
        stop = self._stop(day, end)
        look = self._changed(between, Span(day, stop))
        while not look.is_whole and stop > self._next(day):
            self._stride = (stop - day) / 2
            stop = self._stop(day, end)
            look = self._changed(between, Span(day, stop))
        today = self._next(self._calendar.today)
        self._stride = None if day < today <= stop else (stop - day) * 2  # there is little behind it
        own = [s for s in look.sightings if s.day is not None and day <= s.day < stop]
        self._found(s for s in own if s.key not in position.seen)
        at_end = _keys(s for s in look.sightings if self._instant(s) == walk.until)
        seen = tuple(dict.fromkeys((*seen, *at_end))) if seen is not None else None
        if not look.is_whole:
            # more than a page of changed items touch this one window; whichever they are, it is to be loaded
            self._finds.change(day, instant_text(walk.until), *at_end)
        if seen is not None and (not look.is_whole or len(seen) > self._questions.page_size // 2):
            seen = None
        return Position(position.since, position.seen, Walk(walk.until, stop, seen))

    def _arrived(self, walk: Walk) -> Position:
        if walk.seen is not None:
            return Position(walk.until, walk.seen)
        self._finds.notes.append(
            f"more items than can be remembered have the same `{self._language.field}`, "
            f"{instant_text(walk.until)}; one that gets this very instant later is found by rescan_days only"
        )
        return Position(walk.until + MILLISECOND)

    def _stop(self, day: date, end: date) -> date:
        """Where a step from `day` ends: at first with the window of today, or behind it with the last."""
        if self._stride is None:
            today = self._next(self._calendar.today)
            return min(end, today) if day < today else end
        far = day + min(self._stride, end - day)
        return min(end, max(self._next(day), self._calendar.granularity.floor(far)))

    def _next(self, day: date) -> date:
        return self._calendar.granularity.next(self._calendar.granularity.floor(day))

    def _found(self, sightings: Iterable[Sighting]) -> None:
        for sighting in sightings:
            self._finds.items_changed([sighting], instant_text(self._instant(sighting)))

    def _instant(self, sighting: Sighting) -> datetime:
        return sighting.instants[self._language.field]

    def _changed(
        self,
        between: Between,
        span: Span | None = None,
        direction: Direction | None = None,
        size: int | None = None,
    ) -> Look:
        """A page of changed items, each of which changed when it should have, and none after the horizon.

        Raises:
            NotHonoured: one did not.
        """
        between = Between(between.start, between.end or self._horizon)
        if between.start >= self._horizon:
            return Look((), True, None)
        look = self._questions.changed(
            self._collection,
            span or self._calendar.span,
            self._language,
            between,
            direction or self._sort,
            size,
        )
        wide = Between(between.start - MILLISECOND, (between.end or self._horizon) + MILLISECOND)
        for sighting in look.sightings:
            instant = sighting.instants.get(self._language.field)
            if instant is None or not wide.holds(instant):
                since = instant_text(between.start)
                raise NotHonoured(f"asked for items changed since {since}, it answers with others")
        return look

    def _check_emptiness(self, since: datetime) -> None:
        """What was there is gone: deleted or changed, or the API has stopped to find anything.

        Raises:
            NotHonoured: the newest item is one that the filter should have found.
        """
        if self._sort is None:
            return
        newest = self._changed(Between(BEGINNING), direction="desc", size=FEW).sightings
        if newest:
            is_there = self._instant(newest[0]) >= since
        else:
            is_there = bool(self._questions.items(self._collection, self._calendar.span, FEW).sightings)
        if is_there and not self._changed(Between(since), size=FEW).sightings:
            raise NotHonoured("its filter does not find what is there")

    # The baseline -----------------------------------------------------------------------------

    def proven(self, sample: Look) -> Position:
        """The position behind all that is there, after proof that the API does as it is asked.

        Args:
            sample: some items as they come without a filter.

        Raises:
            NotHonoured: it does not.
        """
        instants = (self._instant(s) for s in sample.sightings if self._instant(s) < self._horizon)
        latest = max(instants, default=BEGINNING)
        if self._sort is not None:
            latest = self._proven_order(latest)
        for since in (latest - OVERLAP, latest):
            look = self._changed(Between(since))
            if look.is_whole and all(self._instant(s) < latest for s in look.sightings):
                raise NotHonoured("its filter does not find an item that it has")
            if look.is_whole:
                break
        if look.is_whole:
            position = self._rested(Position(since), look.sightings)
        else:
            position = Position(latest + MILLISECOND) if self._sort else self._behind(latest)
        beyond = max(map(self._instant, look.sightings)) + MILLISECOND
        self._changed(Between(max(beyond, position.since)), size=FEW)  # where nothing was, a moment ago
        return position

    def _proven_order(self, latest: datetime) -> datetime:
        """The newest instant, if the API sorts; if it does not, it is not asked to any more."""
        look = self._changed(Between(BEGINNING), direction="desc", size=FEW)
        newest = list(map(self._instant, look.sightings))
        oldest = list(
            map(self._instant, self._changed(Between(BEGINNING), direction="asc", size=FEW).sightings)
        )
        if not newest or not oldest:
            raise NotHonoured("its filter does not find an item that it has")
        is_ordered = newest == sorted(newest, reverse=True) and oldest == sorted(oldest)
        is_extreme = newest[0] >= latest and newest[0] >= oldest[-1] and oldest[0] <= newest[-1]
        # items that are all of one instant show no order, unless there are no others
        if is_ordered and is_extreme and (newest[0] > oldest[0] or look.is_whole):
            return newest[0]
        self._sort = None
        return latest

    def _behind(self, latest: datetime) -> Position:
        """A position with less than a page behind it, without a sorted search; more follow `latest`."""
        full, step = latest, timedelta(minutes=1)
        look = self._changed(Between(full + step))
        while not look.is_whole:
            full, step = full + step, 2 * step
            look = self._changed(Between(full + step))
        since = full + step
        while not look.sightings and since - full > 10 * MILLISECOND:
            middle = floored(full + (since - full) / 2)
            tried = self._changed(Between(middle))
            if tried.is_whole:
                since, look = middle, tried
            else:
                full = middle
        return Position(since, _keys(look.sightings))

    @property
    def is_sorted(self) -> bool:
        """Whether the API has proven to sort."""
        return self._sort is not None


def _keys(sightings: Iterable[Sighting]) -> tuple[str, ...]:
    return tuple(sighting.key for sighting in sightings)
