"""The pace of requests: after a 429 all threads slow down, and until then none waits for another."""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stac_assets.source.reader import fetch_windows
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets_tests.asking import (
    OnPage,
    client,
    fetched,
    first_days,
    interval_of,
    spooled,
)
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request


@contextmanager
def hearing(words: str, heard: threading.Event) -> Iterator[None]:
    """Set `heard` once our log says `words`."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                heard.set()

    logger, ear = logging.getLogger("stac_assets"), Ear(logging.INFO)
    level = logger.level
    logger.addHandler(ear)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(ear)
        logger.setLevel(level)


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns so often that one which can overtake another does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("attempt", range(3))
def test_after_429_all_threads_wait_as_told(api: StacApi, tmp_path: Path, attempt: int) -> None:
    told = threading.Event()

    def hold(page: Any, _: Request) -> Any:
        assert told.wait(10), "nobody said that the API wants us to wait"
        return page

    api.on_page = hold  # those under way when the 429 comes are answered once it is known
    for n in range(6):
        api.put(make_item(f"a{n}", datetime=f"2024-01-0{n + 1}T10:00:00Z"))
    api.fault("/search", status=429, headers={"Retry-After": "0.3"}, times=1)
    with hearing("attempt 1 failed", told):
        windows = fetched(api, tmp_path, days=6, max_retry_after=10.0, max_concurrent_requests=3)
    assert [spooled(window) for window in windows] == [[f"a{n}"] for n in range(6)]
    searches = [request.time for request in api.requests if request.path == "/search"]
    first, rest = searches[:3], searches[3:]
    assert min(rest) - min(first) >= 0.29
    assert sum(window.figures.seconds_waited for window in windows) >= 0.29


def test_while_a_page_becomes_rows_the_others_are_asked_for(api: StacApi, tmp_path: Path) -> None:
    for n in range(3):
        api.put(make_item(f"a{n}", datetime=f"2024-01-0{n + 1}T10:00:00Z"))
    first, asked_together = first_days(1)[0], threading.Event()
    both = threading.Barrier(2, asked_together.set, timeout=10)

    def hold(page: Any, request: Request) -> Any:
        if interval_of(request) != str(first.interval):
            both.wait()
        return page

    def slowly(window: Window, _: Figures) -> None:
        assert window != first or asked_together.wait(10), "the API was left waiting"

    api.on_page = hold
    asking = client(api, max_concurrent_requests=2, max_retries=0, read_timeout=20.0)
    windows = fetch_windows(asking, SEARCH, first_days(3), tmp_path, progress=OnPage(slowly))
    assert [spooled(window) for window in windows] == [["a0"], ["a1"], ["a2"]]


def test_after_429_requests_are_spread_and_get_faster_again(api: StacApi) -> None:
    api.fault("/conformance", status=429, headers={"Retry-After": "0"}, times=1)
    asking = client(api, backoff=0.2, max_backoff=1.0)
    begun = time.monotonic()
    asking.conformance()
    asking.conformance()
    slowed = time.monotonic() - begun
    assert slowed >= 0.04
    for _ in range(30):
        asking.transport.pace.ease()
    assert asking.transport.pace.wait() + asking.transport.pace.wait() < 0.1
    assert asking.transport.pace.wait() == 0.0
