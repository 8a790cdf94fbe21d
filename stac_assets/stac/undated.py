"""What dates hide: items that an API has, and does not find by the date that owns them.

Some APIs never match an item whose `datetime` is null, some match items by their own interval where the
owner goes by `datetime`, some compare times as text. It is learned from few questions, how an API is.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from stac_assets.stac.count_costs import CountCosts
from stac_assets.stac.documents import Page
from stac_assets.stac.errors import Cancelled, StacError
from stac_assets.stac.item_times import SeenItem, Shape, seen_item
from stac_assets.stac.windows import ALWAYS, Interval
from stac_assets.stac.wording import counted

Ask = Callable[[Sequence[str], Interval, int], Page]
"""Asks for the first page of the items of some collections that touch an interval, of so many items."""

USUAL_YEARS = Interval(datetime(1800, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
"""Years that every API can compare; an open interval is refused by some."""
ALL_YEARS = Interval(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
TRIES = 2
"""The items of one odd shape that are searched for."""

logger = logging.getLogger("stac_assets")


@dataclass(frozen=True)
class Undated:
    """All items of some collections, asked for without a date.

    Args:
        collections: their ids.
    """

    collections: tuple[str, ...]

    @property
    def interval(self) -> Interval:
        """No time at all."""
        return ALWAYS

    def __str__(self) -> str:
        first, *others = self.collections
        more = f" and {counted(len(others), 'other collection')}" if others else ""
        return f"{first}{more}, without a date"


@dataclass(frozen=True)
class InYears:
    """The items of some collections in an interval that need not be days.

    Args:
        collections: their ids.
        interval: both ends included.
    """

    collections: tuple[str, ...]
    interval: Interval


class Dates:
    """What questions by date find of an API; it is learned once for a load, by all of its threads.

    An item is searched for by the second that owns it: a question that finds it then would find it for the
    whole day too. What is learned with an item holds for all items of its shape.

    Args:
        ask: asks the API.
        page_size: the items of a page that is to show one item among others of the same second, as many as
            the API is known to answer with.
        costs: whether counts are worth asking for.
    """

    def __init__(self, ask: Ask, page_size: Callable[[], int], costs: CountCosts) -> None:
        self._ask = ask
        self._costs = costs
        self._page_size = page_size
        self._found: dict[Shape, bool | None] = {}
        self._by_interval: bool | None = None
        self._lock = threading.Lock()

    def learn(self, page: Page, collections: Sequence[str]) -> None:
        """Search for some items of a page by date; only for those of a shape that was not searched for yet.

        All items of ordinary shapes together cost one question, those of each odd shape `TRIES`.

        Args:
            page: the first items of an answer without a date.
            collections: what it was asked for.
        """
        by_shape: dict[Shape, list[SeenItem]] = {}
        for seen in map(seen_item, page.items):
            if seen is not None and (seen.collection or len(collections) == 1):
                named = seen if seen.collection else replace(seen, collection=collections[0])
                by_shape.setdefault(seen.shape, []).append(named)
        is_counted = self._is_counted(page)
        with self._lock:
            for shape in (Shape.OUTSIDE, Shape.ZONED):
                self._search(shape, _ends(by_shape.get(shape, [])))
            ordinary = [Shape.NULL, Shape.WITHIN] if is_counted else [Shape.NULL, Shape.WITHIN, Shape.PLAIN]
            unknown = [shape for shape in ordinary if shape in by_shape and shape not in self._found]
            for shape in unknown[:1]:
                if shape is Shape.WITHIN:
                    self._search_within(by_shape[shape])
                else:
                    self._search(shape, by_shape[shape][:1])

    def hidden_in(self, page: Page) -> set[str]:
        """The collections, as the items name them, of which the page has an item that dates do not find."""
        hidden = self._hidden
        found = map(seen_item, page.items) if hidden else ()
        return {seen.collection for seen in found if seen is not None and seen.shape in hidden}

    def may_hide_more(self, page: Page) -> bool:
        """Whether other items like those of the page may be hidden, although none of the page is."""
        hidden = self._hidden
        if Shape.ZONED in hidden or (Shape.NULL in hidden and not self._is_counted(page)):
            return True
        if not self._by_interval or self._found.get(Shape.OUTSIDE):
            return False
        return any(seen is not None and seen.shape is Shape.WITHIN for seen in map(seen_item, page.items))

    def count_hidden(self, collections: Sequence[str], undated: int) -> int | None:
        """How many items of the collections dates do not find, by the API's counts; None if it cannot say.

        Args:
            collections: their ids.
            undated: the API's count of their items without a date.
        """
        dated: int | None = None
        for years in (USUAL_YEARS, ALL_YEARS):
            if not self._costs.are_asked:
                return None
            page = self._answer(collections, years, 1)
            count = None if page is None else page.number_matched
            if count is not None:
                dated = max(dated or 0, count)
                if dated >= undated:
                    return 0
        return None if dated is None else undated - dated

    def _is_counted(self, page: Page) -> bool:
        """Whether counts tell what dates do not find."""
        return page.number_matched is not None and self._costs.are_asked

    @property
    def _hidden(self) -> Collection[Shape]:
        return [shape for shape, was_found in self._found.items() if was_found is False]

    def _search(self, shape: Shape, items: Sequence[SeenItem]) -> None:
        if shape in self._found:
            return
        for seen in items:
            was_found = self._is_found(seen, seen.second)
            self._found[shape] = was_found
            if was_found is False:
                logger.info("dates do not find %s, which has %s", seen.item_id, shape.value)
                return

    def _search_within(self, items: Sequence[SeenItem]) -> None:
        """Learn whether the API goes by the interval of an item that has a `datetime` too."""
        for seen in items:
            if seen.other_second is not None:
                self._found[Shape.WITHIN] = None
                self._by_interval = self._is_found(seen, seen.other_second)
                return

    def _is_found(self, seen: SeenItem, interval: Interval | None) -> bool | None:
        """Whether a question for an interval shows an item; None where the page has no room for it."""
        page = None if interval is None else self._answer([seen.collection], interval, self._page_size())
        if page is None:
            return None
        for other in map(seen_item, page.items):
            if other is not None and other.item_id == seen.item_id:
                return True
        has_more = page.length >= self._page_size() or page.has_next
        return None if has_more else False

    def _answer(self, collections: Sequence[str], interval: Interval, size: int) -> Page | None:
        try:
            return self._ask(collections, interval, size)
        except Cancelled:
            raise
        except StacError as error:
            logger.info("what dates find was not told: %s", error)
            return None


def _ends(items: Sequence[SeenItem]) -> Sequence[SeenItem]:
    """The first and the last item, as they differ most in their times where the page is in order."""
    return [*items[:1], *items[1:][-1:]][:TRIES]
