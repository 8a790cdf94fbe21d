"""What the replay server counts, to prove that a client keeps to its limits."""

import threading
import time
from collections import deque


class Counters:
    """Requests of the API, how many were under way at once, and how many came within one second.

    A request is under way until just before its last byte is sent: a client cannot have the whole answer
    before that, so what is counted at once was at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Count anew."""
        with self._lock:
            self.requests = self.items = self.bytes = self.under_way = self.most_at_once = (
                self.peak_second
            ) = 0
            self.first = self.last = 0.0
            self._second: deque[float] = deque()

    def began(self) -> None:
        """A request has come."""
        with self._lock:
            now = time.monotonic()
            self.first = self.first or now
            self.last = now
            self.requests += 1
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            self._second.append(now)
            while self._second[0] <= now - 1.0:
                self._second.popleft()
            self.peak_second = max(self.peak_second, len(self._second))

    def ends(self, items: int, size: int) -> None:
        """All but the last byte of the answer, of `size` bytes with so many items, is sent."""
        with self._lock:
            self.under_way -= 1
            self.items += items
            self.bytes += size

    def figures(self) -> dict[str, float]:
        """All counts, by name."""
        with self._lock:
            names = ("requests", "items", "bytes", "most_at_once", "peak_second")
            return {name: getattr(self, name) for name in names} | {"seconds": self.last - self.first}
