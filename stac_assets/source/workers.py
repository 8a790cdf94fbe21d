"""Threads that fetch. Nobody has to wait for them once their answers are no longer wanted."""

import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import TypeVar

from stac_assets.stac.errors import Cancelled

T = TypeVar("T")

POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0
"""How long those that are to stop are waited for."""


def work_off(jobs: Iterable[T], work: Callable[[T], None], most: int, stop: threading.Event) -> None:
    """Call `work` with every job, in several threads; the first error is raised, and ends the others.

    A thread cannot be kept from waiting for an API that sends nothing. So one that does not stop in time is
    left behind: it ends with its answer, or with the process. (A thread of `concurrent.futures` would hold
    the process until then.)

    Args:
        jobs: what there is to do.
        work: does it; ends soon after `stop` is set.
        most: how many threads there are.
        stop: is set when no more is wanted, here after an error or an interrupt.

    Raises:
        Cancelled: `stop` was set before all was done.
    """
    waiting: SimpleQueue[T] = SimpleQueue()
    for job in jobs:
        waiting.put(job)
    count = waiting.qsize()
    ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def labour() -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except Empty:
                return
            try:
                if stop.is_set():
                    raise Cancelled("stopped on request")
                work(job)
            except BaseException as error:
                ended.put(error)
                stop.set()
            else:
                ended.put(None)

    threads = [
        threading.Thread(target=labour, name=f"fetch-{number}", daemon=True)
        for number in range(min(most, count))
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in range(count):
            error = _next(ended)
            if error is not None:
                raise error
    except BaseException:
        stop.set()
        raise
    finally:
        deadline = time.monotonic() + GRACE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _next(queue: SimpleQueue[T]) -> T:
    """The next entry of the queue, waited for in short steps, so that an interrupt reaches this thread."""
    while True:
        try:
            return queue.get(timeout=POLL_SECONDS)
        except Empty:
            continue
