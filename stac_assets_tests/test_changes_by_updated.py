"""The strategy `updated`: what it sees, what an API must prove, and what a poll costs."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.watch.state import State
from stac_assets.stac.watch.updated_filter import UpdatedFilter
from stac_assets.stac.windows import Interval
from stac_assets_tests.stac_api import StacApi as Api
from stac_assets_tests.stac_api import make_item
from stac_assets_tests.watching import START, TODAY, Watch, at, put, spread, without_totals


@pytest.fixture
def modern(api: Api) -> Api:
    """An API that filters and sorts, and holds some items."""
    api.extensions = ("filter", "sortby")
    for n in range(30):
        put(api, f"old-{n}", f"2024-06-{n % 14 + 1:02}", at(n - 100))
    return api


@pytest.mark.parametrize(
    ("extensions", "post"),
    [
        (("filter", "sortby"), True),
        (("filter", "sortby"), False),
        (("query", "sortby"), True),
        (("query", "sortby"), False),
        (("filter",), True),
        (("query",), True),
    ],
)
def test_items_are_found_by_when_they_changed(modern: Api, extensions: Any, post: bool) -> None:
    modern.extensions, modern.post_search = extensions, post
    watch = without_totals(modern)
    baseline = watch()
    assert baseline.windows == {}
    assert "strategy `updated`" in baseline.summary and "baseline recorded" in baseline.summary
    assert ("not sorted" in baseline.summary) == ("sortby" not in extensions)
    assert f"{extensions[0]} extension" in baseline.summary
    assert watch.days() == []
    put(modern, "today", "2024-06-15", at(1))
    put(modern, "late", "2024-01-03", at(2))
    assert watch.days() == ["2024-01-03", "2024-06-15"]
    put(modern, "old-3", "2024-06-04", at(3))
    assert watch.days() == ["2024-06-04"]
    assert watch.days() == []


def test_an_idle_look_costs_two_requests(modern: Api) -> None:
    watch = without_totals(modern)
    watch()
    assert watch.requests <= 8
    watch()
    assert watch.requests == 2  # the landing page, and one search


def test_equal_instants_are_neither_lost_nor_found_twice(modern: Api) -> None:
    watch = without_totals(modern)
    watch()
    for n in range(3):
        put(modern, f"same-{n}", f"2024-05-0{n + 1}", at(5))
        assert watch.days() == [f"2024-05-0{n + 1}"]
    assert watch.days() == []


def test_what_several_writers_store_out_of_order_is_found(modern: Api) -> None:
    watch = without_totals(modern)
    watch()
    put(modern, "first", "2024-05-01", at(5))
    assert watch.days() == ["2024-05-01"]
    put(modern, "slow", "2024-05-02", at(4.5))
    assert watch.days() == ["2024-05-02"]


def test_an_instant_of_the_far_future_hides_nothing(modern: Api) -> None:
    put(modern, "wrong", "2024-06-01", "2099-01-01T00:00:00Z")
    watch = without_totals(modern)
    assert "strategy `updated`" in watch().summary
    put(modern, "right", "2024-06-02", at(1))
    put(modern, "wrong-too", "2024-06-03", "2099-01-02T00:00:00Z")
    assert watch.days() == ["2024-06-02"]
    put(modern, "more", "2024-06-04", at(2))
    assert watch.days() == ["2024-06-04"]


def test_instants_with_more_digits_than_a_database_keeps(modern: Api) -> None:
    watch = without_totals(modern)
    watch()
    for n in range(3):
        put(modern, f"exact-{n}", f"2024-05-0{n + 1}", f"2024-06-15T07:00:00.12345{n}Z")
        assert watch.days() == [f"2024-05-0{n + 1}"]
    assert watch.days() == []


@pytest.mark.parametrize("is_sorted", [True, False])
@pytest.mark.parametrize("same", [False, True], ids=["instants", "one instant"])
def test_a_burst_is_worked_off_and_nothing_is_lost_or_found_twice(
    modern: Api, is_sorted: bool, same: bool
) -> None:
    modern.extensions = ("filter", "sortby") if is_sorted else ("filter",)
    watch = without_totals(modern, max_requests=15, page_size=20)
    watch.until_done()
    for n, (name, day) in enumerate(spread(300, 60)):
        put(modern, name, day, at(1) if same else at(1 + n * 7 % 300 / 10))
    looks, _ = watch.until_done()
    found = [day for look in looks for day in look]
    assert len(looks) > 1
    assert {day for _, day in spread(300, 60)} == set(found)
    if same:  # then windows are walked, and each is seen once
        assert len(found) == len(set(found))
    assert watch.days() == []
    put(modern, "after", "2024-01-09", at(100))
    assert watch.days() == ["2024-01-09"]


def test_an_instant_that_too_many_items_share_is_left_behind_and_told(modern: Api) -> None:
    watch = without_totals(modern, page_size=10)
    watch()
    for name, day in spread(40, 2):
        put(modern, name, day, at(1))
    looks, told = watch.until_done()
    assert [day for look in looks for day in look] == ["2024-06-14", "2024-06-15"]
    assert "rescan_days" in told
    assert watch.days() == []
    put(modern, "after", "2024-01-09", at(2))
    assert watch.days() == ["2024-01-09"]


def test_items_that_change_while_a_burst_is_read_are_not_lost(modern: Api) -> None:
    watch = without_totals(modern, page_size=10)
    watch()
    watch.max_requests = 6
    for n, (name, day) in enumerate(spread(100, 100)):
        put(modern, name, day, at(1 + n))
    first = watch()
    assert not first.is_complete
    put(modern, "burst-00000", str(TODAY), at(200))  # moves to the end, and all others up by one
    modern.remove("c1", "burst-00001")
    looks, _ = watch.until_done()
    found = [str(day) for day in first.windows] + [day for look in looks for day in look]
    assert {day for _, day in spread(100, 100)} <= set(found)
    assert found.count(str(TODAY)) == 2


def test_a_time_less_and_a_foreign_day_are_counted(modern: Api) -> None:
    watch = without_totals(modern, first=date(2024, 6, 1), last=date(2024, 6, 20))
    watch()
    modern.put(make_item("long", start="2024-05-30T00:00:00Z", end="2024-06-03T00:00:00Z", updated=at(1)))
    put(modern, "inside", "2024-06-20", at(1))
    changes = watch()
    assert list(changes.windows) == [date(2024, 6, 20)]
    assert "1 item outside" in changes.summary


def test_an_interval_belongs_to_its_start(modern: Api) -> None:
    watch = without_totals(modern)
    watch()
    modern.put(make_item("long", start="2024-05-30T12:00:00Z", end="2024-06-03T00:00:00Z", updated=at(1)))
    assert watch.days() == ["2024-05-30"]


def test_created_serves_where_updated_is_missing(api: Api) -> None:
    api.extensions = ("query", "sortby")
    put(api, "a", "2024-06-01", created=at(0))
    watch = without_totals(api)
    told = watch().summary
    assert "`created`" in told and "changes in place" in told
    put(api, "b", "2024-02-01", created=at(1))
    assert watch.days() == ["2024-02-01"]


@pytest.mark.parametrize("feigned", ["ignored", "nothing found"])
@pytest.mark.parametrize("extensions", [("filter", "sortby"), ("query", "sortby"), ("filter",)])
def test_an_api_that_does_not_do_what_it_claims_is_not_trusted(
    modern: Api, feigned: Any, extensions: Any
) -> None:
    modern.extensions, modern.feigned_extensions = extensions, feigned
    watch = Watch(modern)
    told = watch().summary
    assert "strategy `counts`" in told and "cannot be trusted" in told
    put(modern, "today", "2024-06-15", at(1))
    assert watch.days() == ["2024-06-15"]


def test_an_api_that_stops_to_filter_is_not_trusted_any_more(modern: Api) -> None:
    watch = Watch(modern)
    watch()
    for feigned in ("ignored", "nothing found"):
        modern.feigned_extensions = None
        watch.state = None
        watch()
        modern.feigned_extensions = feigned
        changes = watch()
        assert "strategy `counts`" in changes.summary and "any more" in changes.summary
        assert changes.windows == {}
    put(modern, "today", "2024-06-15", at(1))
    assert watch.days() == ["2024-06-15"]


def test_what_changes_while_an_api_stops_to_filter_is_found_by_totals(modern: Api) -> None:
    watch = Watch(modern)
    watch()
    modern.feigned_extensions = "ignored"
    modern.remove("c1", "old-3")  # 2024-06-04
    put(modern, "late", "2024-02-02", at(1))
    put(modern, "later", "2024-02-02", at(1))
    found = watch.days()
    assert "`counts`" in watch.told and {"2024-02-02", "2024-06-04"} <= set(found)
    assert watch.days() == []


def test_an_api_that_claims_to_sort_and_does_not_is_walked(modern: Api) -> None:
    modern.feigned_extensions = "unsorted"
    watch = without_totals(modern, page_size=20, max_requests=40)
    assert "not sorted" in watch().summary
    for name, day in spread(100, 50):
        put(modern, name, day, at(1))
    looks, _ = watch.until_done()
    assert {day for look in looks for day in look} == {day for _, day in spread(100, 50)}


def test_deleted_items_leave_the_strategy_as_it_is(modern: Api) -> None:
    watch = without_totals(modern)
    watch()
    modern.remove("c1", "old-29")
    changes = watch()
    assert changes.windows == {} and "`updated`" in changes.summary
    modern.clear()
    watch.state = _with_seen(watch.state)
    assert "`updated`" in watch().summary
    put(modern, "b", "2024-02-01", at(1))
    assert watch.days() == ["2024-02-01"]


def _with_seen(state: State | None) -> State:
    """The state as it was before the items that it remembers were deleted."""
    assert state is not None and state.position is not None
    return replace(state, position=replace(state.position, seen=("00000000",)))


@pytest.mark.parametrize(
    ("narrowing", "how"),
    [
        (Narrowing(bbox=(0.0, 40.0, 20.0, 60.0)), "filter extension"),
        (Narrowing(filter={"op": "<=", "args": [{"property": "eo:cloud_cover"}, 10]}), "filter extension"),
        (Narrowing(query={"eo:cloud_cover": {"lte": 10}}), "filter extension"),
        (Narrowing(query={"updated": {"gte": "2024-01-01T00:00:00Z"}}), "filter extension"),
    ],
)
@pytest.mark.parametrize("extension", ["filter", "query"])
def test_the_users_own_filter_holds_too(modern: Api, narrowing: Narrowing, how: str, extension: str) -> None:
    modern.extensions = ("filter", "query", "sortby")
    clear = {"eo:cloud_cover": 5}
    put(modern, "clear", "2024-06-01", at(0), **clear)
    watch = without_totals(modern, narrowing=narrowing)
    assert how in watch().summary
    put(modern, "good", "2024-03-01", at(1), **clear)
    put(modern, "bad", "2024-04-01", at(1), **{"eo:cloud_cover": 90}, **_elsewhere())
    expected = ["2024-03-01"] if "updated" not in str(narrowing) else ["2024-03-01", "2024-04-01"]
    assert watch.days() == expected


def _elsewhere() -> dict[str, Any]:
    return {"extra": {"bbox": [100.0, 0.0, 100.0, 0.0]}}


def test_a_query_on_updated_itself_leaves_only_counts(modern: Api) -> None:
    modern.extensions = ("query", "sortby")
    watch = Watch(modern, narrowing=Narrowing(query={"updated": {"gte": "2024-01-01T00:00:00Z"}}))
    told = watch().summary
    assert "strategy `counts`" in told and "of its own" in told


def test_a_filter_as_text_is_joined() -> None:
    changed = Interval(START, START + timedelta(seconds=1))
    given = {"filter": "a = 1 OR b = 2", "filter-lang": "cql2-text"}
    for request in (
        PageRequest("GET", "http://x", params=given),
        PageRequest("POST", "http://x", body=given),
    ):
        refined = UpdatedFilter("filter", "updated").applied(request, changed, "asc")
        sent = refined.params or refined.body or {}
        assert sent["filter"] == (
            "(a = 1 OR b = 2) AND updated >= TIMESTAMP('2024-06-15T06:00:00.000Z')"
            " AND updated < TIMESTAMP('2024-06-15T06:00:01.000Z')"
        )
        assert sent["filter-lang"] == "cql2-text"


def test_what_was_found_before_a_failure_is_kept(modern: Api) -> None:
    watch = without_totals(modern, page_size=10)
    watch()
    for n, (name, day) in enumerate(spread(50, 50)):
        put(modern, name, day, at(1 + n))
    seen = iter(range(100))
    modern.fault(lambda request: request.path == "/search" and next(seen) > 2, times=None, status=500)
    changes = watch()
    assert changes.error is not None
    assert len(changes.windows) > 10
    modern.faults.clear()
    looks, _ = watch.until_done()
    assert {*map(str, changes.windows), *looks[0]} == {day for _, day in spread(50, 50)}


def test_a_failing_baseline_is_tried_again(modern: Api) -> None:
    modern.fault("/", times=None, status=503)
    watch = without_totals(modern)
    assert watch().state is None
    modern.faults.clear()
    assert "baseline" in watch().summary


def test_items_of_the_future_are_found_with_their_day(modern: Api) -> None:
    watch = without_totals(modern)
    watch()
    put(modern, "forecast", "2024-06-20", at(1))
    assert watch.days() == ["2024-06-20"]
