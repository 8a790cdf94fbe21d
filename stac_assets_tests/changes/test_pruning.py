"""`item_changes_days`: what is pruned leaves a baseline, so that the rest still replays."""

from datetime import timedelta

import pytest

from stac_assets_tests.changes.replaying import feed, replayed, stored, told
from stac_assets_tests.changes.test_feed import change, put
from stac_assets_tests.loads import DATASET, load_days, rows
from stac_assets_tests.stac_api import StacApi

pytestmark = pytest.mark.usefixtures("project")
JAN_1, JAN_2 = "2024-01-01", "2024-01-02"


def age(days: int) -> None:
    """Let all changes so far be older by so many days."""
    change(f"UPDATE {DATASET}.item_changes SET seen_at = seen_at - INTERVAL '{days} days'")


def test_what_is_pruned_leaves_a_baseline(api: StacApi) -> None:
    for name in "abc":
        put(api, name)
    put(api, "n", JAN_2)
    load_days(api, first=JAN_1, last=JAN_2)
    put(api, "a", changed=1)
    api.remove("c1", "b")
    load_days(api, first=JAN_1, last=JAN_2)
    age(40)
    put(api, "c", changed=2)
    load_days(api, first=JAN_1, last=JAN_2, item_changes_days=30)
    assert told() == [("baseline", "c"), ("baseline", "n"), ("baseline", "a"), ("changed", "c")]
    assert replayed(feed()) == stored(rows())
    assert feed()[0]["seen_at"] < feed()[2]["seen_at"] - timedelta(0)
    before = feed()
    put(api, "d")
    load_days(api, first=JAN_1, item_changes_days=30)
    assert feed()[:4] == before and told()[4:] == [("added", "d")]


def test_without_the_setting_all_is_kept(api: StacApi) -> None:
    put(api, "a")
    load_days(api)
    age(4000)
    put(api, "b")
    load_days(api)
    assert told() == [("added", "a"), ("added", "b")]


def test_what_filters_left_empty_stays_known(api: StacApi) -> None:
    put(api, "a")
    load_days(api, bbox=(100, 10, 101, 11))
    age(40)
    put(api, "n", JAN_2)
    load_days(api, first=JAN_2, item_changes_days=1)
    load_days(api, first=JAN_1)
    assert told() == [("added", "n"), ("baseline", "a")]
