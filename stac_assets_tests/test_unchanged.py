"""A partition that is stored as the API has it is left as it is; any difference makes it stored anew."""

import json
from datetime import datetime
from shutil import rmtree
from typing import Any

import pytest

from stac_assets.pipeline.load_result import LoadResult
from stac_assets.pipeline.target import target_of
from stac_assets_tests.loads import DATASET, DUCKDB_FILE, catalog_for, items, load_days, query, rows
from stac_assets_tests.reading import in_postgres
from stac_assets_tests.stac_api import RawItem, StacApi, make_item

pytestmark = pytest.mark.usefixtures("project")
JAN_1, JAN_2, JAN_3 = "2024-01-01", "2024-01-02", "2024-01-03"
ITEM = {
    **make_item("a", datetime=f"{JAN_1}T12:00:00Z", ok=True, n=1, **dict[str, Any]({"eo:cloud_cover": 12.5})),
    "assets": {"data": {"href": "https://data/a.tif?sig=1", "roles": ["data"]}},
    "links": [{"rel": "self", "href": "https://api/a"}],
}


def left(result: LoadResult) -> list[str]:
    """The first days of the windows that were left as they are."""
    return sorted(str(window.start) for window in result.unchanged)


def loads() -> int:
    """How many loads dlt has recorded."""
    return int(query(f"SELECT count(*) AS loads FROM {DATASET}._dlt_loads")[0]["loads"])


def spelled(**other: Any) -> RawItem:
    """The item in another spelling: members in another order, white space, other digits of its numbers."""
    document = {**ITEM, **other}
    text = json.dumps({name: document[name] for name in reversed(document)}, indent=2)
    return raw(text.replace("12.5", "12.50").replace('"n": 1,', '"n": 1.0,'), "a")


def raw(text: str, name: str) -> RawItem:
    """An item of the first day that is sent as it is written here."""
    noon = datetime.fromisoformat(f"{JAN_1}T12:00:00Z")
    return RawItem(text.encode(), "c1", noon, noon, name)


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_nothing_is_stored_where_nothing_differs(api: StacApi, resource: str) -> None:
    for day in (JAN_1, JAN_2):
        for name, clouds in (("a", "misfit"), ("b", 5.5)):
            properties: dict[str, Any] = {"eo:cloud_cover": clouds}
            api.put(make_item(f"{name}-{day}", datetime=f"{day}T12:00:00Z", **properties))
    first = load_days(api, resource, first=JAN_1, last=JAN_3)
    before, content = rows(resource), b"" if in_postgres() else DUCKDB_FILE.read_bytes()
    again = load_days(api, resource, first=JAN_1, last=JAN_3)
    assert (left(first), left(again)) == ([JAN_3], [JAN_1, JAN_2, JAN_3])
    assert rows(resource) == before and loads() == 1
    assert in_postgres() or DUCKDB_FILE.read_bytes() == content
    assert (again.figures.items, again.misfits) == (first.figures.items, first.misfits)
    assert again.misfits and again.location == first.location
    assert again.table and again.table["columns"].keys() == first.table["columns"].keys()  # type: ignore[index]


def test_only_the_partitions_that_differ_are_stored(api: StacApi) -> None:
    for day in (JAN_1, JAN_2, JAN_3):
        api.put(make_item(day, datetime=f"{day}T12:00:00Z"))
    load_days(api, first=JAN_1, last=JAN_3)
    before = {row["id"]: row["_dlt_load_id"] for row in rows()}
    api.put(make_item(JAN_2, datetime=f"{JAN_2}T12:00:00Z", changed=True))
    assert left(load_days(api, first=JAN_1, last=JAN_3)) == [JAN_1, JAN_3]
    after = {row["id"]: row["_dlt_load_id"] for row in rows()}
    assert {name for name in before if before[name] != after[name]} == {JAN_2}
    assert items()["c1", JAN_2]["properties"]["changed"] is True


def test_another_spelling_is_no_difference(api: StacApi) -> None:
    api.put(ITEM)
    load_days(api, first=JAN_1)
    before = rows()
    api.put(spelled())
    for _ in range(2):
        assert left(load_days(api, first=JAN_1)) == [JAN_1]
    assert rows() == before


@pytest.mark.parametrize(
    "other",
    [
        {"properties": {**ITEM["properties"], "eo:cloud_cover": 12.6}},
        {"properties": {**ITEM["properties"], "ok": 1}},
        {"properties": {**ITEM["properties"], "n": True}},
        {"properties": {**ITEM["properties"], "n": None}},
        {"properties": {**ITEM["properties"], "more": []}},
        {"properties": {name: value for name, value in ITEM["properties"].items() if name != "n"}},
        {"assets": {"data": {"href": "https://data/a.tif?sig=2", "roles": ["data"]}}},
        {"links": []},
        {"geometry": {"type": "Point", "coordinates": [1.0, 2.0]}},
        {"stac_extensions": ["https://one/schema.json"]},
        {"of_nobody": {"x": 1}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_any_other_value_is_a_difference(api: StacApi, other: dict[str, Any]) -> None:
    api.put(ITEM)
    load_days(api, first=JAN_1)
    api.put(spelled(**other))
    assert left(load_days(api, first=JAN_1)) == []
    assert items()["c1", "a"] == {**ITEM, **other}
    assert left(load_days(api, first=JAN_1)) == [JAN_1]


def test_what_comes_and_goes_is_a_difference(api: StacApi) -> None:
    api.put(ITEM)
    load_days(api, first=JAN_1)
    api.put(make_item("b", datetime=f"{JAN_1}T13:00:00Z"))
    assert left(load_days(api, first=JAN_1)) == []
    api.remove("c1", "b")
    assert left(load_days(api, first=JAN_1)) == []
    assert set(items()) == {("c1", "a")}
    api.remove("c1", "a")
    assert left(load_days(api, first=JAN_1)) == [] and rows() == []


def test_rejected_documents_are_compared_too(api: StacApi) -> None:
    api.put(ITEM)
    api.put(raw(json.dumps({**ITEM, "id": ""}), "nameless"))
    api.put(raw(json.dumps({**ITEM, "id": "", "more": 1}), "nameless, too"))
    load_days(api, first=JAN_1)
    before = rows("rejected_items")
    assert before
    assert left(load_days(api, first=JAN_1)) == [JAN_1]
    assert rows("rejected_items") == before
    api.remove("c1", "nameless")
    assert left(load_days(api, first=JAN_1)) == []
    assert len(rows("rejected_items")) == len(before) - 1
    assert left(load_days(api, first=JAN_1)) == [JAN_1]


@pytest.mark.parametrize(
    "settings",
    [{"promote_properties": "none"}, {"geometry": "none"}, {"bbox": (-180, -90, 180, 90)}],
    ids=lambda settings: next(iter(settings)),
)
def test_other_settings_make_other_rows(api: StacApi, settings: dict[str, Any]) -> None:
    if in_postgres() and "geometry" in settings:
        pytest.skip("this PostgreSQL has no PostGIS, and so no geometries")
    api.put(ITEM)
    load_days(api, first=JAN_1)
    assert left(load_days(api, first=JAN_1, **settings)) == []
    assert left(load_days(api, first=JAN_1, **settings)) == [JAN_1]
    assert left(load_days(api, first=JAN_1)) == []


def test_the_granularity_is_no_difference(api: StacApi) -> None:
    for day in (JAN_1, JAN_2):
        api.put(make_item(day, datetime=f"{day}T12:00:00Z"))
    load_days(api, first=JAN_1, last=JAN_2)
    load_days(api, first=JAN_1, granularity="monthly")
    assert left(load_days(api, first=JAN_1, granularity="monthly")) == [JAN_1]
    assert loads() == 1


def test_checks_count_what_is_there_all_the_same(api: StacApi) -> None:
    api.put(ITEM)
    load_days(api, first=JAN_1, inspected=True)
    found = load_days(api, first=JAN_1, inspected=True)
    assert left(found) == [JAN_1]
    assert found.inspection and found.inspection.partitions["c1|2024-01-01"].rows == 1


def test_a_failed_window_is_none_that_was_left(api: StacApi) -> None:
    api.put(ITEM)
    api.put(make_item("b", datetime=f"{JAN_2}T12:00:00Z"))
    load_days(api, first=JAN_1, last=JAN_2)
    api.fault(lambda request: JAN_2 in str(request.body), times=None, status=500)
    found = load_days(api, first=JAN_1, last=JAN_2, fails=None)
    assert JAN_2 not in left(found)
    assert set(items()) == {("c1", "a"), ("c1", "b")}


def test_the_copy_for_dlt_is_made_again(api: StacApi) -> None:
    api.put(ITEM)
    load_days(api, first=JAN_1)
    for folder in target_of(catalog_for(api)).published_folders():
        rmtree(folder)
    assert left(load_days(api, first=JAN_1)) == []
    assert left(load_days(api, first=JAN_1)) == [JAN_1]
