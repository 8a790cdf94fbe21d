"""The filter on urllib3's loggers: it is there while requests are sent, and no longer."""

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from stac_assets.source.reader import fetch_windows
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.http.redaction import hiding
from stac_assets_tests.asking import OnPage, client, fetched, first_days, interval_of, spooled
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

URLLIB3 = (
    "urllib3",
    "urllib3.connectionpool",
    "urllib3.connection",
    "urllib3.response",
    "urllib3.util.retry",
)


def test_importing_the_stac_floor_and_asking_an_api_leave_every_logger_as_it_was(api: StacApi) -> None:
    api.put(make_item("a"))
    code = """
import logging, sys
import pystac_client, tenacity

def state():
    loggers = {name: logging.getLogger(name) for name in known}
    return {name: (it.level, it.filters[:], it.handlers[:]) for name, it in loggers.items()}

known = ["root", *logging.root.manager.loggerDict]
assert "urllib3.connectionpool" in known
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: True)
before = state()
import stac_assets.stac.api, stac_assets.stac.survey, stac_assets.stac.watch.watcher
assert state() == before, "importing"

from stac_assets_tests.asking import client, searched
before = {name: kept for name, kept in state().items() if not name.startswith("dlt")}
assert searched(client(sys.argv[1])) == ["a"]
after = {name: kept for name, kept in state().items() if not name.startswith("dlt")}
assert after == before, "asking"
"""
    done = subprocess.run([sys.executable, "-c", code, api.url], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_load_leaves_the_loggers_of_urllib3_as_they_were(project: Path, api: StacApi) -> None:
    def state() -> list[Any]:
        return [(it.level, it.filters[:], it.handlers[:]) for it in map(logging.getLogger, URLLIB3)]

    api.put(make_item("a"))
    before = state()
    load_days(api)
    assert ids() == ["a"] and state() == before


def test_records_of_others_pass_untouched_while_requests_are_sent(
    api: StacApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    others = logging.getLogger("urllib3.connectionpool")

    def meanwhile(page: Any, _: Request) -> Any:  # in a thread of the server, while the client waits
        assert others.filters
        others.debug("GET %s", "/theirs?mine=1")
        return page

    api.put(make_item("a"))
    api.on_page = meanwhile
    with caplog.at_level(logging.DEBUG):
        [window] = fetched(api, tmp_path)
    assert spooled(window) == ["a"]
    assert "GET /theirs?mine=1" in caplog.text and "GET /v1?… HTTP" not in caplog.text


def test_the_end_of_one_request_leaves_those_of_other_threads_hidden(
    api: StacApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The second window is asked for before the first is answered, and answered after that."""
    for day in (1, 2):
        api.put(make_item(f"a{day}", datetime=f"2024-01-0{day}T10:00:00Z"))
    second_is_asked, first_is_done = threading.Event(), threading.Event()

    def hold(page: Any, request: Request) -> Any:
        if interval_of(request).startswith("2024-01-02"):
            second_is_asked.set()
            assert first_is_done.wait(10)
        assert second_is_asked.wait(10)
        return page

    api.on_page, api.post_search = hold, False
    asking = client(api, max_concurrent_requests=2, read_timeout=20.0)
    with caplog.at_level(logging.DEBUG):
        windows = fetch_windows(
            asking, SEARCH, first_days(2), tmp_path, progress=OnPage(lambda *_: first_is_done.set())
        )
    assert [spooled(window) for window in windows] == [["a1"], ["a2"]]
    lines = [record.getMessage() for record in caplog.records if record.name == "urllib3.connectionpool"]
    assert sum("search?… HTTP/1.1" in line for line in lines) >= 2
    assert not any("datetime=" in line for line in lines)


def test_what_is_hidden_stays_so_until_the_last_user_is_done(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    before = logger.filters[:]
    with caplog.at_level(logging.DEBUG), hiding(lambda text: text.replace("s3cr3t", "***")):
        with hiding(str):
            assert logger.filters != before
        logger.debug("a header: %s, a path: /x?y=1", "s3cr3t")
        assert logger.filters != before
    assert logger.filters == before
    assert "a header: ***, a path: /x?…" in caplog.text
