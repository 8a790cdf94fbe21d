"""The limits of an API's pages, which a run learns once for all of its windows."""

import threading

from stac_assets.stac.count_costs import CountCosts
from stac_assets.stac.counts import SMALLEST_LIMIT, Counts
from stac_assets.stac.scope import Aspect

PAGE_BYTES = 16 * 1024 * 1024
"""The text that a page should have at most, as each thread that fetches has one in memory."""


class PageLimits:
    """What a run has learned of the pages that an API can answer with. Threads share it.

    Args:
        page_size: the number of items that the user wants on a page.
        costs: whether further counts are worth asking for.
    """

    def __init__(self, page_size: int, costs: CountCosts) -> None:
        self.page_size = page_size
        """The number of items to ask for: as many as the API has answered with where it failed at more."""
        self.counts = Counts(costs)
        """What the run has learned of the API's counts."""
        self.ignores: set[Aspect] = set()
        """What the API does not go by although it is asked for: most of some first page lies beyond it."""
        self.is_down = False
        """The API failed even at the smallest request. Until it answers one, larger ones are not split."""
        self._most: int | None = None
        """The most items that may be asked for; None while no number was refused."""
        self._largest_answered = 0
        self._limit: int | None = None
        """The API's own limit of a page, once it is proven."""
        self._longest_with_next = 0
        self._longest_alone = 0
        self._lock = threading.Lock()

    def shrink(self, page_size: int) -> None:
        """Note that the API answers with pages of `page_size` items, and may fail at larger ones."""
        with self._lock:
            self.page_size = min(self.page_size, page_size)

    def weighed(self, length: int, size: int) -> None:
        """Note that a page of `length` items had `size` bytes: of heavy items fewer are asked for next."""
        if size > PAGE_BYTES and length > 1:
            self.shrink(max(1, length * PAGE_BYTES // size))

    def fitting(self, size: int) -> int:
        """The number of items to ask for where `size` are wanted: no more than the API accepts."""
        return min(size, self._most or size)

    def answered(self, size: int) -> None:
        """Note that a page of `size` items was asked for and answered."""
        self._largest_answered = max(self._largest_answered, size)

    def has_answered(self, size: int) -> bool:
        """Whether a page of at least `size` items was asked for and answered."""
        return size <= self._largest_answered

    def accepts(self, size: int) -> bool:
        """Note that the API refuses pages that are larger. Returns whether that is new."""
        self.answered(size)
        with self._lock:
            is_new = self._most is None or size < self._most
            if is_new:
                self._most = size
        self.shrink(size)
        return is_new

    def saw_next(self, length: int) -> None:
        """Note that a page of `length` documents had a `next` link."""
        with self._lock:
            self._longest_with_next = max(self._longest_with_next, length)

    def proved(self, length: int, was_whole: bool) -> None:
        """Note whether a page of `length` documents, without `next` and not full, was whole or cut off."""
        with self._lock:
            if was_whole:
                self._longest_alone = max(self._longest_alone, length)
            else:
                self._limit = min(self._limit or length, length)

    def is_full(self, length: int, size: int) -> bool:
        """Whether a page of `length` documents, where `size` were asked for, has no room for more."""
        return length >= min(self.fitting(size), self._limit or size)

    def may_be_full(self, length: int, says_more: bool) -> bool:
        """Whether a page of `length` documents may have been cut off by a limit that the API does not tell.

        Args:
            length: fewer than were asked for.
            says_more: whether the API counts more documents than it answered with.
        """
        known = self._longest_with_next or (0 if says_more else self._longest_alone + 1)
        return length >= max(SMALLEST_LIMIT, known)
