"""Which window owns a row, told by the windows' bounds: of their days, maybe millions, few have rows."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import ONE_DAY, PartitionKey, Window, partition_key

T = TypeVar("T")


class KeyRange(NamedTuple):
    """The first and the last key of a span of days, both included.

    Keys of other collections may lie between them in the order of texts, so whoever asks by a range asks
    `Owners` of what is found.
    """

    first: str
    last: str


class DayOwners(Generic[T]):
    """Finds who owns a day of a collection, however many days the windows span.

    Args:
        owners: a window and its owner each; no two windows have a day in common.
    """

    def __init__(self, owners: Iterable[tuple[Window, T]]) -> None:
        self.by_collection: dict[str, list[tuple[Window, T]]] = {}
        """The windows of each collection in their order, and their owners."""
        for window, owner in sorted(owners, key=itemgetter(0)):
            self.by_collection.setdefault(window.collection, []).append((window, owner))
        self._starts = {name: [window.start for window, _ in own] for name, own in self.by_collection.items()}

    def of(self, collection: str, day: date) -> T | None:
        """The owner of a day of a collection; None where it is in none of the windows."""
        place = bisect_right(self._starts.get(collection, ()), day) - 1
        if place < 0:
            return None
        window, owner = self.by_collection[collection][place]
        return owner if day < window.end else None


class Owners:
    """The owners of rows among windows, no two of which share a day.

    Args:
        windows: in any order.
        prefix: what stands before each partition key, as in the keys of rejected documents.
    """

    def __init__(self, windows: Iterable[Window], prefix: str = "") -> None:
        self._prefix = prefix
        self._days = DayOwners((window, window) for window in set(windows))
        self._windows = {
            name: [window for window, _ in own] for name, own in self._days.by_collection.items()
        }

    def __bool__(self) -> bool:
        """Whether there are any windows."""
        return bool(self._windows)

    def of(self, key: str) -> Window | None:
        """The window that owns the rows with this partition key; None where none of these does."""
        if not key.startswith(self._prefix):
            return None
        try:
            collection, day = PartitionKey.parse(key[len(self._prefix) :])
        except ConfigurationError:
            return None
        return self._days.of(collection, day)

    def among(self, keys: Iterable[str]) -> Iterator[str]:
        """Those of the keys whose rows one of the windows owns."""
        return (key for key in keys if self.of(key) is not None)

    def portions(self, number: int) -> Iterator["Owners"]:
        """The same windows, with those of `number` collections at a time."""
        names = list(self._windows)
        for start in range(0, len(names), number):
            some = names[start : start + number]
            yield Owners((window for name in some for window in self._windows[name]), self._prefix)

    def with_prefix(self, prefix: str) -> "Owners":
        """The same windows, for keys that begin with something more."""
        return Owners(chain.from_iterable(self._windows.values()), prefix + self._prefix)

    def day_keys(self) -> Iterator[str]:
        """The keys of all days of the windows: many, for where nobody says which of them have rows."""
        for own in self._windows.values():
            for window in own:
                yield from (self._prefix + key for key in window.day_keys())

    def ranges(self) -> list[KeyRange]:
        """For each collection the keys from the first day of its windows to the last."""
        spans = (
            (name, own[0].start, max(window.end for window in own) - ONE_DAY)
            for name, own in self._windows.items()
        )
        return [
            KeyRange(*(self._prefix + partition_key(name, day) for day in (first, last)))
            for name, first, last in spans
        ]
