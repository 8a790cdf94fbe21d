"""How far one collection of a load is."""

from dataclasses import dataclass, field
from datetime import date

from stac_assets.stac.figures import Figures


@dataclass(frozen=True)
class Row:
    """How far a part of a load is.

    Args:
        name: the collection, or what several are called together.
        windows: how many windows it has.
        done: how many of them are fetched.
        failed: how many of them have failed.
        read: items read, those that do not become rows included, because the API counts them too.
        expected: items that there are, as far as is known; None where the API does not count.
        is_final: whether no window can add to `expected`.
        fraction: the part of the work that is done, from 0 to 1.
        is_begun: whether one of its windows has ended, or is being asked for by a question of its own.
    """

    name: str
    windows: int
    done: int = 0
    failed: int = 0
    read: int = 0
    expected: int | None = None
    is_final: bool = False
    fraction: float = 0.0
    is_begun: bool = False

    @property
    def is_over(self) -> bool:
        """Whether all windows have ended."""
        return self.done + self.failed == self.windows


@dataclass(eq=False, slots=True)
class Question:
    """Windows that are asked for now."""

    windows: int
    collections: int
    collection: str | None
    """None where they are of several."""
    figures: Figures = field(default_factory=Figures)


@dataclass(slots=True)
class CollectionTally:
    """What is known of one collection."""

    name: str
    windows: int
    expected: int | None = None
    """Items, where that is known before the API is asked."""
    max_items: int | None = None
    """How many items are read of a window at most."""
    ended: dict[date, tuple[int, int, bool]] = field(default_factory=dict)
    """Of each window that has ended, by its first day: items read, pages, and whether it has failed."""
    failed: int = 0
    read: int = 0
    counted: tuple[int, int] = (0, 0)
    """Windows that the API has counted together, and their items."""
    is_counted: bool = False
    """Whether the API counts."""
    questions: list[Question] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether all windows have ended."""
        return len(self.ended) == self.windows

    def row(self) -> Row:
        """How far it is. Expected are the items of windows that have ended, and those counted of others."""
        done = len(self.ended) - self.failed
        read = self.read + sum(read_items(each.figures) for each in self.questions)
        if self.is_over:
            expected = read if self.is_counted or self.expected is not None else None
            return Row(self.name, self.windows, done, self.failed, read, expected, True, 1.0, True)
        expected, is_final = self.expected, self.expected is not None
        windows, items = self.counted
        if not is_final and windows == self.windows:
            expected, is_final = items, True
        elif not is_final:
            matched = [self._matched(question) for question in self.questions]
            if self.is_counted or any(each is not None for each in matched):
                told = [each for each in matched if each is not None]
                expected = self.read + sum(told)
                asked = sum(question.windows for question in self.questions)
                is_final = len(told) == len(matched) and len(self.ended) + asked == self.windows
        if expected is not None:
            expected = max(expected, read)
        if expected and is_final:
            fraction = read / expected
        else:
            parts = (self._part(question) for question in self.questions)
            fraction = (len(self.ended) + sum(parts)) / self.windows if self.windows else 0.0
        is_begun = bool(self.ended or self.questions)
        fraction = min(fraction, 0.999)
        return Row(self.name, self.windows, done, self.failed, read, expected, is_final, fraction, is_begun)

    def _matched(self, question: Question) -> int | None:
        matched = question.figures.number_matched
        return matched if matched is None or self.max_items is None else min(matched, self.max_items)

    def _part(self, question: Question) -> float:
        """How many of its windows a question is worth by now."""
        matched = self._matched(question)
        return question.windows * min(read_items(question.figures) / matched, 1.0) if matched else 0.0


def read_items(figures: Figures) -> int:
    """The items that were read, those that do not become rows included: the API counts them too."""
    return figures.items + figures.duplicates + figures.items_owned_elsewhere + figures.rejected_items
