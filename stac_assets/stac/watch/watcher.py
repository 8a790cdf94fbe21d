"""Which windows of a collection hold new or changed items since the last look.

There are three strategies, and what the API can do decides:

- `updated`: the API filters by the items' own `updated` (or `created`), and has proven it. Sees every date.
- `counts`: the API's counts (`numberMatched`) of the trailing windows. Sees deletions, no change in place.
- `probe`: a fingerprint of the first items of the trailing windows.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import msgspec

from stac_assets.stac.errors import Cancelled, ConfigurationError, RequestFailed, StacError
from stac_assets.stac.watch.budgeted_client import Questions, Spent
from stac_assets.stac.watch.by_comparison import NoCounts, Trailing
from stac_assets.stac.watch.by_updated import BEGINNING, FEW, NotHonoured, Position, Updates
from stac_assets.stac.watch.changed_windows import Calendar, Finds
from stac_assets.stac.watch.item_versions import FIELDS, Field, Look, digest
from stac_assets.stac.watch.updated_filter import Language, NotCombinable, claims, languages
from stac_assets.stac.wording import counted

Strategy = Literal["updated", "counts", "probe", "empty"]
"""`empty`: there was no item yet from which to learn what the API can do."""
NOT_CREATED = "deletions and changes in place"
NOT_AN_ANSWER = {401, 403, 429, 503}
"""Statuses that tell nothing of whether the API could filter."""


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a collection, and how it is watched; JSON by msgspec.

    `turn` is another one after every change, so that no two changes are taken for one.
    """

    strategy: Strategy
    turn: str
    language: Language | None = None
    is_sorted: bool = False
    position: Position | None = None
    seen: dict[date, str] = {}
    begin: date | None = None
    was_empty: bool = False


@dataclass(frozen=True)
class Changes:
    """What a look found.

    Args:
        state: for the next look; None if not even a baseline is known.
        windows: first day of each window that holds something else than before, and what was seen there last.
        told: what was done, in words.
        is_complete: whether everything was looked at.
        error: what kept it from that.
    """

    state: State | None
    windows: dict[date, str]
    told: str
    is_complete: bool = True
    error: StacError | None = None


@dataclass
class Watcher:
    """Looks at collections, one after another.

    Args:
        questions: asks the API.
        calendar: which windows there are.
        watch_days: how many days the strategies look back that compare windows.
    """

    questions: Questions
    calendar: Calendar
    watch_days: int
    _classes: list[str] | None = field(default=None, init=False)

    def look(self, collection: str, state: State | None, seed: str = "") -> Changes:
        """What has changed in a collection since `state`; without one, a baseline and no changes.

        Never raises for what the API does: `Changes` tells of it, and its state is that of what was seen.

        Args:
            collection: its id.
            state: of the look before.
            seed: what a new baseline's `turn` begins with.
        """
        look = _Look(self, collection, state, Finds(self.calendar))
        is_complete, error = True, None
        try:
            look.run(digest(seed, collection))
        except (Spent, Cancelled):
            is_complete = False
            look.finds.notes.append("requests or time ran out, goes on with the next tick")
        except StacError as failed:
            is_complete, error = False, failed
        except ValueError as refused:  # pystac-client does, a parameter
            is_complete, error = False, ConfigurationError(str(refused))
        return look.told(is_complete, error)

    def classes(self) -> list[str]:
        """The conformance classes, asked for once."""
        if self._classes is None:
            self._classes = self.questions.conformance()
        return self._classes


class _Look:
    """One look at one collection. `state` is always that of what `finds` holds."""

    def __init__(self, watcher: Watcher, collection: str, state: State | None, finds: Finds) -> None:
        self._watcher = watcher
        self._questions = watcher.questions
        self._calendar = watcher.calendar
        self._collection = collection
        self._is_baseline = state is None
        self.state = state
        self.finds = finds

    def run(self, turn: str) -> None:
        """Look on, or record the baseline."""
        if self.state is None or self.state.strategy == "empty":
            self._begin(turn if self.state is None else self.state.turn)
        if self.state is not None and not (self._is_baseline and self.state.strategy == "updated"):
            self._continue(self.state)

    def _begin(self, turn: str) -> None:
        """Find the strategy, and where it starts: behind what is there, or at nothing if nothing was."""
        sample = self._questions.items(self._collection, self._calendar.span, FEW)
        if not sample.sightings:
            self.state = State("empty", turn)
            return
        self.state = self._proven(sample, turn) or self._comparing(
            "probe" if sample.number_matched is None else "counts", turn
        )

    def _proven(self, sample: Look, turn: str) -> State | None:
        """The state of the strategy `updated`, if it works."""
        name: Field | None = next((f for f in FIELDS if all(f in s.instants for s in sample.sightings)), None)
        if name is None:
            self.finds.notes.append("items have neither `updated` nor `created`")
            return None
        may_sort = claims(self._watcher.classes(), "sort")
        candidates = languages(self._watcher.classes(), name)
        if not candidates:
            self.finds.notes.append("the API has neither the filter nor the query extension")
        for language in candidates:
            updates = Updates(self._questions, self._collection, language, may_sort, self.finds)
            try:
                position = updates.proven(sample)
            except (NotHonoured, NotCombinable, RequestFailed) as error:
                if isinstance(error, RequestFailed) and error.status in NOT_AN_ANSWER:
                    raise
                self.finds.notes.append(f"{language} cannot be trusted: {error}")
                continue
            if not self._is_baseline:  # there was nothing, so all of it is new
                position = Position(BEGINNING)
            return State("updated", turn, language, updates.is_sorted, position)
        return None

    def _comparing(self, strategy: Strategy, turn: str) -> State:
        return State(strategy, turn, was_empty=not self._is_baseline)

    def _continue(self, state: State) -> None:
        try:
            if state.strategy == "updated":
                self._advance(state)
            elif state.strategy != "empty":
                self._compare(state)
        except NotHonoured as error:
            self._fall_back("counts", f"`updated` cannot be trusted any more ({error})", state)
        except NoCounts:
            self._fall_back("probe", "the API does not count", state)

    def _fall_back(self, strategy: Strategy, why: str, state: State) -> None:
        """Go over to another strategy; what this one did not see between the two looks, none does."""
        self.finds.notes.append(f"{why}: a new baseline by `{strategy}`")
        self._is_baseline = True
        self.state = self._comparing(strategy, state.turn)
        self._continue(self.state)

    def _advance(self, state: State) -> None:
        assert state.language is not None and state.position is not None

        def keep(position: Position) -> None:
            self.state = msgspec.structs.replace(state, position=position)

        updates = Updates(self._questions, self._collection, state.language, state.is_sorted, self.finds)
        updates.advance(state.position, keep)

    def _compare(self, state: State) -> None:
        def keep(seen: dict[date, str], begin: date | None) -> None:
            was_empty = state.was_empty and begin is not None
            self.state = msgspec.structs.replace(state, seen=seen, begin=begin, was_empty=was_empty)

        windows = self._calendar.trailing(self._watcher.watch_days)
        trailing = Trailing(self._questions, self._collection, state.strategy, self.finds)
        trailing.compare(windows, state.seen, state.begin, state.was_empty, keep)

    def told(self, is_complete: bool, error: StacError | None) -> Changes:
        """What was found."""
        finds, state = self.finds, self.state
        if state is not None:
            state = msgspec.structs.replace(state, turn=finds.turned(state.turn))
        parts = [f"strategy {self._described(state)}"] if state else []
        if finds.changes:
            items = f", {counted(finds.items, 'item')}" if finds.items else ""
            parts.append(f"{counted(len(finds.changes), 'window')} with changes{items}")
        elif self._is_baseline and state is not None:
            parts.append("baseline recorded" if is_complete else "baseline begun")
        elif error is None and is_complete:
            parts.append("nothing new")
        if finds.outside:
            parts.append(f"{counted(finds.outside, 'item')} outside of start_date and end_date ignored")
        parts += finds.notes
        if error is not None:
            parts.append(f"the API failed: {error}")
        return Changes(state, finds.changes, f"{self._collection}: " + "; ".join(parts), is_complete, error)

    def _described(self, state: State) -> str:
        days = self._watcher.watch_days
        match state.strategy:
            case "updated":
                order = "sorted" if state.is_sorted else "not sorted"
                unseen = "deletions" if state.language and state.language.field == "updated" else NOT_CREATED
                return f"`updated` ({state.language}, {order}; {unseen} are not seen)"
            case "counts":
                return f"`counts` (numberMatched; only the last {days} days are seen)"
            case "probe":
                return f"`probe` (the first items of each window; only the last {days} days are seen)"
            case _:
                return "to be chosen (no items yet)"
