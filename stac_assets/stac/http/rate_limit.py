"""When the next request may start: one clock for all threads that ask an API."""

import threading
import time
from collections.abc import Callable

EASING = 0.9
"""What is left of the distance between requests after each answer that was no refusal."""


class Pace:
    """Spaces requests as the user wants it, and further while the API says that they are too many.

    Args:
        requests_per_second: the user's own limit.
        step: seconds between requests after a first "too many"; doubled by each further one.
        longest: seconds between requests at most.
        sleep: waits for some seconds; may raise to stop.
    """

    def __init__(
        self,
        requests_per_second: float | None,
        step: float,
        longest: float,
        sleep: Callable[[float], None],
    ) -> None:
        self._least = 1 / requests_per_second if requests_per_second else 0.0
        self._spacing = self._least
        self._step = step
        self._longest = max(longest, self._least)
        self._sleep = sleep
        self._next_start = 0.0
        self._lock = threading.Lock()

    def wait_turn(self) -> float:
        """Return once a request may start; the seconds that this took."""
        waited = 0.0
        while True:
            with self._lock:
                now = time.monotonic()
                delay = self._next_start - now
                if delay <= 0:
                    self._next_start = now + self._spacing
                    return waited
            self._sleep(delay)
            waited += delay

    def slow_down(self, seconds: float) -> None:
        """Start nothing for `seconds`, and ask more slowly then."""
        with self._lock:
            now = time.monotonic()
            if now >= self._next_start:  # else the requests of other threads were under way already
                self._spacing = min(max(2 * self._spacing, self._step), self._longest)
            self._next_start = max(self._next_start, now + seconds)

    def ease(self) -> None:
        """An answer came: ask a little faster again, up to what the user allows."""
        with self._lock:
            eased = self._spacing * EASING
            self._spacing = eased if eased > max(self._least, self._step / 8) else self._least
