"""Counts that cost: an API that counts slowly is asked for no more counts, or, if that is set, for none."""

import logging
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.count_costs import CountCosts
from stac_assets.stac.errors import RequestFailed, RequestTooHeavy, TookTooLong
from stac_assets.stac.watch.by_comparison import COUNTED_ITEMS
from stac_assets_tests.asking import fetched, limit_of, some_items, spooled
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.lying_api import LyingApi
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.watching import Watch

DAYS = 5


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def costs_of(pages: list[float], counts: list[float]) -> CountCosts:
    clock = Clock()
    costs = CountCosts("auto", clock)
    for asking, seconds in ((costs.of_a_page, pages), (costs.of_a_count, counts)):
        for each in seconds:
            with asking():
                clock.now += each
    return costs


@pytest.mark.parametrize(
    ("pages", "counts", "are_asked"),
    [
        ([1.0], [50.0], False),
        ([1.0, 3.0], [19.0], True),
        ([1.0, 3.0], [21.0], False),
        ([0.01], [2.9], True),  # which is no time, whatever a page takes
        ([0.01], [3.1], False),
        ([], [50.0], True),  # with nothing to compare it with
        ([1.0], [0.1, 0.1, 50.0], False),
        ([1.0], [50.0, 0.1], False),
    ],
)
def test_a_count_is_compared_with_pages(pages: list[float], counts: list[float], are_asked: bool) -> None:
    assert costs_of(pages, counts).are_asked is are_asked


@pytest.mark.parametrize(
    ("error", "are_asked"),
    [
        (TookTooLong("nothing came"), False),
        (RequestTooHeavy("gateway", 504), False),
        (RequestTooHeavy("busy", 503), True),
        (RequestTooHeavy("hung up"), True),
        (RequestFailed("refused", 400), True),
    ],
)
def test_a_count_that_fails_is_slow_only_if_it_timed_out(error: RequestFailed, are_asked: bool) -> None:
    costs = CountCosts()
    with suppress(RequestFailed), costs.of_a_count():
        raise error
    assert costs.are_asked is are_asked


def put(api: StacApi, count: int = 30, days: int = DAYS) -> None:
    for n in range(days):
        for item in some_items(count + n, day=date(2024, 1, 1 + n)):
            api.put({**item, "id": f"{n} {item['id']}"})


def counts_of(api: StacApi) -> list[Request]:
    """The requests that ask for a count: those for a single item."""
    return [request for request in api.requests if limit_of(request) == 1]


def is_count(request: Request) -> bool:
    return limit_of(request) in (1, COUNTED_ITEMS)


@pytest.mark.parametrize("largest", [0, 100_000])
@pytest.mark.parametrize("page_size", [7, 200])
def test_never_asks_for_none_and_reads_all(project: Path, api: StacApi, largest: int, page_size: int) -> None:
    put(api)
    how: dict[str, Any] = {"largest_whole_collection": largest, "page_size": page_size, "last": "2024-01-05"}
    load_days(api, **how)
    assert counts_of(api), "this load has something to prove"
    before = ids()
    api.reset()
    load_days(api, counts="never", **how)
    assert counts_of(api) == []
    assert ids() == before and len(before) == sum(range(30, 35))


@pytest.mark.parametrize("cap", [20, 100])
def test_a_limit_of_results_and_counts_is_seen_through_without_counts(tmp_path: Path, cap: int) -> None:
    with LyingApi(items=some_items(130), cap=cap) as api:
        [window] = fetched(api, tmp_path, page_size=10, counts="never")
        assert window.error is None and len(spooled(window)) == 130
        assert counts_of(api) == []


@pytest.mark.parametrize("status", [None, 504, 408])
@pytest.mark.parametrize("largest", [0, 100_000])
def test_counting_is_given_up_for_the_run_where_it_times_out(
    project: Path, api: StacApi, largest: int, status: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    put(api)
    fault: dict[str, Any] = {"delay": 60.0} if status is None else {"status": status}
    api.fault(is_count, times=None, **fault)
    with caplog.at_level(logging.WARNING):
        load_days(
            api,
            last="2024-01-05",
            largest_whole_collection=largest,
            read_timeout=0.4,
            max_concurrent_requests=1,
            page_size=7,
        )
    assert len(ids()) == sum(range(30, 35))
    assert len(counts_of(api)) == 1
    assert caplog.text.count("counts are slow, and are not asked for any more in this run") == 1


def test_a_count_that_fails_otherwise_is_asked_for_again(api: StacApi, tmp_path: Path) -> None:
    put(api, days=1)
    api.fault(is_count, status=503)
    [window] = fetched(api, tmp_path, page_size=200)
    assert len(spooled(window)) == 30
    assert len(counts_of(api)) > 1


def test_items_that_dates_hide_are_found_without_counts(project: Path, api: StacApi) -> None:
    for n in range(20):
        api.put(make_item(f"a{n}", datetime=f"2024-01-01T{n:02}:00:00Z"))
        api.put(make_item(f"b{n}", start=f"2024-01-01T{n:02}:00:00Z", end=f"2024-01-01T{n:02}:30:00Z"))

    def of_a_date(page: Any, request: Request) -> Any:
        asked = request.body if isinstance(request.body, dict) else request.query
        if asked.get("datetime"):
            kept = [item for item in page["features"] if item["properties"].get("datetime")]
            page |= {"features": kept}
        return page

    api.on_page = of_a_date
    load_days(api, counts="never", largest_whole_collection=100_000, page_size=10)
    assert counts_of(api) == []
    assert len(ids()) == 40


@pytest.mark.parametrize("extensions", [(), ("filter", "sortby")])
def test_the_watcher_compares_items_then(api: StacApi, extensions: tuple[Any, ...]) -> None:
    api.extensions = extensions
    for n in range(4):
        api.put(make_item(f"a{n}", datetime="2024-06-12T10:00:00Z"))
    watch = Watch(api, counts="never")
    assert "strategy `probe`" in watch().summary
    api.put(make_item("b", datetime="2024-06-12T11:00:00Z"))
    assert watch.days() == ["2024-06-12"]
    assert counts_of(api) == []


def test_a_new_watch_begins_without_counts_that_time_out(api: StacApi) -> None:
    for n in range(4):
        api.put(make_item(f"a{n}", datetime="2024-06-12T10:00:00Z"))
    api.fault(is_count, status=504, times=None)
    watch = Watch(api)
    changes = watch()
    assert changes.error is None and "strategy `probe`" in changes.summary
    api.put(make_item("b", datetime="2024-06-12T11:00:00Z"))
    assert watch.days() == ["2024-06-12"]


@pytest.mark.parametrize("path", [is_count, "/search"])
def test_a_watch_that_has_counted_waits_until_it_can_again(api: StacApi, path: Any) -> None:
    for n in range(4):
        api.put(make_item(f"a{n}", datetime="2024-06-12T10:00:00Z"))
    watch = Watch(api)
    watch()
    api.put(make_item("b", datetime="2024-06-12T11:00:00Z"))
    api.fault(path, status=504, times=2)
    changes = watch()
    assert changes.error is not None and "strategy `counts`" in changes.summary
    assert watch.days() == ["2024-06-12"]


def test_a_new_watch_of_an_api_that_is_down_fails(api: StacApi) -> None:
    for n in range(4):
        api.put(make_item(f"a{n}", datetime="2024-06-12T10:00:00Z"))
    api.fault(lambda request: is_count(request) or limit_of(request) == 25, status=504, times=None)
    assert Watch(api)().error is not None
