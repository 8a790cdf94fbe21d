"""The feed of changes in a warehouse, and partitions that are left as they are."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from stac_assets.pipeline.changes.pruning import prune
from stac_assets.source.changes.feed import CHANGES
from stac_assets_tests.changes.replaying import replayed, stored
from stac_assets_tests.changes.test_histories import any_history
from stac_assets_tests.loads import load_days
from stac_assets_tests.reading import DATASET
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.warehouses.stand_in import StandIn

JAN_1, JAN_2 = "2024-01-01", "2024-01-02"


def rows(warehouse: StandIn, table: str) -> list[dict[str, Any]]:
    """The rows of a table."""
    return [dict(row) for row in warehouse.query(f"SELECT * FROM {DATASET}.{table}")]


def feed(warehouse: StandIn) -> list[dict[str, Any]]:
    """The rows of the feed in the order of their loads."""
    found = rows(warehouse, CHANGES)
    return sorted(found, key=lambda row: (str(row["seen_at"]), row["_partition_key"], row["id"] or ""))


def loads(warehouse: StandIn) -> int:
    """How many packages dlt has loaded."""
    return len(rows(warehouse, "_dlt_loads"))


def test_what_comes_changes_and_goes(warehouse: StandIn, api: StacApi) -> None:
    for id, day in (("a", JAN_1), ("b", JAN_1), ("n", JAN_2)):
        api.put(make_item(id, datetime=f"{day}T12:00:00Z", gsd=1.5))
    load_days(api, first=JAN_1, last=JAN_2)
    before = loads(warehouse)
    assert len(load_days(api, first=JAN_1, last=JAN_2).unchanged) == 2
    assert loads(warehouse) == before
    api.put(make_item("a", datetime=f"{JAN_1}T12:00:00Z", gsd=2.5))
    api.put(make_item("c", datetime=f"{JAN_1}T12:00:00Z"))
    api.remove("c1", "b")
    result = load_days(api, first=JAN_1, last=JAN_2)
    assert [str(window.start) for window in result.unchanged] == [JAN_2]
    told = [(row["change"], row["id"]) for row in feed(warehouse)]
    assert told[:3] == [("added", "a"), ("added", "b"), ("added", "n")]
    assert sorted(told[3:]) == [("added", "c"), ("changed", "a"), ("removed", "b")]
    assert replayed(feed(warehouse)) == stored(rows(warehouse, "search"))


def test_the_feed_is_the_table(warehouse: StandIn, api: StacApi) -> None:
    any_history(api, 1, lambda: (replayed(feed(warehouse)), stored(rows(warehouse, "search"))), loads=3)


def test_what_is_pruned_leaves_a_baseline(
    warehouse: StandIn, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in "abc":
        api.put(make_item(id, datetime=f"{JAN_1}T12:00:00Z"))
    load_days(api)
    api.put(make_item("a", datetime=f"{JAN_1}T12:00:00Z", gsd=2.5))
    api.remove("c1", "b")
    load_days(api)
    later = datetime.now(UTC) + timedelta(days=40)
    monkeypatch.setattr("stac_assets.pipeline.load.prune", partial(prune, now=later))
    api.put(make_item("d", datetime=f"{JAN_1}T12:00:00Z"))
    load_days(api, item_changes_days=30)
    told = sorted((row["change"], row["id"]) for row in feed(warehouse))
    assert told == [("baseline", "a"), ("baseline", "c"), ("baseline", "d")]
