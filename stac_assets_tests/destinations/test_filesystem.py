"""Tables as files: after a load they hold, for the partitions loaded, exactly what the API holds now."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt import destinations
from dlt.pipeline.exceptions import PipelineStepFailed

from stac_assets.pipeline.destinations.filesystem.destination import PartitionedFilesystem
from stac_assets.pipeline.errors import StoreFailed
from stac_assets.pipeline.queries import place_of, stored_ids
from stac_assets.source import pystac_client_source
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import Window
from stac_assets_tests.destinations.lake import FORMATS, Lake, configured, core
from stac_assets_tests.destinations.lakes import EVERYWHERE
from stac_assets_tests.destinations.s3 import S3
from stac_assets_tests.loads import DATASET, catalog_for, load_catalog, load_days
from stac_assets_tests.pages import block, read
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_exact import FAULTS, asks_for, at, is_second_page
from stac_assets_tests.test_lossless import BAD, NOON

pytest_plugins = ["stac_assets_tests.destinations.lakes"]

JAN_1, JAN_2, JAN_3 = "2024-01-01", "2024-01-02", "2024-01-03"
ODD_COLLECTIONS = ["a/b", "100%", "x=y z", "é'\"", "2024", "_x"]


@pytest.mark.parametrize("lake", EVERYWHERE, indirect=True)
@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_a_partition_follows_the_api_and_its_neighbours_stay(lake: Lake, api: StacApi, resource: str) -> None:
    for day, id in [(JAN_1, "a"), (JAN_1, "b"), (JAN_2, "n")]:
        api.put(at(id, f"{day}T12:00:00Z"))
    api.put(at("o", f"{JAN_1}T12:00:00Z", "c2"))
    load_days(api, resource, ["c1", "c2"], JAN_1, JAN_2)
    before = lake.rows(resource)
    assert lake.by_day(resource) == {
        "c1|2024-01-01": ["a", "b"],
        "c1|2024-01-02": ["n"],
        "c2|2024-01-01": ["o"],
    }

    load_days(api, resource, first=JAN_1)
    assert core(lake.rows(resource)) == core(before), "running again changes nothing"

    api.remove("c1", "b")
    api.put(at("a", f"{JAN_1}T12:00:00Z", changed=True))
    api.remove("c1", "n")
    load_days(api, resource, first=JAN_1)
    assert lake.by_day(resource) == {"c1|2024-01-01": ["a"], "c1|2024-01-02": ["n"], "c2|2024-01-01": ["o"]}
    assert lake.items(resource)["c1", "a"]["properties"]["changed"] is True
    neighbours = [row for row in lake.rows(resource) if row["id"] in "no"]
    assert {row["_dlt_load_id"] for row in neighbours} == {row["_dlt_load_id"] for row in before}

    api.clear()
    result = load_days(api, resource, first=JAN_1)
    assert lake.by_day(resource) == {"c1|2024-01-02": ["n"], "c2|2024-01-01": ["o"]}
    assert result.figures.items == 0 and len(result.windows) == 1


def test_a_first_load_of_nothing_makes_an_empty_table(lake: Lake, api: StacApi) -> None:
    api.put(at("a", f"{JAN_2}T12:00:00Z"))
    result = load_days(api, first=JAN_1, inspected=True)
    assert lake.rows() == []
    assert result.inspection is not None and result.inspection.partitions["c1|2024-01-01"].rows == 0


def test_windows_of_a_month_divide_into_days(lake: Lake, api: StacApi) -> None:
    for day in range(1, 32):
        for id in "ab":
            api.put(at(f"{id}{day}", f"2024-01-{day:02}T12:00:00Z"))
    load_days(api, first=JAN_1, granularity="monthly")
    assert lake.by_day() == {f"c1|2024-01-{d:02}": [f"a{d}", f"b{d}"] for d in range(1, 32)}
    api.remove("c1", "b7")
    api.remove("c1", "a7")
    load_days(api, first="2024-01-07")
    assert len(lake.ids()) == 60
    assert lake.ids(day="2024-01-07") == []


def test_a_fetch_that_fails_half_way_leaves_the_table_as_it_was(lake: Lake, api: StacApi) -> None:
    api.put(at("old", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    before, files = lake.rows(), lake.files()
    api.clear()
    for number in range(5):
        api.put(at(f"new-{number}", f"{JAN_1}T12:00:00Z"))
    for fault in (FAULTS[0], FAULTS[4]):
        api.faults.clear()
        api.fault(is_second_page, times=None, **fault)
        load_days(api, page_size=2, fails=True)
        assert (lake.rows(), lake.files()) == (before, files)
    api.faults.clear()
    load_days(api, page_size=2)
    assert lake.ids() == [f"new-{number}" for number in range(5)]


def test_a_batch_commits_what_succeeded(lake: Lake, api: StacApi) -> None:
    for day in (JAN_1, JAN_2, JAN_3):
        api.put(at(f"old-{day}", f"{day}T12:00:00Z"))
    load_days(api, first=JAN_1, last=JAN_3)
    api.clear()
    for day in (JAN_1, JAN_2, JAN_3):
        api.put(at(f"new-{day}", f"{day}T12:00:00Z"))
    api.fault(asks_for(JAN_2), status=400, times=None)
    load_days(api, first=JAN_1, last=JAN_3, fails=True)
    assert lake.ids() == [f"new-{JAN_1}", f"new-{JAN_3}", f"old-{JAN_2}"]


def test_collections_of_any_name(lake: Lake, api: StacApi) -> None:
    api.collections = [make_collection(name) for name in ODD_COLLECTIONS]
    for name in ODD_COLLECTIONS:
        api.put(at("a", f"{JAN_1}T12:00:00Z", name))
        api.put(at("b", f"{JAN_1}T12:00:00Z", name))
    load_days(api, collections=ODD_COLLECTIONS)
    for name in ODD_COLLECTIONS:
        api.remove(name, "b")
    load_days(api, collections=ODD_COLLECTIONS)
    assert lake.by_day() == {f"{name}|{JAN_1}": ["a"] for name in ODD_COLLECTIONS}
    assert {row["collection"] for row in lake.rows()} == set(ODD_COLLECTIONS)
    load_catalog(api, "collection", ODD_COLLECTIONS)
    load_catalog(api, "collection", ODD_COLLECTIONS)
    assert lake.ids("collection") == sorted(ODD_COLLECTIONS)


@pytest.mark.parametrize("lake", EVERYWHERE, indirect=True)
def test_columns_are_added_and_never_change_their_type(lake: Lake, api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z", gsd=10, v=1))
    load_days(api)
    api.put(at("b", f"{JAN_2}T12:00:00Z", v="text", w=True, date="2020-05-05"))
    load_days(api, first=JAN_2)
    first, second = sorted(lake.rows(), key=lambda row: row["id"])
    assert (first["gsd"], first["v"], first["w"]) == (10.0, 1.0, None)
    assert (second["gsd"], second["v"], second["w"]) == (None, None, True)
    assert lake.items()["c1", "b"]["properties"]["v"] == "text"
    assert all(row["_deleted"] is None for row in lake.rows())
    if lake.table_format == "parquet":
        assert [first["date"], second["date"]] == [JAN_1, JAN_2], "the directory's, not a property"


# The other tables --------------------------------------------------------------------------------------


def test_single_items_are_replaced_and_those_that_are_gone_deleted(lake: Lake, api: StacApi) -> None:
    for id in "abc":
        api.put(at(id, f"{JAN_1}T12:00:00Z", v=1))
    api.put(at("a", f"{JAN_1}T12:00:00Z", "c2"))
    load_days(api, "item", ["c1", "c2"], item_ids=["a", "b", "c"])
    assert lake.by_day("item") == {"c1|2024-01-01": ["a", "b", "c"], "c2|2024-01-01": ["a"]}

    api.put(at("a", f"{JAN_3}T12:00:00Z", v=2))
    api.put(at("c", f"{JAN_1}T12:00:00Z", v=2))
    api.remove("c1", "b")
    result = load_days(api, "item", item_ids=["a", "b", "a", "never was"], inspected=True)

    found = lake.items("item")
    assert {key: item["properties"]["v"] for key, item in found.items() if key[0] == "c1"} == {
        ("c1", "a"): 2,
        ("c1", "c"): 1,
    }
    assert lake.by_day("item") == {"c1|2024-01-01": ["c"], "c1|2024-01-03": ["a"], "c2|2024-01-01": ["a"]}
    assert result.windows[0].deleted == ["b", "never was"]
    assert result.inspection is not None and result.inspection.partitions["c1|2024-01-01"].rows == 1

    api.remove("c1", "a")
    api.remove("c1", "c")
    load_days(api, "item", item_ids=["a", "c"])
    assert lake.by_day("item") == {"c2|2024-01-01": ["a"]}


def test_the_items_that_search_holds_are_those_that_item_refreshes(lake: Lake, api: StacApi) -> None:
    day = Window("c1", date(2024, 1, 1), date(2024, 1, 2))
    assert stored_ids(catalog_for(api), [day]) == {day: ()}
    for id in "cabd":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    api.put(at("n", f"{JAN_2}T12:00:00Z"))
    load_days(api, first=JAN_1, last=JAN_2)
    assert stored_ids(catalog_for(api), [day]) == {day: ("a", "b", "c", "d")}
    assert stored_ids(catalog_for(api, item_limit=2), [day]) == {day: ("a", "b")}


@pytest.mark.parametrize("resource", ["search", "item"])
def test_rejected_documents_are_replaced_by_their_own_partition(
    lake: Lake, api: StacApi, resource: str
) -> None:
    wanted: dict[str, Any] = {"item_ids": ["nan", "huge", "a"]} if resource == "item" else {}
    for id in ("nan", "huge"):
        api.put(RawItem(BAD[id], "c1", NOON, NOON, id))
    api.put(make_item("a"))
    load_days(api, resource, **wanted)
    load_days(api, "collection_items")
    assert {row["_partition_key"] for row in lake.rows("rejected_items")} == {
        f"{resource}|c1|2024-01-01",
        "collection_items|c1|2024-01-01",
    }
    api.put(make_item("huge"))
    result = load_days(api, resource, inspected=True, **wanted)
    assert lake.ids(resource) == ["a", "huge"]
    found = [(row["resource"], row["document"]) for row in lake.rows("rejected_items")]
    assert sorted(found) == sorted(
        [
            (resource, BAD["nan"].decode()),
            *(("collection_items", BAD[id].decode()) for id in ("nan", "huge")),
        ]
    )
    assert result.inspection is not None
    assert sum(result.inspection.partitions["c1|2024-01-01"].rejected.values()) == 1
    api.put(make_item("nan"))
    load_days(api, resource, **wanted)
    assert {row["resource"] for row in lake.rows("rejected_items")} == {"collection_items"}


def test_catalog_tables_are_replaced_as_a_whole(lake: Lake, api: StacApi) -> None:
    api.collections = [make_collection("c1", title="one"), make_collection("c2")]
    names = ("client_root", "conformance", "landing_pages", "collections", "queryables")
    for name in names:
        load_catalog(api, name)
        load_catalog(api, name)
    assert lake.ids("collections") == ["c1", "c2"]
    assert all(lake.rows(name) for name in names)
    uris = [row["uri"] for row in lake.rows("conformance")]
    assert len(uris) == len(set(uris))
    api.collections = [make_collection("c2", title="two")]
    result = load_catalog(api, "collections", inspected=True)
    assert [(row["id"], row["title"]) for row in lake.rows("collections")] == [("c2", "two")]
    assert result.inspection is not None and result.inspection.ids == {"c2"}
    api.collections = []
    load_catalog(api, "collections")
    assert lake.rows("collections") == []


def test_a_collection_is_replaced_by_its_id(lake: Lake, api: StacApi) -> None:
    api.collections = [make_collection("c1", title="one"), make_collection("c2", title="two")]
    load_catalog(api, "collection", ["c1", "c2"])
    api.collections = [make_collection("c1", title="new"), make_collection("c2", title="new")]
    load_catalog(api, "collection", ["c1"])
    assert {row["id"]: row["title"] for row in lake.rows("collection")} == {"c1": "new", "c2": "two"}
    assert len(lake.rows("collection")) == 2


# What a dataset may hold -----------------------------------------------------------------------------------


def test_a_sample_never_replaces_rows(lake: Lake, api: StacApi) -> None:
    for id in "abc":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    assert not load_days(api, max_items=2).figures.complete
    assert lake.ids() == ["a", "b"]
    with pytest.raises(ConfigurationError, match=r"max_items .*search already has rows in c1\|2024-01-01"):
        load_days(api, max_items=2)
    assert lake.ids() == ["a", "b"]


def test_another_api_is_refused_before_anything_is_fetched(lake: Lake, api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    with StacApi(items=[at("b", f"{JAN_1}T12:00:00Z")]) as other:
        with pytest.raises(ConfigurationError, match=f"{api.url}, not {other.url}"):
            load_days(other)
        assert other.requests == []
    assert lake.ids() == ["a"]


def test_a_dataset_keeps_its_format(lake: Lake, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    before = lake.files()
    other = "parquet" if lake.table_format == "delta" else "delta"
    asked = len(api.requests)
    with pytest.raises(ConfigurationError, match=f"table_format is {other}.*search is {lake.table_format}"):
        load_days(api, table_format=other)
    assert lake.files() == before
    assert len(api.requests) == asked
    load_days(api)
    monkeypatch.setenv("PIPELINE__DATASET_NAME", "other_data")
    load_days(api, table_format=other)
    assert [row["id"] for row in Lake(other, lake.url, lake.s3).rows(dataset="other_data")] == ["a"]


def test_the_schema_check_reads_the_files(lake: Lake, api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z", gsd=10))
    load_days(api)
    api.put(at("b", f"{JAN_1}T12:00:00Z", v=True))
    found = load_days(api, inspected=True).inspection
    assert found is not None and found.columns is not None
    assert (found.columns.missing, found.columns.changed, found.columns.new) == ([], [], ["v"])
    assert found.columns.found["gsd"] == "double"
    assert found.columns.found["collection"] == found.columns.found["_partition_key"] == "text"


def test_the_place_of_a_lake_is_its_url(lake: Lake, project: Path, api: StacApi) -> None:
    place = place_of(catalog_for(api))
    assert (place.destination_type, place.location, place.file) == ("filesystem", lake.url, None)
    assert str(place) == f"{lake.url}/pystac_client_data"


def test_a_store_that_does_not_answer_is_told_in_a_line(
    project: Path, api: StacApi, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(Lake("delta", "s3://nowhere", s3), monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__CREDENTIALS__ENDPOINT_URL", "http://127.0.0.1:1")
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    with pytest.raises(StoreFailed, match=r"http://127.0.0.1:1.*Nothing was stored") as raised:
        load_days(api)
    assert "\n" not in str(raised.value) and "test-s3cret" not in str(raised.value)


# Hive --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lake", ["parquet-local", "parquet-s3"], indirect=True)
def test_the_directories_of_plain_parquet(lake: Lake, api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    api.put(at("n", f"{JAN_2}T12:00:00Z"))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api, last=JAN_2)
    load_days(api, last=JAN_2)
    assert lake.files("search") == [
        "collection=c1/date=2024-01-01/part-00000.parquet",
        "collection=c1/date=2024-01-02/part-00000.parquet",
    ]
    assert lake.files("rejected_items") == [
        "resource=search/collection=c1/date=2024-01-01/part-00000.parquet"
    ]
    for row in lake.rows_by_arrow():
        assert row["_partition_key"] == f"{row['collection']}|{row['date']}"
    assert core(lake.rows_by_arrow()) == core(lake.rows())
    api.remove("c1", "n")
    load_days(api, first=JAN_2)
    assert lake.files("search") == ["collection=c1/date=2024-01-01/part-00000.parquet"]


@pytest.mark.parametrize("lake", ["delta-local"], indirect=True)
def test_a_vacuum_as_the_page_says_removes_old_files(
    lake: Lake, api: StacApi, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        api.put(at("a", f"{JAN_1}T12:00:00Z", number=number))
        load_days(api)
    before = lake.rows()
    folder = project / "lake" / DATASET / "search"
    script = block("docs/destinations.md", "python delta")
    (all_,) = re.findall(r"`(retention_hours=0, .*?)`", read("docs/destinations.md"))
    assert len(list(folder.glob("**/*.parquet"))) == 2
    for code, left in ((script, 2), (script.replace("dry_run=False", f"dry_run=False, {all_}"), 1)):
        exec(code, {})
        assert capsys.readouterr().out == "1\n"
        assert len(list(folder.glob("**/*.parquet"))) == left
    assert lake.rows() == before


@pytest.mark.parametrize("lake", ["parquet-local"], indirect=True)
def test_parquet_is_read_as_the_page_says(lake: Lake, api: StacApi) -> None:
    for id, day in (("a", JAN_1), ("b", JAN_1), ("n", JAN_2)):
        api.put(at(id, f"{day}T12:00:00Z"))
    load_days(api, last=JAN_2)
    found = duckdb.sql(block("docs/destinations.md", "sql parquet")).fetchall()
    assert sorted((collection, str(day), count) for collection, day, count in found) == [
        ("c1", JAN_1, 2),
        ("c1", JAN_2, 1),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_a_relative_folder_lies_in_the_project(
    project: Path, api: StacApi, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(Lake(form, "here/lake"), monkeypatch)
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    result = load_days(api)
    assert Lake(form, (project / "here/lake").as_uri()).ids() == ["a"]
    assert result.location == f"{(project / 'here/lake').as_uri()}/pystac_client_data"


# Somebody's own dlt script ------------------------------------------------------------------------------


def test_dlt_alone_would_only_add_rows(project: Path, api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    for name in ("search", "conformance"):
        with pytest.raises(PipelineStepFailed, match=r"can only add rows.*PartitionedFilesystem"):
            run_script(destinations.filesystem((project / "lake").as_uri()), api, name)


@pytest.mark.parametrize("form", FORMATS)
def test_a_script_with_our_destination_is_exact(project: Path, api: StacApi, form: str) -> None:
    lake = Lake(form, (project / "lake").as_uri())
    for id in "ab":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    run_script(PartitionedFilesystem(lake.url), api, "search", form)
    api.remove("c1", "b")
    run_script(PartitionedFilesystem(lake.url), api, "search", form)
    assert lake.by_day() == {"c1|2024-01-01": ["a"]}
    assert lake.items()["c1", "a"] == at("a", f"{JAN_1}T12:00:00Z")


def run_script(destination: Any, api: StacApi, name: str, form: str = "parquet") -> None:
    source = pystac_client_source(api.url, collections=["c1"], start_date=JAN_1, end_date=JAN_2)
    if form == "delta":
        source.resources[name].apply_hints(table_format="delta")
    pipeline = dlt.pipeline("script", destination=destination, dataset_name=DATASET)
    pipeline.run(source.with_resources(name)).raise_on_failed_jobs()


@pytest.mark.parametrize("lake", ["parquet-local"], indirect=True)
def test_dlt_alone_reads_the_files(lake: Lake, api: StacApi) -> None:
    """Of Delta tables too, where DuckDB's extension `delta` is installed or can be fetched."""
    api.put(at("a", f"{JAN_1}T12:00:00Z", gsd=10))
    api.put(at("n", f"{JAN_2}T12:00:00Z"))
    load_days(api, last=JAN_2)
    opened = dlt.pipeline("pystac_client_pipeline", destination="filesystem", dataset_name=DATASET).dataset()
    found = opened.search.arrow().to_pylist()
    assert {(row["id"], row["collection"], row["gsd"]) for row in found} == {
        ("a", "c1", 10.0),
        ("n", "c1", None),
    }
