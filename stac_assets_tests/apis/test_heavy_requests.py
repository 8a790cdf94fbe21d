"""Requests that are too much for an API: smaller pages and shorter intervals are asked for, and how many."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import RequestTooHeavy
from stac_assets_tests.asking import (
    fetched,
    ids_of,
    interval_of,
    limit_of,
    some_items,
    spooled,
)
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

HTML = b"<!doctype html><title>Busy</title>"


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
    sizes = [size for request in api.requests if (size := limit_of(request)) > 1]  # one item: a proof
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
