"""What the feed tells of a load: each item that differs, once, and why."""

import json
from typing import Any

import pytest

from stac_assets_tests.changes.replaying import feed, replayed, stored, told
from stac_assets_tests.loads import DATASET, items, load_days, query, rows
from stac_assets_tests.stac_api import StacApi, make_item

pytestmark = pytest.mark.usefixtures("project")
JAN_1, JAN_2, JAN_3 = "2024-01-01", "2024-01-02", "2024-01-03"
EAST, WEST = (0, -90, 180, 90), (-180, -90, 0, 90)


def put(api: StacApi, id: str, day: str = JAN_1, **properties: Any) -> None:
    api.put(make_item(id, datetime=f"{day}T12:00:00Z", **properties))


def at(api: StacApi, id: str, west: float, day: str = JAN_1) -> None:
    """Put an item with a small box."""
    box = [west, 1.0, west + 1, 2.0]
    api.put({**make_item(id, datetime=f"{day}T12:00:00Z"), "bbox": box})


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_what_comes_changes_and_goes(api: StacApi, resource: str) -> None:
    put(api, "a", gsd=1)
    put(api, "b")
    put(api, "c", JAN_2)
    load_days(api, resource, first=JAN_1, last=JAN_2)
    assert told(resource) == [("added", "a"), ("added", "b"), ("added", "c")]
    put(api, "a", gsd=2, more=True)
    api.remove("c1", "b")
    put(api, "d", JAN_2)
    load_days(api, resource, first=JAN_1, last=JAN_2)
    assert told(resource)[3:] == [("changed", "a"), ("removed", "b"), ("added", "d")]
    last = feed(resource)[3]
    assert json.loads(last["changed_members"]) == ["properties.gsd", "properties.more"]
    assert (last["collection"], last["_partition_key"], last["scope"]) == ("c1", "c1|2024-01-01", None)
    (row,) = [row for row in rows(resource) if row["id"] == "a"]
    assert last["_dlt_load_id"] == row["_dlt_load_id"]
    assert replayed(feed(resource)) == stored(rows(resource))


def test_a_load_that_changes_nothing_tells_nothing(api: StacApi) -> None:
    put(api, "a")
    load_days(api)
    before = feed()
    load_days(api)
    assert feed() == before


def test_an_item_that_moves_goes_here_and_comes_there(api: StacApi) -> None:
    put(api, "a")
    load_days(api, first=JAN_1, last=JAN_2)
    put(api, "a", JAN_2)
    load_days(api, first=JAN_1, last=JAN_2)
    assert told()[1:] == [("removed", "a"), ("added", "a")]
    assert [row["_partition_key"] for row in feed()] == ["c1|2024-01-01", "c1|2024-01-01", "c1|2024-01-02"]


def test_links_and_signatures_are_stored_and_are_no_change(api: StacApi) -> None:
    item = make_item("a", datetime=f"{JAN_1}T12:00:00Z")
    api.put({**item, "assets": {"data": {"href": "https://data/a.tif?sig=1"}}, "links": []})
    load_days(api)
    links = [{"rel": "self", "href": "https://api/a"}]
    signed = {**item, "assets": {"data": {"href": "https://data/a.tif?sig=2"}}, "links": links}
    api.put(signed)
    assert not load_days(api).unchanged
    assert items()["c1", "a"] == signed and told() == [("added", "a")]
    api.put({**signed, "assets": {"data": {"href": "https://data/b.tif?sig=2"}}})
    load_days(api)
    assert json.loads(feed()[-1]["changed_members"]) == ["assets.data"]


def test_a_window_that_fails_tells_of_no_removal(api: StacApi) -> None:
    put(api, "a")
    put(api, "b", JAN_2)
    load_days(api, first=JAN_1, last=JAN_2)
    api.clear()
    api.fault(lambda request: JAN_2 in str(request.body), times=None, status=500)
    load_days(api, first=JAN_1, last=JAN_2, fails=None)
    assert "b" not in {name for change, name in told() if change == "removed"}
    assert replayed(feed()) == stored(rows())


def test_a_table_of_before_begins_with_a_baseline(api: StacApi) -> None:
    put(api, "a")
    put(api, "b")
    put(api, "c", JAN_2)
    load_days(api, first=JAN_1, last=JAN_2, item_changes=False)
    api.remove("c1", "b")
    put(api, "d")
    load_days(api, first=JAN_1)
    assert told() == [("baseline", "a"), ("removed", "b"), ("added", "d")]
    put(api, "a", changed=True)
    load_days(api, first=JAN_1, last=JAN_2)
    assert told()[3:] == [("changed", "a"), ("baseline", "c")]
    load_days(api, first=JAN_1, last=JAN_2)
    assert len(told()) == 5
    assert replayed(feed()) == stored(rows())


def test_what_was_loaded_without_the_feed_is_told_later(api: StacApi) -> None:
    for name in "abc":
        put(api, name)
    load_days(api)
    api.remove("c1", "b")
    put(api, "c", changed=True)
    put(api, "d")
    load_days(api, item_changes=False)
    assert len(told()) == 3
    load_days(api)
    assert set(told()[3:]) == {("baseline", "d"), ("removed", "b")}
    assert replayed(feed()) == stored(rows())
    load_days(api)
    assert len(told()) == 5


def test_other_filters_are_no_change_of_items(api: StacApi) -> None:
    at(api, "east", 10)
    at(api, "west", -10)
    load_days(api)
    load_days(api, bbox=EAST)
    assert told()[2:] == [("out_of_scope", "west")]
    at(api, "east too", 20)
    load_days(api, bbox=EAST)
    assert told()[3:] == [("added", "east too")]
    load_days(api, bbox=WEST)
    assert set(told()[4:]) == {("out_of_scope", "east"), ("out_of_scope", "east too"), ("baseline", "west")}
    load_days(api)
    assert set(told()[7:]) == {("baseline", "east"), ("baseline", "east too")}
    assert replayed(feed()) == stored(rows())


def test_a_partition_that_a_filter_left_empty_begins_with_a_baseline(api: StacApi) -> None:
    at(api, "west", -10)
    load_days(api, bbox=EAST, first=JAN_1, last=JAN_2)
    load_days(api, bbox=EAST, first=JAN_1, last=JAN_2)
    assert told() == [] and len(feed()) == 2
    load_days(api, first=JAN_1, last=JAN_2)
    assert told() == [("baseline", "west")]
    api.remove("c1", "west")
    load_days(api, first=JAN_1, last=JAN_2)
    at(api, "west", -10)
    at(api, "other", -10, JAN_2)
    load_days(api, first=JAN_1, last=JAN_2)
    assert told()[1:] == [("removed", "west"), ("added", "west"), ("added", "other")]


def test_days_that_filters_leave_empty_are_remembered_in_a_table_that_is_there(api: StacApi) -> None:
    put(api, "n", JAN_2)
    load_days(api, first=JAN_2)
    at(api, "west", -10)
    load_days(api, bbox=EAST)
    load_days(api)
    assert told()[1:] == [("baseline", "west")]
    api.remove("c1", "west")
    load_days(api)
    load_days(api, bbox=EAST, first=JAN_3)
    load_days(api, first=JAN_3)
    at(api, "other", -10, JAN_3)
    load_days(api, first=JAN_3)
    assert told()[2:] == [("removed", "west"), ("added", "other")]


def test_a_filtered_month_is_remembered_by_its_days(api: StacApi) -> None:
    at(api, "west", -10, JAN_3)
    load_days(api, bbox=EAST, first=JAN_1, granularity="monthly")
    load_days(api, first=JAN_3)
    assert told() == [("baseline", "west")]


def test_a_clock_that_goes_back_does_not_mix_up_the_order(api: StacApi) -> None:
    put(api, "a")
    load_days(api)
    later = "TIMESTAMPTZ '2999-01-01 00:00:00+00'"
    change(f"UPDATE {DATASET}.item_changes SET seen_at = {later}")
    api.remove("c1", "a")
    load_days(api)
    assert told() == [("added", "a"), ("removed", "a")]
    assert replayed(feed()) == set()


def test_ids_of_any_kind(api: StacApi) -> None:
    names = ["it's", 'a "b"', "ü😀", "a|b", "x" * 3000, "%s", "a/b"]
    for name in names:
        put(api, name)
    load_days(api)
    for name in names:
        put(api, name, changed=1)
    load_days(api)
    assert sorted(told()) == sorted([("added", n) for n in names] + [("changed", n) for n in names])


def test_without_the_setting_there_is_no_feed(api: StacApi) -> None:
    put(api, "a")
    load_days(api, item_changes=False)
    assert "item_changes" not in {row["name"] for row in tables()}
    assert load_days(api, item_changes=False).unchanged


def change(sql: str) -> None:
    """Run a statement."""
    from stac_assets_tests.reading import DUCKDB_FILE, in_postgres, query_postgres

    if in_postgres():
        query_postgres(sql)
        return
    import duckdb

    with duckdb.connect(str(DUCKDB_FILE)) as connection:
        connection.execute(sql)


def tables() -> list[dict[str, Any]]:
    """The tables of the dataset."""
    return query(f"SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '{DATASET}'")
