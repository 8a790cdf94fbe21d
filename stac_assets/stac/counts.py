"""What a run learns of an API's counts: whether they are those of whole results, and end at no limit."""

import threading

from stac_assets.stac.count_costs import CountCosts
from stac_assets.stac.documents import Page

SMALLEST_LIMIT = 10
"""No API limits its pages, its results or its counts to fewer items than this."""
MOST_PROOFS = 3
"""Requests for proofs that found nothing wrong; after them only a round total is doubted once more."""
ROUND = 100
"""Who limits results chooses a multiple of this."""


class Counts:
    """What a run has learned of the counts of an API. Threads share it.

    A count that equals what was read proves nothing by itself: where results and counts end at the same
    limit, they are equal too. But no limit is smaller than a larger count of the same API.

    Args:
        costs: whether further counts are worth asking for.
    """

    def __init__(self, costs: CountCosts) -> None:
        self.costs = costs
        """Whether further counts are worth asking for."""
        self.turn = threading.Lock()
        """Held by who asks for a proof, so that threads do not ask for the same."""
        self.are_of_pages = False
        """A count is that of the documents on a page, and says nothing of the whole result."""
        self.are_honest = False
        """Once the counts of parts were those of the whole, so that a count is no leftover of yesterday."""
        self._most = 0
        self._most_read = 0
        self._proven = 0
        self._requests = 0
        self._asked_widely: set[frozenset[str]] = set()
        self._lock = threading.Lock()

    @property
    def exceed_pages(self) -> bool:
        """Whether some count was greater than its page, so that counts are those of whole results."""
        return self._most > 0

    def of(self, page: Page) -> int | None:
        """The count of a page, if the API's counts are those of whole results."""
        count = page.number_matched
        if count is None or self.are_of_pages:
            return None
        if count > page.length:  # else it may be that of the page
            with self._lock:
                self._most = max(self._most, count)
        return count

    def may_end_at(self, total: int) -> bool:
        """Whether a limit of so many documents may have cut off a result that has as many as are counted."""
        if total < max(SMALLEST_LIMIT, self._most) or total <= self._proven:
            return False
        return self._requests < MOST_PROOFS or total % ROUND == 0

    def pages_may_end_at(self, total: int) -> bool:
        """Whether a limit of so many documents may have cut off a result that is not counted."""
        return total >= max(ROUND, self._most_read, self._proven + 1) and total % ROUND == 0

    def is_new(self, collections: frozenset[str]) -> bool:
        """Whether nobody has asked before for the count of all that there is of these collections."""
        is_new = collections not in self._asked_widely
        self._asked_widely.add(collections)
        return is_new

    def asked(self, requests: int) -> None:
        """Note requests for a proof that found nothing wrong."""
        with self._lock:
            self._requests += requests

    def proved(self, total: int, requests: int = 0) -> None:
        """Note that so many requests proved a result of `total` documents not to be cut off."""
        with self._lock:
            self._proven = max(self._proven, total)
            self._requests += requests

    def read(self, total: int) -> None:
        """Note that the pages of a result had `total` documents."""
        with self._lock:
            self._most_read = max(self._most_read, total)
