"""Items of days that had no rows: `added`, unless other filters than now had left the day empty."""

import pytest

from stac_assets_tests.changes.replaying import feed, replayed, stored, told
from stac_assets_tests.changes.test_feed import EAST, JAN_1, JAN_2, JAN_3, WEST, at
from stac_assets_tests.loads import load_days, rows
from stac_assets_tests.stac_api import StacApi

pytestmark = pytest.mark.usefixtures("project")


def test_a_mirror_that_was_filtered_from_the_first_load_on_tells_what_is_added(api: StacApi) -> None:
    at(api, "a", 10)
    at(api, "west", -10)
    load_days(api, bbox=EAST)
    assert told() == [("added", "a")]
    at(api, "b", 10, JAN_2)
    load_days(api, bbox=EAST, first=JAN_1, last=JAN_3)
    assert told()[1:] == [("added", "b")]
    at(api, "c", 10, JAN_3)
    load_days(api, bbox=EAST, first=JAN_3)
    assert told()[2:] == [("added", "c")]


def test_each_day_of_a_filtered_month_is_remembered(api: StacApi) -> None:
    at(api, "a", 10)
    at(api, "west", -10, JAN_2)
    at(api, "far west", -20, JAN_3)
    load_days(api, bbox=EAST, granularity="monthly")
    at(api, "b", 10, JAN_3)
    load_days(api, bbox=EAST, granularity="monthly")
    assert told() == [("added", "a"), ("added", "b")]
    assert load_days(api, bbox=EAST, granularity="monthly").unchanged
    load_days(api, granularity="monthly")
    assert told()[2:] == [("baseline", "west"), ("baseline", "far west")]
    at(api, "c", 10, "2024-01-04")
    load_days(api, first="2024-01-04")
    assert told()[4:] == [("added", "c")]
    load_days(api, bbox=WEST, granularity="monthly")
    assert sorted(told()[5:]) == [("out_of_scope", "a"), ("out_of_scope", "b"), ("out_of_scope", "c")]
    assert replayed(feed()) == stored(rows())


def test_a_filter_whose_numbers_are_spelled_otherwise_is_the_same(api: StacApi) -> None:
    at(api, "a", 10)
    load_days(api, bbox=EAST)
    at(api, "b", 10)
    load_days(api, bbox=[float(number) for number in EAST])
    assert told() == [("added", "a"), ("added", "b")]
    assert load_days(api, bbox=",".join(map(str, EAST))).unchanged
