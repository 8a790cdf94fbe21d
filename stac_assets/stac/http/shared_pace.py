"""The pace of requests to one host, which all processes of a machine share that are given the same limit.

A small SQLite file for each host has the instants at which requests began. Whoever wants to begin one looks
there, under a lock that the operating system frees when its holder dies.
"""

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Callable
from math import ceil
from pathlib import Path

from pyrate_limiter import Rate, RateItem, SQLiteBucket

MARGIN = 1.05
"""Requests are so much further apart than the limit says: on their way some are held up more than others."""
FINEST = 50.0
"""Milliseconds in which at least one request begins; of a higher limit several are counted together."""

logger = logging.getLogger("stac_assets")


class SharedPace:
    """Says when a request to a host may begin. Threads share it, and so do processes.

    Where the file cannot be used, it says so once, and each process keeps the limit for itself.

    Args:
        folder: tells where the files of all hosts are.
        host: who is asked.
        requests_per_second: the limit.
    """

    def __init__(self, folder: Callable[[], Path], host: str, requests_per_second: float) -> None:
        self._folder = folder
        self._host = host
        self._rate = _rate(requests_per_second)
        self._bucket: SQLiteBucket | None = None
        self._is_usable = True
        self._lock = threading.Lock()

    def delay(self) -> float:
        """Seconds after which to ask again; 0 once the request may begin, which it then has to."""
        with self._lock:
            try:
                return self._asked() if self._is_usable else 0.0
            except (OSError, sqlite3.Error) as error:
                self._is_usable = False
                logger.warning(
                    "requests_per_second is kept by this process alone, because the file in which processes "
                    "count their requests to %s cannot be used: %s",
                    self._host,
                    error,
                )
                return 0.0

    def _asked(self) -> float:
        bucket = self._bucket = self._bucket or self._opened()
        with bucket.lock:  # the time is that at which it is our turn
            item = RateItem("", bucket.now())
            if bucket.put(item):
                bucket.leak(item.timestamp)
                return 0.0
            delay = bucket.waiting(item)
            assert isinstance(delay, int)
            if delay > 2 * self._rate.interval:  # the clock was put back since
                bucket.flush()
            return min(delay, self._rate.interval) / 1000

    def _opened(self) -> SQLiteBucket:
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(self._host.encode()).hexdigest()[:24]
        return SQLiteBucket.init_from_file(
            [self._rate],
            table=f"at_{self._rate.limit}_in_{self._rate.interval}_ms",
            db_path=str(folder / f"{name}.sqlite"),
            use_file_lock=True,
        )


def _rate(requests_per_second: float) -> Rate:
    """The limit as so many requests, mostly one, in so many milliseconds: evenly, not in a burst a second."""
    distance = 1000 * MARGIN / requests_per_second
    many = ceil(FINEST / distance)
    return Rate(many, ceil(many * distance))
