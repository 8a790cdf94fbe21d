"""Ctrl-C while a load runs: once stops it cleanly, twice at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def interruptible(is_told: bool = False) -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, and then raises KeyboardInterrupt here.

    The event stops the threads that fetch, between two pieces of an answer. One that waits for a server which
    sends nothing is left behind after some seconds; a second Ctrl-C does not wait for that either. What is
    left in the run's folder the next run removes.

    Args:
        is_told: whether a display on the terminal says that the load stops; what were written here would get
            between its lines.
    """
    cancelled = threading.Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        if cancelled.is_set():
            _write(f"\n{SHOW_CURSOR}" if sys.stderr.isatty() else "")
            os._exit(128 + number)
        cancelled.set()
        if not is_told:
            _write("\nstopping; Ctrl-C again stops at once\n")
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield cancelled  # only the main thread hears of signals
        return
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, before)


def _write(text: str) -> None:
    """To stderr, by the one way that is safe in a signal handler: not through a buffer."""
    os.write(2, text.encode())
