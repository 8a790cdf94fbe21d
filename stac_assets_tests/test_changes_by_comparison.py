"""The strategies `counts` and `probe`: what they see, and how a collection without items begins."""

from datetime import timedelta
from typing import Any

import pytest

from stac_assets.stac.windows import Granularity
from stac_assets_tests.stac_api import StacApi as Api
from stac_assets_tests.stac_api import make_item
from stac_assets_tests.watching import Watch, at, put


@pytest.fixture
def counting(api: Api) -> Api:
    """An API without extensions that counts, and holds some items."""
    for n in range(30):
        put(api, f"old-{n}", f"2024-06-{n % 14 + 1:02}")
    return api


def test_counts_tell_of_additions_and_deletions(counting: Api) -> None:
    watch = Watch(counting)
    told = watch().summary
    assert "strategy `counts`" in told and "last 6 days" in told
    assert watch.days() == []
    put(counting, "today", "2024-06-15")
    assert watch.days() == ["2024-06-15"]
    counting.remove("c1", "today")
    counting.remove("c1", "old-10")
    assert watch.days() == ["2024-06-11", "2024-06-15"]
    put(counting, "late", "2024-02-01")  # not among the windows that are looked at one by one
    assert "2024-02-01" in watch.days()


def test_no_two_changes_have_the_same_serial(counting: Api) -> None:
    watch = Watch(counting)
    watch()
    serials = [watch.state and watch.state.serial]
    for _ in range(3):
        put(counting, "today", "2024-06-15")
        watch.days()
        serials.append(watch.state and watch.state.serial)
        counting.remove("c1", "today")
        watch.days()
        serials.append(watch.state and watch.state.serial)
    assert len(set(serials)) == 7
    watch.days()
    assert watch.state and watch.state.serial == serials[-1]


def test_windows_that_come_into_being_are_compared_with_nothing(counting: Api) -> None:
    watch = Watch(counting)
    watch()
    watch.today += timedelta(days=2)
    put(counting, "tomorrow", "2024-06-16")
    assert watch.days() == ["2024-06-16"]
    assert watch.days() == []


def test_a_cap_below_the_number_of_windows_goes_round(counting: Api) -> None:
    watch = Watch(counting, max_requests=4)
    looks, _ = watch.until_done()
    assert len(looks) > 2 and not any(looks)
    put(counting, "today", "2024-06-15")
    counting.remove("c1", "old-11")
    watch.today += timedelta(days=1)
    put(counting, "tomorrow", "2024-06-16")
    looks, _ = watch.until_done()
    assert sorted(day for look in looks for day in look) == ["2024-06-12", "2024-06-15", "2024-06-16"]


def test_midnight_belongs_to_one_window(counting: Api) -> None:
    watch = Watch(counting)
    watch()
    counting.put(make_item("midnight", datetime="2024-06-12T00:00:00Z"))
    assert watch.days() == ["2024-06-12"]


@pytest.mark.parametrize(
    ("granularity", "windows"),
    [
        (Granularity.WEEKLY, ["2024-06-10"]),
        (Granularity.MONTHLY, ["2024-06-01"]),
        (Granularity.YEARLY, ["2024-01-01"]),
    ],
)
@pytest.mark.parametrize("extensions", [(), ("filter", "sortby")])
def test_windows_are_those_of_the_granularity(
    counting: Api, granularity: Granularity, windows: list[str], extensions: Any
) -> None:
    counting.extensions = extensions
    put(counting, "a", "2024-06-01", at(0))
    for n in range(30):
        counting.remove("c1", f"old-{n}")
    watch = Watch(counting, granularity=granularity)
    watch()
    put(counting, "today", "2024-06-15", at(1))
    assert watch.days() == windows


@pytest.fixture
def silent(counting: Api) -> Api:
    """An API that does not even count."""
    counting.number_matched = None
    return counting


def test_a_probe_sees_what_is_on_the_first_page(silent: Api) -> None:
    watch = Watch(silent)
    told = watch().summary
    assert "strategy `probe`" in told and "last 6 days" in told
    put(silent, "today", "2024-06-15")
    silent.remove("c1", "old-10")
    put(silent, "old-12", "2024-06-13", at(1))
    assert watch.days() == ["2024-06-11", "2024-06-13", "2024-06-15"]
    assert watch.days() == []


def test_a_probe_is_not_fooled_by_another_order(silent: Api) -> None:
    for n in range(40):
        put(silent, f"many-{n}", "2024-06-10")
    order = iter(range(1000))

    def shuffled(page: Any, request: Any) -> Any:
        features = page["features"]
        start = next(order) % max(1, len(features))
        return {**page, "features": [*features[start:], *features[:start]][:25]}

    watch = Watch(silent)
    watch()
    silent.on_page = shuffled
    assert watch.days() == []
    assert watch.days() == []


def test_an_api_that_stops_to_count_is_probed(counting: Api) -> None:
    watch = Watch(counting)
    watch()
    counting.number_matched = None
    changes = watch()
    assert (
        changes.windows == {}
        and "strategy `probe`" in changes.summary
        and "does not count" in changes.summary
    )
    put(counting, "today", "2024-06-15")
    assert watch.days() == ["2024-06-15"]


def test_what_changes_while_an_api_stops_to_count_is_found(counting: Api) -> None:
    for number in range(30):
        put(counting, f"many-{number}", "2024-06-12")
    watch = Watch(counting)
    watch()
    counting.number_matched = None
    put(counting, "today", "2024-06-15")
    counting.remove("c1", "old-12")  # 2024-06-13
    assert watch.days() == ["2024-06-12", "2024-06-13", "2024-06-15"]
    assert "its 32 items of before cannot be counted" in watch.told
    assert watch.days() == []


def test_an_api_without_a_search_is_watched_through_its_items(counting: Api) -> None:
    counting.has_search = False
    watch = Watch(counting)
    assert "strategy `counts`" in watch().summary
    put(counting, "today", "2024-06-15")
    assert watch.days() == ["2024-06-15"]


@pytest.mark.parametrize("extensions", [(), ("filter", "sortby")])
@pytest.mark.parametrize("counts", ["numberMatched", None])
def test_what_comes_into_an_empty_collection_is_all_new(api: Api, extensions: Any, counts: Any) -> None:
    api.extensions, api.number_matched = extensions, counts
    put(api, "elsewhere", "2024-06-01", extra={"collection": "c2"})
    watch = Watch(api)
    assert "no items yet" in watch().summary
    put(api, "one", "2024-06-14", at(0))
    put(api, "two", "2024-06-15", at(1))
    assert watch.days() == ["2024-06-14", "2024-06-15"]
    assert watch.days() == []
    put(api, "three", "2024-06-13", at(2))
    assert watch.days() == ["2024-06-13"]


@pytest.mark.parametrize("extensions", [(), ("filter", "sortby")])
def test_an_api_that_fails_leaves_the_state_as_it_was(counting: Api, extensions: Any) -> None:
    counting.extensions = extensions
    put(counting, "a", "2024-06-01", at(0))
    for n in range(30):
        counting.remove("c1", f"old-{n}")
    watch = Watch(counting)
    watch()
    before = watch.state
    put(counting, "today", "2024-06-15", at(1))
    counting.fault("/search", times=None, status=500)
    changes = watch()
    assert changes.error is not None and "the API failed" in changes.summary and "500" in changes.summary
    assert changes.windows == {} and watch.state == before
    counting.faults.clear()
    assert watch.days() == ["2024-06-15"]
