"""The watcher: it polls collections for the windows that hold new or changed items since the last poll.

There are three strategies. Which one a collection gets depends on what its API can do:

- `updated`: the API filters by the items' own `updated` (or `created`), and has proven that it does. This one
  sees changes of every date, but no deletions.
- `counts`: the API counts the items of each recent window. This one sees deletions, but no change in place.
- `probe`: a fingerprint of the first items of each recent window.

Where the API counts, totals find beside the first two what came late or went, of any date.
"""

from dataclasses import dataclass, field
from datetime import date

import msgspec

from stac_assets.stac.errors import Cancelled, ConfigurationError, RequestFailed, StacError
from stac_assets.stac.extensions import claims
from stac_assets.stac.watch.budgeted_client import BudgetedClient, BudgetExhausted
from stac_assets.stac.watch.by_comparison import ByComparison, NoCounts
from stac_assets.stac.watch.by_totals import MOST_REQUESTS, ByTotals, NoTotals
from stac_assets.stac.watch.by_updated import ByUpdated
from stac_assets.stac.watch.changed_items import BEGINNING, FEW, ChangedItems, NotHonoured
from stac_assets.stac.watch.changed_windows import Calendar, ChangedWindows
from stac_assets.stac.watch.item_versions import FIELDS, Field, VersionPage, digest
from stac_assets.stac.watch.marks import Told, told_by_mark
from stac_assets.stac.watch.position import Position
from stac_assets.stac.watch.state import State, Strategy
from stac_assets.stac.watch.updated_baseline import proven_position
from stac_assets.stac.watch.updated_filter import NotCombinable, UpdatedFilter, candidates
from stac_assets.stac.wording import counted

NOT_AN_ANSWER = {401, 403, 429, 503}
"""Statuses that do not tell whether the API can filter."""


@dataclass(frozen=True)
class Changes:
    """What one poll of a collection found.

    Args:
        state: the state for the next poll; None if no baseline was reached.
        windows: the first day of each changed window, with the newest evidence of its change.
        summary: one line in words.
        is_complete: whether everything was asked for.
        error: what kept the poll from that.
    """

    state: State | None
    windows: dict[date, str]
    summary: str
    is_complete: bool = True
    error: StacError | None = None


@dataclass
class Watcher:
    """Polls the collections of one API, one after another.

    Args:
        client: sends the requests.
        calendar: says which windows there are.
        watch_days: how many days back the windows are compared, for `counts` and `probe`.
        spare: requests that the poll of a collection may send for what is not urgent.
    """

    client: BudgetedClient
    calendar: Calendar
    watch_days: int
    spare: int = MOST_REQUESTS
    _classes: list[str] | None = field(default=None, init=False)

    def poll(self, collection: str, state: State | None, seed: str = "") -> Changes:
        """The changes of a collection since `state`; without a state a baseline, and no changes.

        An API that fails raises nothing: `Changes` has the error, and a state that goes on after the last
        change that was found.

        Args:
            collection: the id of the collection.
            state: the state that the last poll returned.
            seed: what makes the first serial of a new baseline differ from that of an earlier one.
        """
        poll = _Poll(self, collection, state, ChangedWindows(self.calendar))
        is_complete, error = True, None
        try:
            poll.run(digest(seed, collection))
        except (BudgetExhausted, Cancelled):
            is_complete = False
            poll.found.notes.append("requests or time ran out, goes on with the next tick")
        except StacError as failed:
            is_complete, error = False, failed
        except ValueError as refused:  # pystac-client raises it for a parameter
            is_complete, error = False, ConfigurationError(str(refused))
        return poll.changes(is_complete, error)

    def classes(self) -> list[str]:
        """The conformance classes of the API, which are asked for once."""
        if self._classes is None:
            self._classes = self.client.conformance()
        return self._classes


class _Poll:
    """One poll of one collection. At any time, `state` is the state that fits what `found` holds."""

    def __init__(self, watcher: Watcher, collection: str, state: State | None, found: ChangedWindows) -> None:
        self._watcher = watcher
        self._client = watcher.client
        self._calendar = watcher.calendar
        self._collection = collection
        self._is_baseline = state is None
        self._has_totals = False
        self.state = state
        self.found = found

    def run(self, serial: str) -> None:
        """Find the changes since `state`, or record a baseline that begins with `serial`."""
        if self.state is None or self.state.strategy == "empty":
            self._choose(serial if self.state is None else self.state.serial)
        if self.state is not None and not (self._is_baseline and self.state.strategy == "updated"):
            self._advance(self.state)
        else:
            self._compare_totals()

    def _choose(self, serial: str) -> None:
        """Choose the strategy and its first state. Nothing is new for it, unless the collection was empty."""
        sample = self._client.items(self._collection, self._calendar.interval, FEW)
        if not sample.versions:
            self.state = State("empty", serial)
            return
        is_counted = sample.number_matched is not None and self._client.asks_for_counts
        by_comparison: Strategy = "counts" if is_counted else "probe"
        self.state = self._by_updated(sample, serial) or self._by_comparison(by_comparison, serial)

    def _by_updated(self, sample: VersionPage, serial: str) -> State | None:
        """The first state of the strategy `updated`; None where no filter can be trusted."""
        versions = sample.versions
        name: Field | None = next((f for f in FIELDS if all(f in v.instants for v in versions)), None)
        if name is None:
            self.found.notes.append("items have neither `updated` nor `created`")
            return None
        may_sort = claims(self._watcher.classes(), "sort")
        filters = candidates(self._watcher.classes(), name)
        if not filters:
            self.found.notes.append("the API has neither the filter nor the query extension")
        for candidate in filters:
            changed = self._changed_items(candidate, may_sort)
            try:
                position = proven_position(changed, sample)
            except (NotHonoured, NotCombinable, RequestFailed) as error:
                if isinstance(error, RequestFailed) and error.status in NOT_AN_ANSWER:
                    raise
                self.found.notes.append(f"{candidate} cannot be trusted: {error}")
                continue
            if not self._is_baseline:  # the collection was empty, so all of it is new
                position = Position(BEGINNING)
            return State("updated", serial, candidate, changed.is_sorted, position)
        return None

    def _by_comparison(self, strategy: Strategy, serial: str) -> State:
        return State(strategy, serial, was_empty=not self._is_baseline)

    def _advance(self, state: State) -> None:
        try:
            if state.strategy == "updated":
                self._read_updates(state)
            elif state.strategy != "empty":
                self._compare(state)
        except NotHonoured as error:
            self._fall_back("counts", f"`updated` cannot be trusted any more ({error})", state)
        except NoCounts:
            self._fall_back("probe", "the API does not count", state)
        else:
            self._compare_totals()

    def _fall_back(self, strategy: Strategy, reason: str, state: State) -> None:
        """Go over to another strategy, which compares what it finds with what is known of before."""
        self.found.notes.append(f"{reason}: goes on by `{strategy}`")
        self._is_baseline = True
        begun = self._by_comparison(strategy, state.serial)
        counted = state.seen if state.strategy == "counts" else {}
        self.state = msgspec.structs.replace(begun, counted=counted, marks=state.marks)
        self._advance(self.state)

    def _compare_totals(self) -> None:
        """Compare the totals of what the strategy does not see whole.

        `updated` sees no deletions of any date. `counts` sees nothing of older windows, which end where the
        recent ones begin. Windows to come of a range without an end are no partitions yet.
        """
        state, watcher = self.state, self._watcher
        if state is None or state.strategy in ("empty", "probe") or not self._client.asks_for_counts:
            return
        calendar = self._calendar
        end = calendar.end if calendar.last is not None else calendar.next(calendar.newest)
        if state.strategy == "counts":
            end = min(calendar.recent(watcher.watch_days), default=end)
        if end <= calendar.start:
            return
        totals = ByTotals(self._client, self._collection, self.found, end, watcher.spare)
        try:
            marks = totals.compare(state.marks, self._told(state))
        except (NoTotals, BudgetExhausted):  # the next poll compares them
            return
        self.state = msgspec.structs.replace(state, marks=marks, told={})
        self._has_totals = True

    def _told(self, state: State) -> dict[date, Told]:
        """What was found otherwise since the totals were compared."""
        return told_by_mark(state.marks, self.found, state.told) if state.marks else {}

    def _read_updates(self, state: State) -> None:
        assert state.updated_filter is not None and state.position is not None

        def keep(position: Position) -> None:
            self.state = msgspec.structs.replace(state, position=position)

        changed = self._changed_items(state.updated_filter, state.is_sorted)
        ByUpdated(changed, self.found).advance(state.position, keep)

    def _changed_items(self, updated_filter: UpdatedFilter, is_sorted: bool) -> ChangedItems:
        return ChangedItems(self._client, self._calendar, self._collection, updated_filter, is_sorted)

    def _compare(self, state: State) -> None:
        def keep(seen: dict[date, str], begin: date | None) -> None:
            has_more = begin is not None
            self.state = msgspec.structs.replace(
                state,
                seen=seen,
                begin=begin,
                was_empty=state.was_empty and has_more,
                counted=state.counted if has_more else {},
            )

        windows = self._calendar.recent(self._watcher.watch_days)
        comparison = ByComparison(self._client, self._collection, state.strategy, self.found, state.counted)
        comparison.compare(windows, state.seen, state.begin, state.was_empty, keep)

    def changes(self, is_complete: bool, error: StacError | None) -> Changes:
        """The result of the poll."""
        found, state = self.found, self.state
        if state is not None:
            told = {} if self._has_totals else self._told(state)
            state = msgspec.structs.replace(state, serial=found.next_serial(state.serial), told=told)
        parts = [f"strategy {self._described(state)}"] if state else []
        if found.labels:
            items = f", {counted(found.items_of.total(), 'item')}" if found.items_of else ""
            parts.append(f"{counted(len(found.labels), 'window')} with changes{items}")
        elif self._is_baseline and state is not None:
            parts.append("baseline recorded" if is_complete else "baseline begun")
        elif error is None and is_complete:
            parts.append("nothing new")
        if found.outside:
            parts.append(f"{counted(found.outside, 'item')} outside of start_date and end_date ignored")
        parts += found.notes
        if error is not None:
            parts.append(f"the API failed: {error}")
        return Changes(state, found.labels, f"{self._collection}: " + "; ".join(parts), is_complete, error)

    def _described(self, state: State) -> str:
        days = self._watcher.watch_days
        has_totals = state.marks is not None
        match state.strategy:
            case "updated":
                order = "sorted" if state.is_sorted else "not sorted"
                unseen = [] if has_totals else ["deletions"]
                if state.updated_filter and state.updated_filter.field != "updated":
                    unseen.append("changes in place")
                missed = f"{' and '.join(unseen)} are not seen" if unseen else "deletions by totals"
                return f"`updated` ({state.updated_filter}, {order}; {missed})"
            case "counts":
                older = "older ones by totals" if has_totals else "only they are seen"
                return f"`counts` (numberMatched of the windows of the last {days} days; {older})"
            case "probe":
                return f"`probe` (the first items of each window; only the last {days} days are seen)"
            case _:
                return "to be chosen (no items yet)"
