"""Threads that fetch: all jobs are done, an error ends the others, and nobody waits for a silent API."""

import threading
import time

import pytest

from stac_assets.source import workers
from stac_assets.source.workers import work_off
from stac_assets.stac.errors import Cancelled


def test_every_job_is_done_once_by_so_many_threads() -> None:
    done, threads = [], set()
    together = threading.Barrier(3, timeout=10)

    def work(job: int) -> None:
        together.wait()
        threads.add(threading.current_thread().name)
        done.append(job)

    work_off(range(9), work, 3, threading.Event())
    assert sorted(done) == list(range(9))
    assert len(threads) == 3
    work_off([], work, 3, threading.Event())


def test_the_first_error_is_raised_and_stops_the_others() -> None:
    stop, begun = threading.Event(), []

    def work(job: int) -> None:
        begun.append(job)
        if job == 1:
            raise ValueError("job 1")
        assert stop.wait(10)

    with pytest.raises(ValueError, match="job 1"):
        work_off(range(9), work, 2, stop)
    assert begun == [0, 1]


def test_what_is_stopped_from_outside_is_cancelled() -> None:
    stop = threading.Event()
    with pytest.raises(Cancelled):
        work_off(range(3), lambda job: stop.set(), 1, stop)


def test_a_thread_that_does_not_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_SECONDS", 0.05)
    answered, waiting = threading.Event(), threading.Event()

    def work(job: int) -> None:
        if job:
            assert waiting.wait(10)
            raise KeyboardInterrupt
        waiting.set()
        answered.wait(30)

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work_off(range(2), work, 2, threading.Event())
    assert time.monotonic() - started < 10
    assert not answered.is_set()
    answered.set()
