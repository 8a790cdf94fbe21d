"""What the API does to single requests, and what a load makes of it: the exact partition, or why it is not.

The rows of the table "Requests" of issue 3. Each stands in a load that ends in a table; where a row has
many forms, the others are fetched only, which is faster.
"""

import gzip
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets.source.reader import fetch_windows
from stac_assets.stac.errors import AuthenticationError, RequestFailed, RequestTooHeavy, Unreachable
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets_tests.asking import (
    asked,
    client,
    fetched,
    first_days,
    ids_of,
    interval_of,
    limit_of,
    listed,
    some_items,
    spooled,
)
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

HTML = b"<!doctype html><title>Busy</title>"
IN_AN_HOUR = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")

PASSING: dict[str, dict[str, Any]] = {
    "429, seconds": {"status": 429, "headers": {"Retry-After": "1"}},
    "429, a date": {"status": 429, "headers": {"Retry-After": IN_AN_HOUR}},
    "429, nothing": {"status": 429},
    **{f"{status}": {"status": status} for status in (408, 425, 500, 502, 503, 504)},
    "503 with Retry-After": {"status": 503, "headers": {"Retry-After": "0.5"}},
    "hung up": {"drop": True},
    "read time-out": {"delay": 5},
    "cut short": {"truncate": 30},
    "chunked and cut short": {"chunked_truncate": True},
    "HTML": {"body": HTML},
    "empty": {"body": b""},
    "invalid JSON": {"body": b'{"type": "FeatureCollection", "features": ['},
    "JSON of another shape": {"body": b'{"message": "try again"}'},
    "not gzip": {"headers": {"Content-Encoding": "gzip"}},
    "brotli": {"headers": {"Content-Encoding": "br"}, "body": b"\x8b\x02\x80{}\x03"},
    "too large": {"endless": True},
    "slow": {"drip": 0.02},
}
"""What happens to a request twice, and does not come again."""


def on_day(day: date) -> Any:
    return lambda request: interval_of(request).startswith(str(day))


def test_what_passes_is_waited_for_and_the_table_is_exact(project: Path, api: StacApi) -> None:
    days = {name: date(2024, 1, 1) + timedelta(n) for n, name in enumerate(PASSING)}
    for name, day in days.items():
        api.put(make_item(f"{name} 1", datetime=f"{day}T00:00:00Z"))
        api.put(make_item(f"{name} 2", datetime=f"{day}T23:59:59.9995Z"))
        api.fault(on_day(day), times=2, **PASSING[name])
    result = load_days(
        api,
        last=str(max(days.values())),
        max_retries=4,
        max_retry_after=0.01,
        read_timeout=0.5,
        request_timeout=1.0,
        max_response_bytes=100_000,
    )
    assert {name: ids(day=str(day)) for name, day in days.items()} == {
        name: [f"{name} 1", f"{name} 2"] for name in PASSING
    }
    assert result.figures.retries >= 2 * (len(PASSING) - 1)  # what is too large is not asked for again
    assert result.figures.requests > len(PASSING)
    assert 0 < result.figures.seconds_waited < 5


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_403_is_throttling_once_something_has_succeeded(project: Path, api: StacApi, resource: str) -> None:
    api.put(make_item("a"))
    api.fault("/search", status=403, times=3)
    api.fault("/collections/c1/items", status=403, times=2)
    result = load_days(api, resource, max_retries=4)
    assert ids(resource) == ["a"]
    assert result.figures.retries == 2


def test_a_connection_that_is_refused_for_a_while_is_waited_for(tmp_path: Path) -> None:
    api = StacApi(items=some_items(3))
    downtime = iter([None, None, "stop", None, "start"])

    def switch(_: Any) -> None:
        match next(downtime, None):
            case "stop":
                api.__exit__(None, None, None)
            case "start":
                api.__enter__()

    with api:
        [window] = fetched(api, tmp_path, request_modifier=switch, max_retries=5)
    assert window.error is None and spooled(window) == ids_of(3)
    assert window.figures.retries >= 2


def test_a_host_that_is_gone_for_good_fails_naming_it_and_the_table_stays(
    project: Path, api: StacApi
) -> None:
    api.put(make_item("a"))
    load_days(api)

    def stop(request: Any) -> None:
        if request.url.endswith("/search"):
            api.__exit__(None, None, None)

    result = load_days(api, fails=True, request_modifier=stop)
    with pytest.raises(Exception, match=r"1 partition failed.*\n.*c1, 2024-01-01: no answer from .*/search"):
        result.raise_on_failures()
    assert isinstance(result.failed[0].error, Unreachable)
    assert ids() == ["a"]


LASTING: dict[str, tuple[dict[str, Any], str]] = {
    "429": ({"status": 429}, r"answered 429.*on request.*tried 3 times"),
    "500": ({"status": 500}, r"answered 500.*on request.*tried 3 times"),
    "hung up": ({"drop": True}, r"hung up.*tried 3 times"),
    "cut short": ({"truncate": 30}, r"broke off.*tried 3 times"),
    "chunked": ({"chunked_truncate": True}, r"broke off.*tried 3 times"),
    "HTML": ({"body": HTML}, r"FeatureCollection was expected; it begins with.*<title>Busy.*tried 3 times"),
    "empty": ({"body": b""}, r"begins with ''.*tried 3 times"),
    "invalid": ({"body": b'{"features": ['}, r"begins with '\{\"features\": \[' \(tried 3 times"),
    "shape": ({"body": b'{"message": "no"}'}, r"begins with .*message.*tried 3 times"),
    "brotli": ({"headers": {"Content-Encoding": "br"}, "body": b"\x8b\x02"}, r"'br'.*not asked for.*tried 3"),
    "not gzip": ({"headers": {"Content-Encoding": "gzip"}}, r"gzip.*tried 3 times"),
    "too large": ({"endless": True}, r"larger than max_response_bytes \(20000\); lower page_size or raise"),
    "400": ({"status": 400}, r"answered 400.*on request"),
    "401": ({"status": 401}, r"answered 401.*api_key"),
}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_an_error_with_url_attempts_and_last_answer(
    api: StacApi, tmp_path: Path, name: str
) -> None:
    api.put(make_item("a"))
    spoiled, said = LASTING[name]
    api.fault("/search", times=None, **spoiled)
    [window] = fetched(api, tmp_path, max_response_bytes=20_000)
    assert isinstance(window.error, RequestFailed)
    with pytest.raises(RequestFailed, match=said):
        raise window.error
    assert f"{api.url}/search" in str(window.error)
    assert not window.spool.files


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"delay": 5}, r"sent nothing for 0\.3 s.*read_timeout"),
        ({"drip": 0.001}, r"was not complete after 0\.3 s, with \d+ bytes.*request_timeout"),
    ],
)
def test_an_answer_that_never_comes_or_never_ends_is_given_up(
    api: StacApi, tmp_path: Path, fault: dict[str, Any], said: str
) -> None:
    api.put(make_item("a"))
    api.fault("/search", times=None, **fault)
    [window] = fetched(api, tmp_path, page_size=1, max_retries=0, read_timeout=0.3, request_timeout=0.3)
    with pytest.raises(RequestTooHeavy, match=said):
        raise window.error or AssertionError


def test_a_load_that_fails_leaves_the_table_and_names_the_window(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    api.put(make_item("b", datetime="2024-01-02T10:00:00Z"))
    load_days(api, last="2024-01-02")
    api.clear()
    api.put(make_item("new"))
    api.put(make_item("new too", datetime="2024-01-02T10:00:00Z"))
    api.fault(on_day(date(2024, 1, 2)), status=500, times=None)
    result = load_days(api, last="2024-01-02", fails=True)
    with pytest.raises(Exception, match=r"1 partition failed.*\n.*c1, 2024-01-02: .*answered 500"):
        result.raise_on_failures()
    assert ids() == ["b", "new"]


# Large pages


def too_large(most: int) -> Any:
    return lambda request: limit_of(request) > most


@pytest.mark.parametrize("status", [500, 502, 503, 504, 413])
def test_pages_that_are_too_large_are_halved_for_the_rest_of_the_run(
    api: StacApi, tmp_path: Path, status: int
) -> None:
    for n in range(3):
        for item in some_items(12, day=date(2024, 1, 1 + n)):
            api.put({**item, "id": f"{n} {item['id']}"})
    api.fault(too_large(3), status=status, times=None)
    windows = fetched(api, tmp_path, days=3, page_size=12, max_concurrent_requests=1)
    assert [spooled(window) for window in windows] == [
        sorted(f"{n} {id}" for id in ids_of(12)) for n in range(3)
    ]
    assert [window.figures.page_size_reductions for window in windows] == [2, 0, 0]
    assert [window.figures.window_splits for window in windows] == [0, 0, 0]
    assert [window.figures.duplicates for window in windows] == [0, 0, 0]
    sizes = [limit_of(request) for request in api.requests if request.path == "/search"]
    assert sorted(set(sizes)) == [3, 6, 12] and sizes[-8:] == [3] * 8


def test_a_page_size_of_one_is_the_least(project: Path, api: StacApi) -> None:
    for item in some_items(5):
        api.put(item)
    api.fault(too_large(1), status=502, times=None)
    result = load_days(api, page_size=200)
    assert ids() == ids_of(5)
    assert result.figures.page_size_reductions == 7


def test_a_later_page_that_is_too_large_neither_loses_nor_repeats_items(project: Path, api: StacApi) -> None:
    for item in some_items(8):
        api.put(item)
    api.fault(lambda request: limit_of(request) > 2 and "token" in request.body, status=413, times=None)
    result = load_days(api, page_size=4)
    assert ids() == ids_of(8)
    assert result.figures.page_size_reductions == 1
    assert (result.figures.items, result.figures.duplicates) == (8, 0)


def test_bodies_above_the_limit_are_answered_with_smaller_pages(project: Path, api: StacApi) -> None:
    for item in some_items(8):
        api.put({**item, "assets": {"data": {"href": "x" * 3000}}})
    result = load_days(api, page_size=8, max_response_bytes=10_000)
    assert ids() == ids_of(8)
    assert result.figures.page_size_reductions == 2


# Windows that keep failing


def covers(request: Request, instant: str) -> bool:
    start, _, end = interval_of(request).partition("/")
    return start <= instant <= end and bool(start)


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_a_window_that_keeps_failing_is_split_until_it_does_not(
    project: Path, api: StacApi, resource: str
) -> None:
    for item in some_items(24):
        api.put(item)

    def too_long(request: Request) -> bool:
        start, _, end = interval_of(request).partition("/")
        return bool(end) and datetime.fromisoformat(end) - datetime.fromisoformat(start) > timedelta(hours=4)

    api.fault(too_long, status=504, times=None)
    result = load_days(api, resource, page_size=5)
    assert ids(resource) == sorted(ids_of(24))
    assert result.figures.window_splits == 7
    assert result.figures.duplicates == 0


def test_the_smallest_window_that_fails_is_named(project: Path, api: StacApi) -> None:
    for item in some_items(24):
        api.put(item)
    load_days(api)
    api.fault(lambda request: covers(request, "2024-01-01T10:00:00Z"), status=500, times=None)
    result = load_days(api, fails=True)
    error = result.failed[0].error
    assert isinstance(error, RequestTooHeavy) and error.status == 500
    with pytest.raises(
        RequestTooHeavy, match=r"2024-01-01T\d\d:\d\d:\d\dZ/2024-01-01T\d\d:\d\d:\d\dZ cannot be split"
    ):
        raise error
    start, end = str(error).partition(" cannot be split")[0].rpartition("; ")[2].split("/")
    assert start <= "2024-01-01T10:00:00Z" <= end
    assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(seconds=1)
    assert ids() == sorted(ids_of(24))


def test_an_api_that_is_down_is_not_taken_apart_again_and_again(api: StacApi, tmp_path: Path) -> None:
    api.put(make_item("a"))
    api.fault("/search", status=500, times=None)
    windows = fetched(api, tmp_path, days=5, page_size=4, max_concurrent_requests=1, max_retries=2)
    assert all(window.error for window in windows)
    assert windows[0].figures.requests < 80
    assert [window.figures.requests for window in windows[1:]] == [3] * 4


def test_what_has_nothing_to_do_with_size_is_not_split(api: StacApi, tmp_path: Path) -> None:
    api.put(make_item("a"))
    faults: tuple[dict[str, Any], ...] = ({"status": 400}, {"status": 401}, {"status": 429}, {"body": HTML})
    for fault in faults:
        api.faults.clear()
        api.fault("/search", times=None, **fault)
        [window] = fetched(api, tmp_path)
        assert window.error is not None
        assert window.figures.window_splits == window.figures.page_size_reductions == 0


# Slowing down


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
    windows = fetch_windows(asking, "search", first_days(3), tmp_path, progress=slowly)
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
    assert asking.transport.pace.wait_turn() + asking.transport.pace.wait_turn() < 0.1
    assert asking.transport.pace.wait_turn() == 0.0


# Bodies in other clothes


def in_clothes(page: Any) -> bytes:
    raw = [json.loads(item.text) if isinstance(item, RawItem) else item for item in page["features"]]
    return json.dumps({**page, "features": raw}, ensure_ascii=False).encode()


CLOTHES: dict[str, tuple[Any, dict[str, str]]] = {
    "gzip": (gzip.compress, {"Content-Encoding": "gzip"}),
    "gzip, untold": (gzip.compress, {}),
    "UTF-8 said to be Latin-1": (lambda body: body, {"Content-Type": "application/json; charset=ISO-8859-1"}),
    "Latin-1": (
        lambda body: body.decode().encode("latin-1"),
        {"Content-Type": 'text/json; charset="latin1"'},
    ),
    "UTF-16": (lambda body: body.decode().encode("utf-16"), {"Content-Type": "application/json"}),
    "UTF-16, no mark": (lambda body: body.decode().encode("utf-16-le"), {}),
    "byte order mark": (lambda body: b"\xef\xbb\xbf" + body, {}),
    "no content type": (lambda body: body, {"Content-Type": ""}),
    "an unknown charset": (lambda body: body, {"Content-Type": "application/json; charset=klingon"}),
}


@pytest.mark.parametrize("name", CLOTHES)
def test_bodies_are_read_whatever_they_are_wrapped_in(api: StacApi, tmp_path: Path, name: str) -> None:
    api.put(make_item("é", title="Zürich"))
    wrap, headers = CLOTHES[name]
    api.on_page = lambda page, _: wrap(in_clothes(page))
    api.fault("/search", headers=headers, times=None)
    [window] = fetched(api, tmp_path)
    assert window.error is None and spooled(window) == ["é"]
    assert window.figures.retries == window.figures.rejected_items == 0


def test_a_gzip_bomb_is_not_unpacked(api: StacApi, tmp_path: Path) -> None:
    api.put(make_item("a"))
    bomb = gzip.compress(b" " * 50_000_000)
    for headers in ({}, {"Content-Encoding": "gzip"}):
        api.faults.clear()
        api.fault("/search", body=bomb, headers=headers, times=None)
        [window] = fetched(api, tmp_path, max_response_bytes=1_000_000, max_retries=0, page_size=1)
        with pytest.raises(RequestTooHeavy, match="larger than max_response_bytes"):
            raise window.error or AssertionError


# Single documents


def test_every_endpoint_asks_again_for_what_is_no_json(api: StacApi) -> None:
    api.put(make_item("a"))
    asking = client(api)
    for path in (
        "/",
        "/conformance",
        "/collections",
        "/collections/c1",
        "/queryables",
        "/collections/c1/items",
    ):
        api.fault(lambda request, path=path: request.path == path, body=HTML)
    assert asking.conformance() == api.conforms_to
    assert asking.collection_ids() == ["c1"]
    assert asking.collection("c1").status == 200
    assert asking.queryables(None) is not None
    assert listed(asking) == ["a"]
    api.fault("/collections/c1/items/a", body=HTML)
    answer = asking.item("c1", "a", asking.transport.totals)
    assert answer is not None and json.loads(answer.body)["id"] == "a"
    assert all(fault.used == 1 for fault in api.faults)


def test_nothing_that_is_logged_or_raised_shows_a_query_value(
    api: StacApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for item in some_items(4):
        api.put(item)

    def signed(page: Any, _: Request) -> Any:
        for link in page["links"]:
            if link["rel"] == "next":
                link["href"] += "&sig=s3cr3t"
        return page

    api.on_page, api.post_search = signed, False
    api.fault(lambda request: "token" in request.query, status=500, times=None)
    with caplog.at_level(logging.DEBUG, "stac_assets"):
        [window] = fetched(api, tmp_path)
    assert window.error is None  # split until no page has a `next`
    api.fault("/search", status=500, times=None)
    [window] = fetched(api, tmp_path)
    assert "s3cr3t" not in caplog.text + str(window.error)
    assert isinstance(window.error, RequestTooHeavy) and not isinstance(window.error, AuthenticationError)


def test_the_search_method_of_a_run_is_settled_once(api: StacApi, tmp_path: Path) -> None:
    for n in range(3):
        api.put(make_item(f"a{n}", datetime=f"2024-01-0{n + 1}T10:00:00Z"))
    api.post_search = 405
    windows = fetched(api, tmp_path, days=3, max_concurrent_requests=1)
    assert [spooled(window) for window in windows] == [["a0"], ["a1"], ["a2"]]
    assert asked(api) == ["POST", "GET", "GET", "GET"]


@pytest.mark.parametrize("status", [405, 403, 404, 501])
@pytest.mark.parametrize("pages", [0, 2])
def test_post_refused_at_the_first_or_a_later_page(
    api: StacApi, tmp_path: Path, status: int, pages: int
) -> None:
    for item in some_items(7):
        api.put(item)
    api.post_fails_after, api.post_search = pages, status
    [window] = fetched(api, tmp_path)
    assert window.error is None and spooled(window) == ids_of(7)
    assert (window.figures.items, window.figures.duplicates, window.figures.number_matched) == (7, 0, 7)
    assert asked(api) == ["POST"] * (pages + 1) + ["GET"] * 4


def test_post_refused_at_a_later_page_through_a_whole_load(project: Path, api: StacApi) -> None:
    for item in some_items(7):
        api.put(item)
    api.post_fails_after = 1
    load_days(api, page_size=3)
    assert ids() == ids_of(7)


@pytest.mark.parametrize(("resource", "status"), [("search", 404), ("collection_items", 405)])
def test_a_window_that_is_not_found_where_others_are_fails_alone(
    project: Path, api: StacApi, resource: str, status: int
) -> None:
    for day in range(1, 21):
        api.put(make_item(f"i{day:02}", datetime=f"2024-01-{day:02}T12:00:00Z"))
    api.fault(lambda request: "2024-01-10T00:00:00Z/" in interval_of(request), times=None, status=status)
    result = load_days(api, resource, last="2024-01-20", fails=True, max_concurrent_requests=1)
    assert [str(failed.window) for failed in result.failed] == ["c1, 2024-01-10"]
    assert len(ids(resource)) == 19
