"""What a run learns about how an API answers, so that it learns it once."""

import threading

SMALLEST_LIMIT = 10
"""No API limits its pages to fewer items: a page of fewer was not cut off."""


class Habits:
    """What a run has learned about an API; shared by all of its windows, in all threads."""

    def __init__(self, page_size: int) -> None:
        self.page_size = page_size
        self.is_down = False
        """Not even the smallest request was answered; until one is, larger ones are not taken apart."""
        self._limit: int | None = None  # the API's own for a page, proven
        self._longest_with_next = 0
        self._longest_alone = 0
        self._lock = threading.Lock()

    def shrink(self, page_size: int) -> None:
        """Pages of `page_size` succeed where larger ones fail."""
        with self._lock:
            self.page_size = min(self.page_size, page_size)

    def saw_next(self, length: int) -> None:
        """The API told of a next page after one of `length` documents."""
        with self._lock:
            self._longest_with_next = max(self._longest_with_next, length)

    def proved(self, length: int, was_whole: bool) -> None:
        """A page of `length` documents, fewer than asked for, without `next`, was whole or was cut off."""
        with self._lock:
            if was_whole:
                self._longest_alone = max(self._longest_alone, length)
            else:
                self._limit = min(self._limit or length, length)

    def is_full(self, length: int, size: int) -> bool:
        """Whether a page of `length` documents may have left others out for want of room."""
        return length >= min(size, self._limit or size)

    def may_be_full(self, length: int, says_more: bool) -> bool:
        """The same of a page with fewer than asked for: the API may have a limit that it does not tell."""
        known = self._longest_with_next or (0 if says_more else self._longest_alone + 1)
        return length >= max(SMALLEST_LIMIT, known)
