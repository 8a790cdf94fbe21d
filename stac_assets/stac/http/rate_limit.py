"""The pace of requests, which all threads that ask an API share."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stac_assets.stac.http.options import ApiOptions

if TYPE_CHECKING:
    from stac_assets.stac.http.shared_pace import SharedPace

EASING = 0.9
"""After each answer that is not a refusal, the distance between requests shrinks to this part of it."""


class Pace:
    """Keeps requests as far apart as the user wants, and further while the API says that they are too many.

    Args:
        requests_per_second: the user's limit; None for no limit.
        step: the seconds between requests after a first "too many", which each further one doubles.
        longest: the most seconds between requests.
        sleep: waits for some seconds; it may raise in order to stop.
        shared: what other processes of the machine have a say in; None where each has its own pace.
    """

    def __init__(
        self,
        requests_per_second: float | None,
        step: float,
        longest: float,
        sleep: Callable[[float], None],
        shared: "SharedPace | None" = None,
    ) -> None:
        self._least = 1 / requests_per_second if requests_per_second else 0.0
        self._spacing = self._least
        self._step = step
        self._longest = max(longest, self._least)
        self._sleep = sleep
        self._shared = shared
        self._next_start = 0.0
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Wait until a request may start, and return the seconds that this took."""
        waited = 0.0
        while True:
            with self._lock:
                now = time.monotonic()
                delay = self._next_start - now
                if delay <= 0 and self._shared is not None:
                    delay = self._shared.delay()
                if delay <= 0:
                    self._next_start = now + self._spacing
                    return waited
            self._sleep(delay)
            waited += delay

    def slow_down(self, seconds: float) -> None:
        """Start no request for `seconds`, and more slowly after that."""
        with self._lock:
            now = time.monotonic()
            if now >= self._next_start:  # otherwise another refusal of the same moment has slowed it down
                self._spacing = min(max(2 * self._spacing, self._step), self._longest)
            self._next_start = max(self._next_start, now + seconds)

    def ease(self) -> None:
        """Ask a little faster after an answer, up to what the user allows."""
        with self._lock:
            eased = self._spacing * EASING
            self._spacing = eased if eased > max(self._least, self._step / 8) else self._least


def paced(options: ApiOptions, sleep: Callable[[float], None]) -> Pace:
    """The pace of the requests to one API; without a limit nothing is shared with other processes."""
    limit = options.requests_per_second
    shared = None
    if limit is not None:
        from stac_assets.stac.http.shared_pace import SharedPace

        shared = SharedPace(options.pace_folder, urlsplit(options.base_url).hostname or "", limit)
    return Pace(limit, options.backoff / 4, options.max_backoff, sleep, shared)
