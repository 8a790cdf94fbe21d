"""After a load the table holds, for the partitions loaded, exactly what the API holds now."""

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest

from stac_assets.pipeline.load_result import WindowsFailed
from stac_assets.pipeline.queries import stored_ids
from stac_assets.stac.errors import ConfigurationError, UnknownCollection
from stac_assets.stac.windows import Granularity, Window
from stac_assets_tests.loads import (
    catalog_for,
    ids,
    items,
    load_days,
    query,
    rows,
    settings_for,
    without_load_id,
)
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

JAN_1, JAN_2, JAN_3 = "2024-01-01", "2024-01-02", "2024-01-03"

pytestmark = pytest.mark.usefixtures("project")


def at(id: str, time: str, collection: str = "c1", **properties: Any) -> dict[str, Any]:
    return make_item(id, collection, time, **properties)


def by_day(table: str = "search") -> dict[str, list[str]]:
    """The ids of each day that has any."""
    found: dict[str, list[str]] = {}
    for row in rows(table):
        found.setdefault(row["_partition_key"], []).append(row["id"])
    return {day: sorted(of_day) for day, of_day in found.items()}


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_a_partition_follows_the_api_and_its_neighbours_stay(api: StacApi, resource: str) -> None:
    for day, id in [(JAN_1, "a"), (JAN_1, "b"), (JAN_2, "n")]:
        api.put(at(id, f"{day}T12:00:00Z"))
    api.put(at("o", f"{JAN_1}T12:00:00Z", "c2"))
    load_days(api, resource, ["c1", "c2"], JAN_1, JAN_2)
    before = rows(resource)
    assert by_day(resource) == {"c1|2024-01-01": ["a", "b"], "c1|2024-01-02": ["n"], "c2|2024-01-01": ["o"]}

    load_days(api, resource, first=JAN_1)
    assert without_load_id(rows(resource)) == without_load_id(before), "running again changes nothing"

    api.remove("c1", "b")
    api.put(at("a", f"{JAN_1}T12:00:00Z", changed=True))
    api.remove("c1", "n")
    load_days(api, resource, first=JAN_1)
    assert by_day(resource) == {"c1|2024-01-01": ["a"], "c1|2024-01-02": ["n"], "c2|2024-01-01": ["o"]}
    assert items(resource)["c1", "a"]["properties"]["changed"] is True
    neighbours = [row for row in rows(resource) if row["id"] in "no"]
    assert {row["_dlt_load_id"] for row in neighbours} == {row["_dlt_load_id"] for row in before}

    api.clear()
    result = load_days(api, resource, first=JAN_1)
    assert by_day(resource) == {"c1|2024-01-02": ["n"], "c2|2024-01-01": ["o"]}
    assert result.figures.items == 0 and len(result.windows) == 1


def test_a_first_load_of_nothing_makes_an_empty_table(api: StacApi) -> None:
    api.put(at("a", f"{JAN_2}T12:00:00Z"))
    load_days(api, first=JAN_1)
    assert rows() == []


def test_an_item_is_in_the_partition_of_its_own_time_only(api: StacApi) -> None:
    """Windows touch, and intervals reach into many of them; every item is asked for more than once."""
    api.put(make_item("spans", start=f"{JAN_1}T12:00:00Z", end=f"{JAN_3}T12:00:00Z"))
    api.put(at("instant-in-span", f"{JAN_2}T12:00:00Z", start_datetime=JAN_1, end_datetime=JAN_3))
    api.put(at("first", f"{JAN_2}T00:00:00Z"))
    api.put(at("last", f"{JAN_1}T23:59:59.9995Z"))
    api.put(at("abroad", f"{JAN_2}T00:30:00+01:00"))
    result = load_days(api, first=JAN_1, last=JAN_3)
    assert by_day() == {
        "c1|2024-01-01": ["abroad", "last", "spans"],
        "c1|2024-01-02": ["first", "instant-in-span"],
    }
    assert result.figures.items == 5
    assert result.figures.items_owned_elsewhere == 5  # spans: 2, instant-in-span: 2, first: 1
    assert query("SELECT datetime::TEXT AS t FROM pystac_client_data.search WHERE id = 'last'")


def test_the_sum_of_the_partitions_is_the_number_of_distinct_items(api: StacApi) -> None:
    random, owners = Random(7), {}
    for number in range(120):
        collection, day, hour = random.choice(["c1", "c2"]), random.randrange(1, 10), random.randrange(24)
        time = f"2024-01-{day:02}T{hour:02}:00:00Z"
        last = f"2024-01-{random.randrange(day, 12):02}T23:30:00Z"
        item = make_item(str(number), collection, time)
        if number % 3:
            instant = {"datetime": time} if number % 3 == 1 else {"datetime": None}
            item["properties"] = {**instant, "start_datetime": time, "end_datetime": last}
        api.put(item)
        owners[collection, str(number)] = f"{collection}|2024-01-{day:02}"
    api.on_page = twice

    result = load_days(api, "search", ["c1", "c2"], "2023-12-31", "2024-01-12", page_size=7)

    assert {(row["collection"], row["id"]): row["_partition_key"] for row in rows()} == owners
    assert sum(window.figures.items for window in result.windows) == len(owners) == len(rows())
    assert result.figures.duplicates > 0


def twice(page: dict[str, Any], _: Request) -> dict[str, Any]:
    """A page whose first item is on it a second time, as when a catalog changes while it is paged."""
    return {**page, "features": page["features"][:1] + page["features"]}


def test_changing_the_granularity_and_back_duplicates_nothing(api: StacApi) -> None:
    for id, day in [("a", "2024-01-01"), ("b", "2024-01-15"), ("c", "2024-01-31"), ("d", "2024-02-01")]:
        api.put(at(id, f"{day}T12:00:00Z"))
    load_days(api, first="2024-01-01", last="2024-02-01", granularity="daily")
    daily = without_load_id(rows())
    assert len(daily) == 4
    for granularity in ("monthly", "daily"):
        load_days(api, first="2024-01-15", last="2024-01-31", granularity=granularity)
        assert without_load_id(rows()) == daily

    api.remove("c1", "b")
    api.remove("c1", "d")
    load_days(api, first="2024-01-20", granularity="monthly")
    assert ids() == ["a", "c", "d"], "the whole month is exact, and only that"


def test_an_item_whose_time_changed_stays_in_its_old_partition_until_that_is_loaded(api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    load_days(api, first=JAN_1)
    api.put(at("a", f"{JAN_2}T12:00:00Z"))
    load_days(api, first=JAN_2)
    assert by_day() == {"c1|2024-01-01": ["a"], "c1|2024-01-02": ["a"]}
    load_days(api, first=JAN_1)
    assert by_day() == {"c1|2024-01-02": ["a"]}


# Failures ------------------------------------------------------------------------------------------


def is_second_page(request: Request) -> bool:
    return request.path == "/search" and "token" in (request.body or {})


def asks_for(day: str) -> Callable[[Request], bool]:
    return lambda request: str((request.body or {}).get("datetime", "")).startswith(day)


FAULTS: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 400},
    {"body": b"<html>maintenance</html>"},
    {"body": b'{"type": "FeatureCollection"}'},
    {"truncate": 40},
    {"drop": True},
]


def test_a_fetch_that_fails_half_way_leaves_the_table_as_it_was(api: StacApi) -> None:
    api.put(at("old", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    before = rows()
    api.clear()
    for number in range(5):
        api.put(at(f"new-{number}", f"{JAN_1}T12:00:00Z"))

    for fault in FAULTS:
        api.faults.clear()
        api.fault(is_second_page, times=None, **fault)
        result = load_days(api, page_size=2, fails=True)
        assert rows() == before, fault
        assert [str(failed.window) for failed in result.failed] == ["c1, 2024-01-01"]
        assert result.windows == [] and result.load_info is None
        with pytest.raises(WindowsFailed, match="1 partition"):
            result.raise_on_failures()

    api.faults.clear()
    load_days(api, page_size=2)
    assert ids() == [f"new-{number}" for number in range(5)]


def test_a_batch_commits_what_succeeded_and_names_the_rest(api: StacApi) -> None:
    for day in (JAN_1, JAN_2, JAN_3):
        api.put(at(f"old-{day}", f"{day}T12:00:00Z"))
    load_days(api, first=JAN_1, last=JAN_3)
    api.clear()
    for day in (JAN_1, JAN_2, JAN_3):
        api.put(at(f"new-{day}", f"{day}T12:00:00Z"))
    api.fault(asks_for(JAN_2), status=400, times=None)

    result = load_days(api, first=JAN_1, last=JAN_3, fails=True)

    assert ids() == [f"new-{JAN_1}", f"new-{JAN_3}", f"old-{JAN_2}"]
    assert [window.window.start for window in result.windows] == [date(2024, 1, 1), date(2024, 1, 3)]
    with pytest.raises(WindowsFailed, match=r"1 partition.*2 stored:\n  c1, 2024-01-02: .*400"):
        result.raise_on_failures()


def test_an_unknown_collection_is_found_before_anything_is_loaded(api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z", "sentinel-2-l2a"))
    with pytest.raises(UnknownCollection, match="sentinel-2-l2a"):
        load_days(api, collections=["sentinel-2"])
    result = load_days(api, collections=["sentinel-2-l2a", "sentinel-2"], fails=True)
    assert ids() == ["a"]
    with pytest.raises(WindowsFailed, match=r"1 partition.*\n  sentinel-2, .*near matches: sentinel-2-l2a"):
        result.raise_on_failures()


# What a dataset may hold -----------------------------------------------------------------------------


def test_a_sample_fills_an_empty_partition_and_never_one_that_has_rows(api: StacApi) -> None:
    for id in "abcde":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    api.put(at("n", f"{JAN_2}T12:00:00Z"))
    load_days(api, first=JAN_2)

    sample = load_days(api, first=JAN_1, max_items=2)
    assert not sample.figures.complete
    assert ids() == ["a", "b", "n"]

    with pytest.raises(ConfigurationError, match=r"max_items .*search already has rows in c1\|2024-01-01"):
        load_days(api, first=JAN_1, max_items=2)
    assert ids() == ["a", "b", "n"]

    whole = load_days(api, first=JAN_1, max_items=5)
    assert whole.figures.complete
    assert ids() == ["a", "b", "c", "d", "e", "n"]


def test_another_api_is_refused_before_anything_is_fetched(
    api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    with StacApi(items=[at("b", f"{JAN_1}T12:00:00Z")]) as other:
        with pytest.raises(ConfigurationError, match=f"{api.url}, not {other.url}.*PIPELINE__DATASET_NAME"):
            load_days(other)
        assert other.requests == []
        assert ids() == ["a"]

        monkeypatch.setenv("PIPELINE__DATASET_NAME", "other_data")
        load_days(other)
    assert query("SELECT id FROM other_data.search") == [{"id": "b"}]
    assert ids() == ["a"]


# Single items ----------------------------------------------------------------------------------------


def test_the_resource_item_replaces_single_items_and_deletes_those_that_are_gone(api: StacApi) -> None:
    for id in "abc":
        api.put(at(id, f"{JAN_1}T12:00:00Z", v=1))
    api.put(at("a", f"{JAN_1}T12:00:00Z", "c2"))
    load_days(api, "item", ["c1", "c2"], item_ids=["a", "b", "c"])
    assert [(row["collection"], row["id"]) for row in rows("item")] == [
        *(("c1", "a"), ("c2", "a"), ("c1", "b"), ("c1", "c")),
    ]

    api.put(at("a", f"{JAN_3}T12:00:00Z", v=2))
    api.put(at("c", f"{JAN_1}T12:00:00Z", v=2))
    api.remove("c1", "b")
    result = load_days(api, "item", item_ids=["a", "b", "a", "never was"])

    found = items("item")
    assert {key: item["properties"]["v"] for key, item in found.items() if key[0] == "c1"} == {
        ("c1", "a"): 2,
        ("c1", "c"): 1,
    }
    assert ("c2", "a") in found
    assert by_day("item")["c1|2024-01-03"] == ["a"], "its day is its own, not that of the partition"
    assert result.windows[0].deleted == ["b", "never was"]
    assert (result.figures.items, result.figures.requests) == (1, 5), (
        "the absence of two is searched for, too"
    )


def test_the_items_that_search_holds_are_those_that_item_refreshes(api: StacApi) -> None:
    day = Window("c1", date(2024, 1, 1), date(2024, 1, 2))
    assert stored_ids(catalog_for(api), [day]) == {day: ()}
    for id in "cabd":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    api.put(at("n", f"{JAN_2}T12:00:00Z"))
    load_days(api, first=JAN_1, last=JAN_2)
    assert stored_ids(catalog_for(api), [day]) == {day: ("a", "b", "c", "d")}
    assert stored_ids(catalog_for(api, item_limit=2), [day]) == {day: ("a", "b")}
    month = settings_for(api, granularity=Granularity.MONTHLY).window_at("c1", date(2024, 1, 1))
    assert stored_ids(catalog_for(api), [month]) == {month: ("a", "b", "c", "d", "n")}


@pytest.mark.parametrize("post_search", [True, False])
@pytest.mark.parametrize("given", ["gsd < 10", {"op": "<", "args": [{"property": "gsd"}, 10.0]}])
def test_a_filter_reaches_the_api_in_its_language(api: StacApi, post_search: bool, given: Any) -> None:
    api.extensions = ("filter",)
    api.post_search = post_search
    api.put(make_item("fine", gsd=5))
    api.put(make_item("coarse", gsd=30))
    load_days(api, filter=given)
    assert ids() == ["fine"]


def test_a_filter_that_cannot_be_read_is_refused(api: StacApi) -> None:
    api.put(make_item("a"))
    with pytest.raises(ConfigurationError, match="settings bbox, intersects, query and filter"):
        load_days(api, filter="gsd <<< 10")
