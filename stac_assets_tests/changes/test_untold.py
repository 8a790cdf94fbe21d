"""What happened to rows without a word in the feed: the next load of their partition tells it, once."""

import pytest

from stac_assets_tests.changes.replaying import feed, replayed, stored, told
from stac_assets_tests.changes.test_feed import JAN_1, JAN_2, JAN_3, change, put
from stac_assets_tests.loads import DATASET, load_days, rows
from stac_assets_tests.stac_api import StacApi

pytestmark = pytest.mark.usefixtures("project")


@pytest.mark.parametrize("granularity", ["daily", "monthly"])
def test_a_day_that_was_emptied_without_the_feed(api: StacApi, granularity: str) -> None:
    put(api, "a")
    put(api, "n", JAN_3)
    load_days(api, last=JAN_3)
    api.remove("c1", "a")
    load_days(api, item_changes=False, granularity=granularity)
    load_days(api, granularity=granularity)
    assert told()[2:] == [("removed", "a")]
    load_days(api, granularity=granularity)
    assert len(told()) == 3
    assert replayed(feed()) == stored(rows())


def test_a_day_that_somebody_has_emptied(api: StacApi) -> None:
    put(api, "a")
    put(api, "n", JAN_2)
    load_days(api, last=JAN_2)
    change(f"DROP TABLE {DATASET}.search")
    api.clear()
    load_days(api, last=JAN_2)
    assert sorted(told()[2:]) == [("removed", "a"), ("removed", "n")]


def test_a_feed_that_was_dropped_begins_with_a_baseline(api: StacApi) -> None:
    put(api, "a")
    put(api, "n", JAN_2)
    load_days(api, last=JAN_2)
    load_days(api, "collection_items")
    change(f"DROP TABLE {DATASET}.item_changes")
    put(api, "b")
    load_days(api, first=JAN_1)
    assert told() == [("baseline", "a"), ("added", "b")]
    load_days(api, last=JAN_2)
    assert told()[2:] == [("baseline", "n")]
    assert replayed(feed()) == stored(rows())
    load_days(api, "collection_items")
    assert told("collection_items") == [("baseline", "a"), ("added", "b")]
