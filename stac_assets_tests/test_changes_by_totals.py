"""Totals: late arrivals and deletions of any date, found by counting in halves, in few requests."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from stac_assets.stac.watch.by_totals import MOST_REQUESTS
from stac_assets.stac.watch.marks import MOST_MARKS, Marks
from stac_assets.stac.windows import Granularity
from stac_assets_tests.stac_api import StacApi as Api
from stac_assets_tests.stac_api import make_item
from stac_assets_tests.watching import TODAY, Watch, put

FIRST = date(2015, 1, 1)
YEARS = (TODAY - FIRST).days


def day(number: int) -> str:
    return str(FIRST + timedelta(days=number))


@pytest.fixture
def modern(api: Api) -> Api:
    """An API that filters and sorts, and counts."""
    api.extensions = ("filter", "sortby")
    return api


@pytest.fixture
def counting(api: Api) -> Api:
    """An API without extensions that counts, with an item on each tenth day of nine years."""
    for number in range(0, YEARS, 10):
        put(api, f"old-{number}", day(number))
    return api


def settled(api: Api, **options: Any) -> Watch:
    """A watch that has its baseline, and has looked so often that it puts no more marks."""
    watch = Watch(api, first=FIRST, max_requests=200, **options)
    for _ in range(MOST_MARKS // 4 + 2):
        assert watch.days() == []
    return watch


def test_a_late_arrival_and_a_deletion_of_any_date_are_found(counting: Api) -> None:
    watch = settled(counting)
    for number in (0, 1234, 2000, YEARS - 7):
        put(counting, "late", day(number))
        assert day(number) in (found := watch.days()), watch.told
        assert len(found) <= -(-YEARS // MOST_MARKS) * 2
        counting.remove("c1", "late")
        assert day(number) in watch.days()
        assert watch.days() == []


def test_it_takes_twenty_requests_beside_those_of_the_strategy(counting: Api) -> None:
    watch = settled(counting)
    watch()
    usual = watch.requests
    for number in range(5, YEARS, 200):  # everywhere at once, which takes more requests than there are
        put(counting, f"late-{number}", day(number))
    found = watch.days()
    assert watch.requests <= usual + MOST_REQUESTS
    assert {day(number) for number in range(5, YEARS - 6, 200)} <= set(found)
    assert watch.days() == []


def test_the_next_change_at_the_same_place_is_found_more_exactly(counting: Api) -> None:
    watch = Watch(counting, first=FIRST, max_requests=200)
    watch()
    sizes = []
    for number in range(12):
        put(counting, f"late-{number}", day(1234))
        found = watch.days()
        assert day(1234) in found
        sizes.append(len(found))
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 1


def test_what_cancels_out_is_found_in_a_later_look(counting: Api) -> None:
    watch = settled(counting)
    counting.remove("c1", "old-500")
    put(counting, "late", day(2500))
    found = set[str]()
    for _ in range(MOST_MARKS):
        found |= set(watch.days())
    assert {day(500), day(2500)} <= found
    assert watch.days() == []


def test_deletions_are_found_where_changes_are_read_by_updated(modern: Api) -> None:
    for number in range(0, YEARS, 50):
        put(modern, f"old-{number}", day(number), "2024-06-15T06:00:00Z")
    watch = settled(modern)
    assert "`updated`" in watch.told and "deletions by totals" in watch.told
    modern.remove("c1", "old-1000")
    assert day(1000) in watch.days()
    assert watch.days() == []


def test_new_items_that_updated_finds_are_not_told_twice(modern: Api) -> None:
    for number in range(0, YEARS, 50):
        put(modern, f"old-{number}", day(number), "2024-06-15T06:00:00Z")
    watch = settled(modern)
    put(modern, "late", day(777), "2024-06-15T07:00:00Z")
    put(modern, "later", day(1777), "2024-06-15T07:00:00Z")
    assert watch.days() == [day(777), day(1777)]
    put(modern, "today", str(TODAY), "2024-06-15T08:00:00Z")
    assert watch.days() == [str(TODAY)]
    assert watch.days() == []


def test_a_baseline_of_totals_takes_one_request_where_none_are_to_spare(counting: Api) -> None:
    watch = Watch(counting, first=FIRST, max_requests=200, spare=0)
    watch()
    assert watch.state and watch.state.marks and len(watch.state.marks.counts) == 1
    put(counting, "late", day(1234))
    assert day(1234) in watch.days()


def test_another_first_day_begins_with_a_new_baseline(counting: Api) -> None:
    watch = settled(counting)
    watch.first = FIRST + timedelta(days=1000)
    assert watch.days() == []
    assert watch.state and watch.state.marks and watch.state.marks.start == watch.first


def test_days_that_leave_the_recent_ones_are_counted(counting: Api) -> None:
    watch = settled(counting)
    put(counting, "recent", str(TODAY - timedelta(days=5)))
    assert watch.days() == [str(TODAY - timedelta(days=5))]
    watch.today += timedelta(days=3)
    assert watch.days() == []
    counting.remove("c1", "recent")
    assert str(TODAY - timedelta(days=5)) in watch.days()


def test_a_collection_without_counts_has_no_totals(api: Api) -> None:
    api.number_matched = None
    put(api, "one", "2024-06-15")
    watch = Watch(api, first=FIRST)
    watch()
    assert watch.state and watch.state.marks is None
    assert "totals" not in watch.told


@pytest.mark.parametrize("granularity", list(Granularity))
def test_any_history_is_found_but_for_what_cancels_out(api: Api, granularity: Granularity) -> None:
    """Items with intervals come or go; each poll tells the windows in which they begin."""
    random = Random(granularity.name)
    there: dict[str, str] = {}
    put(api, "first", day(0))
    watch = Watch(api, first=FIRST, max_requests=500, watch_days=6, granularity=granularity)
    watch()
    calendar = watch.calendar
    for turn in range(40):
        is_addition = random.random() < 0.6 or not there
        changed = set[date]()
        for number in range(random.choice([0, 1, 1, 3])):
            if is_addition:
                name, start = f"{turn}-{number}", day(random.randrange(YEARS - 40))
                end = date.fromisoformat(start) + timedelta(days=random.choice([0, 0, 3, 400]))
                api.put(make_item(name, start=f"{start}T00:00:00Z", end=f"{end}T23:59:59.999999Z"))
                there[name] = start
            elif there:
                name = random.choice(sorted(there))
                api.remove("c1", name)
                start = there.pop(name)
            else:
                break
            if (window := calendar.window(date.fromisoformat(start))) is not None:
                changed.add(window)
        assert {str(window) for window in changed} <= set(watch.days()), watch.told


def test_marks_are_the_same_after_json() -> None:
    counts = {date(2020, 1, 1): 5, date(2020, 3, 1): 5, date(2024, 6, 16): 4}
    assert Marks.of(date(2019, 12, 30), counts).counts == counts


@pytest.mark.parametrize("features", [1, 4])
def test_more_items_than_the_count_says_are_a_change(counting: Api, features: int) -> None:
    watch = Watch(counting)
    watch()
    kept = {"numberMatched": 0}  # as counted before they came
    counting.on_page = lambda page, request: {**page, **(kept if str(TODAY).encode() in request.body else {})}
    for number in range(features):
        put(counting, f"today-{number}", str(TODAY))
    assert watch.days() == [str(TODAY)]
