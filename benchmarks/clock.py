"""What is measured inside a process: time and CPU time between two moments, and the most memory by then."""

import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

MB = 1_000_000


class Clock:
    """Measures what happens in its `with` block; imports and proof of correctness stay outside of it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.peak_mb = 0.0

    def __enter__(self) -> Self:
        with suppress(OSError):  # Linux: the peak begins anew (proc(5), clear_refs)
            Path("/proc/self/clear_refs").write_text("5")
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self.cpu_seconds = time.process_time() - self._cpu_started
        self.peak_mb = peak_bytes() / MB


def peak_bytes() -> int:
    """The most memory that this process has held at once.

    On Linux `VmHWM` and not `ru_maxrss`, which is the same figure but begins with what the parent process
    held when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
