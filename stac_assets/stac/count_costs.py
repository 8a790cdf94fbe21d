"""Whether an API's counts are worth their time: some take far longer to count than to answer with a page."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stac_assets.stac.errors import RequestFailed, TookTooLong
from stac_assets.stac.http.options import Counting

SHORT = 3.0
"""Seconds that a count may take in any case."""
TIMES = 10
"""A count that takes so many times as long as a page is not worth it."""
TIMED_OUT = {408, 504}
"""Statuses that say that the API was too slow."""

logger = logging.getLogger("stac_assets")


class CountCosts:
    """Measures what questions for counts cost beside those for pages, and gives them up. Threads share it.

    Without further counts an answer is proven by its pages alone, as that of an API that does not count.

    Args:
        counting: `auto`, or `never` to ask for no count at all.
        clock: tells the time in seconds.
    """

    def __init__(self, counting: Counting = "auto", clock: Callable[[], float] = time.monotonic) -> None:
        self.are_asked = counting != "never"
        """Whether to ask for counts: not once one has taken too long."""
        self._clock = clock
        self._pages = 0
        self._seconds = 0.0

    @contextmanager
    def of_a_page(self) -> Iterator[None]:
        """The time in which a page is asked for."""
        started = self._clock()
        yield
        self._pages += 1  # a little wrong where two threads add at once, which does no harm
        self._seconds += self._clock() - started

    @contextmanager
    def of_a_count(self) -> Iterator[None]:
        """The time in which a count is asked for."""
        started = self._clock()
        try:
            yield
        except RequestFailed as error:
            if isinstance(error, TookTooLong) or error.status in TIMED_OUT:
                self._give_up(str(error))
            raise
        seconds = self._clock() - started
        if self._pages and seconds > max(SHORT, TIMES * self._seconds / self._pages):
            self._give_up(f"one took {seconds:.0f} s, and a page {self._seconds / self._pages:.1f} s")

    def _give_up(self, reason: str) -> None:
        if self.are_asked:
            self.are_asked = False
            logger.warning(
                "counts are slow, and are not asked for any more in this run (setting counts): %s", reason
            )
