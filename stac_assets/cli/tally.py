"""How far a load is: what its threads tell, counted for each collection and for all of them."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from stac_assets.cli.collection_tally import CollectionTally, Question, Row, read_items
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.progress import Progress
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted


class Tally(Progress):
    """Counts what is told of a load. Each call costs no more than the windows that it is about.

    Args:
        windows: those of the load, in its order.
        expected: how many items each collection has, where that is known before the API is asked.
        max_items: how many items are read of a window at most.
    """

    def __init__(
        self,
        windows: Sequence[Window] = (),
        expected: Mapping[str, int] | None = None,
        max_items: int | None = None,
    ) -> None:
        many = Counter(window.collection for window in windows)
        known = expected or {}
        self._collections = {
            name: CollectionTally(name, n, known.get(name), max_items) for name, n in many.items()
        }
        self._windows = len(windows)
        self._expected = sum(known.values()) if expected else None
        self._questions: dict[Window, Question] = {}
        self._begun: dict[str, CollectionTally] = {}
        self._over = Row("over", 0)
        self._is_counted = False
        self.collections_over = 0
        """How many collections are over."""
        self._pages = 0
        self._lock = threading.RLock()
        self._started = time.monotonic()

    def begun(self, windows: Sequence[FetchedWindow]) -> None:
        """A question begins: what ended before and is asked for again has not ended any more."""
        with self._lock:
            names = dict.fromkeys(fetched.window.collection for fetched in windows)
            self._end(windows)  # which begin anew where they are read by another plan
            question = Question(len(windows), len(names), next(iter(names)) if len(names) == 1 else None)
            self._questions[windows[0].window] = question
            if question.collection is not None:
                self._of(question.collection).questions.append(question)
            if self._over.windows or any(name in self._begun for name in names):
                for fetched in windows:
                    self._forget(fetched.window)

    def page(self, window: Window, figures: Figures) -> None:
        """A page of a question was read."""
        with self._lock:
            if (question := self._questions.get(window)) is not None:
                question.figures = figures
                self._is_counted |= figures.number_matched is not None

    def given_back(self, windows: Sequence[FetchedWindow], count: int | None = None) -> None:
        """A question is over in vain; the API's count of its items stays known."""
        with self._lock:
            question = self._end(windows)
            if count is None or question is None:
                return
            if question.collection is not None:
                collection = self._of(question.collection)
                collection.is_counted = self._is_counted = True
                collection.counted = max(collection.counted, (len(windows), count))
            elif len(windows) == self._windows and self._expected is None:
                self._expected = count

    def ended(self, windows: Sequence[FetchedWindow]) -> None:
        """Windows are fetched, or have failed."""
        with self._lock:
            question = self._end(windows)
            for fetched in windows:
                self._forget(fetched.window)
                figures, name = fetched.figures, fetched.window.collection
                collection = self._of(name)
                if figures.number_matched is not None or (question and question.figures.number_matched):
                    collection.is_counted = self._is_counted = True
                has_failed = fetched.error is not None
                collection.ended[fetched.window.start] = read_items(figures), figures.pages, has_failed
                collection.failed += has_failed
                collection.read += read_items(figures)
                self._pages += figures.pages
                if collection.is_over:
                    self._note_over(collection, 1)

    @property
    def names(self) -> Sequence[str]:
        """The collections, in the order of the load."""
        return list(self._collections)

    def row(self, name: str) -> Row:
        """How far a collection is."""
        with self._lock:
            return self._collections[name].row()

    def under_way(self) -> list[str]:
        """The collections that are begun and not over, in the order in which they were begun."""
        with self._lock:
            return list(self._begun)

    def together(self) -> Row | None:
        """The questions that ask for several collections at a time, as one row; None where there is none."""
        with self._lock:
            joint = [question for question in self._questions.values() if question.collection is None]
            if not joint:
                return None
            read, windows = (
                sum(read_items(each.figures) for each in joint),
                sum(each.windows for each in joint),
            )
            return Row("together", windows, read=read, is_begun=True)

    @property
    def collections_together(self) -> int:
        """How many collections the questions of several ask for."""
        with self._lock:
            return sum(each.collections for each in self._questions.values() if each.collection is None)

    def over(self) -> Row:
        """The collections that are over, as one row."""
        with self._lock:
            return self._over

    def total(self) -> Row:
        """How far the whole load is."""
        with self._lock:
            active = [collection.row() for collection in self._begun.values()]
            done = self._over.done + sum(row.done for row in active)
            failed = self._over.failed + sum(row.failed for row in active)
            read = self._over.read + sum(row.read for row in active)
            joint = self.together()
            read += joint.read if joint else 0
            known = [row.expected for row in active]
            known_to_end = self._over.windows + sum(row.windows for row in active if row.is_final)
            is_final = known_to_end == self._windows
            expected = self._expected
            if expected is not None:
                is_final = True
            elif self._is_counted and None not in known:
                expected = self._over.read + sum(each for each in known if each is not None)
            windows = self._over.windows + sum(row.fraction * row.windows for row in active)
            fraction = windows / self._windows if self._windows else 0.0
            if done + failed == self._windows:
                expected = None if expected is None else read
            elif expected and is_final:
                fraction = min(read / max(expected, read), 0.999)
            expected = None if expected is None else max(expected, read)
            return Row("total", self._windows, done, failed, read, expected, is_final, fraction, True)

    @property
    def items_per_second(self) -> float:
        """Items read per second since the start."""
        return self.total().read / max(time.monotonic() - self._started, 0.001)

    @property
    def pages(self) -> int:
        """Pages read, without those that were read in vain."""
        with self._lock:
            return self._pages + sum(question.figures.pages for question in self._questions.values())

    def __str__(self) -> str:
        total, pages = self.total(), self.pages
        in_pages = f" in {counted(pages, 'page')}" if pages else ""  # single items have none
        items = counted(total.read, "item")
        if total.expected is not None:
            items = f"{total.read:,} of {total.expected:,}{'' if total.is_final else '+'} items"
        return f"{items}{in_pages}, {self.items_per_second:,.0f} items/s"

    def _of(self, name: str) -> CollectionTally:
        collection = self._begun[name] = self._collections.setdefault(name, CollectionTally(name, 0))
        return collection

    def _end(self, windows: Sequence[FetchedWindow]) -> Question | None:
        question = self._questions.pop(windows[0].window, None) if windows else None
        if question is not None and question.collection is not None:
            collection = self._of(question.collection)
            collection.questions.remove(question)
            if not collection.questions and not collection.ended:
                del self._begun[question.collection]
        return question

    def _forget(self, window: Window) -> None:
        collection = self._collections.get(window.collection)
        if collection is None or window.start not in collection.ended:
            return
        if collection.is_over:
            self._note_over(collection, -1)
        read, pages, has_failed = collection.ended.pop(window.start)
        collection.read -= read
        collection.failed -= has_failed
        self._pages -= pages

    def _note_over(self, collection: CollectionTally, sign: int) -> None:
        if sign > 0:
            self._begun.pop(collection.name, None)
        else:
            self._begun[collection.name] = collection
        self.collections_over += sign
        before, its = self._over, collection.row()
        self._over = Row(
            "over",
            before.windows + sign * its.windows,
            before.done + sign * its.done,
            before.failed + sign * its.failed,
            before.read + sign * its.read,
            is_begun=True,
        )
