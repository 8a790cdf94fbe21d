"""What the API does to single requests, and what a load makes of it: the exact partition, or why it is not.

The rows of the table "Requests" of issue 3. Each stands in a load that ends in a table; where a row has
many forms, the others are fetched only, which is faster.
"""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import AuthenticationError, RequestFailed, RequestTooHeavy, Unreachable
from stac_assets_tests.asking import (
    asked,
    client,
    fetched,
    ids_of,
    interval_of,
    listed,
    some_items,
    spooled,
)
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item
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
    once_more = ["POST"] if (status, pages) == (404, 0) else []  # it may have meant that nothing was found
    assert asked(api) == ["POST"] * (pages + 1) + once_more + ["GET"] * 4


def test_post_refused_at_a_later_page_through_a_whole_load(project: Path, api: StacApi) -> None:
    for item in some_items(7):
        api.put(item)
    api.post_fails_after = 1
    load_days(api, page_size=3)
    assert ids() == ids_of(7)


@pytest.mark.parametrize(("resource", "status"), [("search", 410), ("collection_items", 405)])
def test_a_window_that_is_not_found_where_others_are_fails_alone(
    project: Path, api: StacApi, resource: str, status: int
) -> None:
    for day in range(1, 21):
        api.put(make_item(f"i{day:02}", datetime=f"2024-01-{day:02}T12:00:00Z"))
    api.fault(lambda request: "2024-01-10T00:00:00Z/" in interval_of(request), times=None, status=status)
    result = load_days(api, resource, last="2024-01-20", fails=True, max_concurrent_requests=1)
    assert [str(failed.window) for failed in result.failed] == ["c1, 2024-01-10"]
    assert len(ids(resource)) == 19
