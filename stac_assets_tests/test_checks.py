"""Asset checks: each passes on a sound table and fails on what it is there for, in the run that loads."""

from typing import Any

import dagster as dg
import duckdb
import psycopg2
import pytest

from stac_assets.orchestration import earlier_failures
from stac_assets.orchestration.check_rules import Judgement, schema
from stac_assets.orchestration.checks import check_specs, checks_of, judged
from stac_assets.pipeline.inspection_result import Inspection
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.loads import DATASET, DUCKDB_FILE, catalog_for, load_catalog, load_days
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.test_dagster import Runs

DAY = "c1|2024-01-01"
Judged = dict[tuple[str, str | None], Judgement]


def search(api: StacApi, first: str = "2024-01-01", **settings: Any) -> Judged:
    """Load a day of `search`, and judge what the table holds."""
    result = load_days(api, first=first, inspected=True, **settings)
    return {(name, key): found for name, key, found in judged(result, catalog_for(api, **settings))}


def catalog(api: StacApi, asset: str, **settings: Any) -> Judged:
    result = load_catalog(api, asset, inspected=True, **settings)
    return {(name, key): found for name, key, found in judged(result, catalog_for(api, **settings))}


def failed(found: Judged) -> dict[str, tuple[str, str]]:
    """Severity and words of each check that did not pass."""
    return {
        name: (judgement.severity.value, judgement.description)
        for (name, _), judgement in found.items()
        if not judgement.passed
    }


def table(judgement: Judgement, name: str = "findings_table") -> list[dict[str, Any]]:
    return [record.data for record in judgement.metadata[name].records]


def execute(sql: str) -> None:
    with duckdb.connect(str(DUCKDB_FILE)) as connection:
        connection.execute(sql)


# In a Dagster run -----------------------------------------------------------------------------------------


def test_every_asset_passes_its_checks_on_a_sound_table(instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a"))
    runs = Runs(api, instance)
    for name in ENDPOINTS:
        partition = DAY if name in ITEM_TABLES else "c1" if name == "collection" else None
        result = runs(name, partition)
        assert result.success
        found = result.get_asset_check_evaluations()
        assert [evaluation.check_name for evaluation in found] == list(checks_of(ENDPOINTS[name]))
        assert [evaluation.description for evaluation in found if not evaluation.passed] == []


def evaluations(result: dg.ExecuteInProcessResult, check: str) -> dict[str | None, dg.AssetCheckEvaluation]:
    """What a run reports of a check: of all its partitions under None, and of single ones."""
    found = [e for e in result.get_asset_check_evaluations() if e.check_name == check]
    return {evaluation.partition: evaluation for evaluation in found}


def test_a_range_has_one_evaluation_of_each_check(instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a", datetime="2024-01-02T10:00:00Z"))
    result = Runs(api, instance)("search", "c1|2024-01-01", "c1|2024-01-03")
    found = result.get_asset_check_evaluations()
    assert [(e.check_name, e.partition) for e in found] == [(n, None) for n in checks_of(ENDPOINTS["search"])]
    (rows,) = [e for e in found if e.check_name == "row_count"]
    assert rows.description == "3 partitions passed: c1|2024-01-01, c1|2024-01-02, c1|2024-01-03"
    assert rows.metadata["partitions"].value == 3
    assert rows.metadata["rows"].value == rows.metadata["fetched"].value == 1


@pytest.mark.parametrize("told", [1, 1000])
def test_a_failure_names_its_partition_until_that_is_loaded_again(
    instance: dg.DagsterInstance, api: StacApi, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    monkeypatch.setattr(earlier_failures, "MOST", told)  # failures beyond it are failures all the same
    odd = {"bbox": [10, 51, 11, 50]}
    for day in (1, 2, 3):
        time = f"2024-01-0{day}T10:00:00Z"
        api.put(make_item(f"d{day}", datetime=time, extra=odd if day < 3 else None))
    runs = Runs(api, instance)
    first = evaluations(runs("search", "c1|2024-01-01", "c1|2024-01-03"), "valid_geometry")
    assert list(first) == [None, "c1|2024-01-01", "c1|2024-01-02"]
    assert not any(evaluation.passed for evaluation in first.values())
    described = first[None].description
    assert described and described.startswith(
        "2 of 3 partitions failed: c1|2024-01-01: 1 item has a bbox with south"
    )
    assert first[None].severity is dg.AssetCheckSeverity.WARN
    assert str(first["c1|2024-01-02"].description).startswith("c1|2024-01-02: 1 item has")
    table: Any = first[None].metadata["partitions_table"]
    assert [row.data["partition"] for row in table.records] == ["c1|2024-01-01", "c1|2024-01-02"]

    other = evaluations(runs("search", "c1|2024-01-03"), "valid_geometry")
    assert list(other) == [None] and not other[None].passed
    assert "2 partitions of earlier runs fail until loaded again: c1|2024-01-0" in str(
        other[None].description
    )
    api.put(make_item("d1", datetime="2024-01-01T10:00:00Z"))
    mended = evaluations(runs("search", "c1|2024-01-01"), "valid_geometry")
    assert list(mended) == [None] and not mended[None].passed
    assert mended[None].metadata["partitions_failed_earlier"].value == 1

    shorter = Runs(api, instance, end_date="2024-01-01")  # whose range does not hold the partition that fails
    assert evaluations(shorter("search", "c1|2024-01-01"), "valid_geometry")[None].passed
    api.put(make_item("d2", datetime="2024-01-02T10:00:00Z"))
    assert evaluations(runs("search", "c1|2024-01-02"), "valid_geometry")[None].passed
    assert evaluations(runs("search", "c1|2024-01-03"), "valid_geometry")[None].passed


def test_a_sample_is_told_though_the_check_passes(instance: dg.DagsterInstance, api: StacApi) -> None:
    for name in ("a", "b"):
        api.put(make_item(name))
    runs = Runs(api, instance, max_items=1)
    sample = f"{DAY}: a sample of 1 (`max_items`): the API has more"
    one = evaluations(runs("collection_items", DAY), "row_count")[None]
    assert one.passed and one.description == sample
    two = evaluations(runs("search", DAY, "c1|2024-01-02"), "row_count")[None]
    assert two.passed and str(two.description).endswith(f"; {sample}")


def test_checks_of_what_was_stored_are_reported_though_another_partition_failed(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    api.put(make_item("a"))
    api.fault(
        lambda request: "2024-01-02T00:00:00Z/" in str((request.body or {}).get("datetime")),
        times=None,
        status=400,
    )
    result = Runs(api, instance)("search", "c1|2024-01-01", "c1|2024-01-02")
    assert not result.success
    found = result.get_asset_check_evaluations()
    assert {evaluation.check_name for evaluation in found} == set(checks_of(ENDPOINTS["search"]))
    assert all(evaluation.passed for evaluation in found)
    counted = evaluations(result, "row_count")[None]
    assert counted.description == f"{DAY}: 1 row, as many as were fetched"


def test_a_failed_check_fails_no_run(instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a", extra={"bbox": [10, 51, 11, 50]}))
    result = Runs(api, instance)("search", DAY)
    assert result.success
    found = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert [(e.check_name, e.partition) for e in found] == [("valid_geometry", None), ("valid_geometry", DAY)]
    assert {e.severity for e in found} == {dg.AssetCheckSeverity.WARN}


# Each check -----------------------------------------------------------------------------------------------


def test_schema_lists_new_columns(project: Any, api: StacApi) -> None:
    api.put(make_item("a", gsd=10))
    assert failed(search(api)) == {}
    item = make_item("b")
    item["properties"]["eo:cloud_cover"] = 5
    api.put(item)
    found = search(api)["schema", None]
    assert found.passed
    assert table(found, "new") == [{"column": "eo_cloud_cover", "type": "double"}]


def test_schema_fails_on_columns_that_a_destination_lacks_or_has_changed(project: Any, api: StacApi) -> None:
    api.put(make_item("a", gsd=10))
    for result in (load_days(api, inspected=True), load_catalog(api, "landing_pages", inspected=True)):
        assert result.inspection is not None and result.inspection.columns is not None
        first, second, *_ = sorted(result.inspection.columns.promised)
        promised = result.inspection.columns.promised[second]
        del result.inspection.columns.found[first]  # as a warehouse may answer, which no load compares
        result.inspection.columns.found[second] = "binary"
        found = {name: each for name, _, each in judged(result, catalog_for(api))}["schema"]
        assert found.severity.value == "ERROR" and not found.passed
        assert f"{first} is missing" in found.description
        assert f"{second} is binary, promised is {promised}" in found.description


def test_row_count_and_partition_ownership_find_what_the_database_did_to_the_rows(
    project: Any, api: StacApi, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres_url)
    for name in ("a", "b", "c"):
        api.put(make_item(name))
    assert failed(search(api)) == {}
    trigger = f"""
        CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.id = 'a' THEN RETURN NULL; END IF;
            IF NEW.id = 'b' THEN NEW.datetime := NEW.datetime + interval '1 day'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER meddle BEFORE INSERT ON {DATASET}.search FOR EACH ROW EXECUTE FUNCTION meddle();
    """
    connection = psycopg2.connect(postgres_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(trigger)
    connection.close()
    api.put(make_item("c", changed=True))
    found = failed(search(api))
    assert found == {
        "row_count": ("ERROR", "the table holds 2 rows, and 3 were fetched"),
        "partition_ownership": ("ERROR", "1 row belongs to another day or collection"),
    }


def test_row_count_warns_where_the_api_counts_otherwise(project: Any, api: StacApi) -> None:
    api.put(make_item("a"))
    assert search(api)["row_count", DAY].metadata["number_matched"] == 1
    api.on_page = lambda page, request: {**page, "numberMatched": 7}
    severity, words = failed(search(api))["row_count"]
    assert severity == "WARN"
    assert "the API counts 7" in words and "sent 1" in words


def test_many_shared_items_of_a_day_hide_none_of_the_next(project: Any, api: StacApi) -> None:
    for number in range(1100):
        api.put(make_item(f"i{number:04}", datetime="2024-01-01T10:00:00Z"))
    api.put(make_item("alone", datetime="2024-01-02T10:00:00Z"))
    days: Any = {"last": "2024-01-02", "page_size": 1000}
    load_days(api, **days)
    moved = "* REPLACE ('c1|2024-03-01' AS _partition_key)"
    execute(f"INSERT INTO {DATASET}.search SELECT {moved} FROM {DATASET}.search")
    result = load_days(api, inspected=True, **days)
    found = {
        key: outcome for name, key, outcome in judged(result, catalog_for(api)) if name == "unique_items"
    }
    told = {key: outcome.metadata["items_in_other_partitions"] for key, outcome in found.items()}
    assert told == {DAY: 1100, "c1|2024-01-02": 1}
    assert not any(outcome.passed for outcome in found.values())
    assert "1,100 items are in c1|2024-03-01 too" in found[DAY].description
    assert table(found["c1|2024-01-02"]) == [{"id": "alone", "other_partition": "c1|2024-03-01"}]
    assert [row["id"] for row in table(found[DAY])] == [f"i{number:04}" for number in range(10)]


def test_unique_items_names_the_partition_to_materialize_again(project: Any, api: StacApi) -> None:
    api.put(make_item("moved", datetime="2024-01-01T10:00:00Z"))
    assert failed(search(api)) == {}
    api.put(make_item("moved", datetime="2024-02-02T10:00:00Z"))
    found = search(api, "2024-02-02")
    severity, words = failed(found)["unique_items"]
    assert severity == "ERROR"
    assert "materialize c1|2024-01-01 again" in words
    assert table(found["unique_items", "c1|2024-02-02"]) == [{"id": "moved", "other_partition": DAY}]
    monthly = failed(search(api, "2024-02-01", granularity="monthly"))
    assert "materialize c1|2024-01-01 again" in monthly["unique_items"][1]
    assert failed(search(api)) == {}
    assert failed(search(api, "2024-02-02")) == {}


def test_required_fields_names_what_items_lack(project: Any, api: StacApi) -> None:
    bare = make_item("bare")
    del bare["assets"], bare["stac_version"]
    half = make_item("half", start="2024-01-01T00:00:00Z", extra={"bbox": None})
    for name in ("bare", "half"):
        api.put(make_item(name))
    api.on_page = lambda page, request: {**page, "features": [bare, half]}
    severity, words = failed(search(api))["required_fields"]
    assert severity == "WARN"
    for name in ("stac_version", "assets", "datetime", "geometry or bbox"):
        assert f"1 item lacks {name}" in words


@pytest.mark.parametrize(
    ("bbox", "finding"),
    [
        ([179, -17, -179, -16], None),
        ([10, 50, 0, 11, 51, 9], None),
        ([10, 51, 11, 50], "south above north"),
        ([10, 50, 11, 91], "latitude outside"),
        ([170, 50, 190, 51], "longitude outside"),
        (["10", 50, 11, 51], "not 4 or 6 numbers"),
    ],
)
def test_valid_geometry(project: Any, api: StacApi, bbox: list[Any], finding: str | None) -> None:
    item = make_item("a")
    api.put(item)
    api.on_page = lambda page, request: {**page, "features": [{**item, "bbox": bbox}]}
    found = failed(search(api))
    assert list(found) == ([] if finding is None else ["valid_geometry"])
    if finding is not None:
        assert found["valid_geometry"][0] == "WARN" and finding in found["valid_geometry"][1]


def test_rejected_items_shows_reasons(project: Any, api: StacApi) -> None:
    api.put(make_item("a"))
    api.put(RawItem.of(make_item("b")))
    api.on_page = lambda page, request: {
        **page,
        "features": [make_item("a"), make_item("b", extra={"id": ""})],
    }
    found = search(api)
    assert failed(found)["rejected_items"][0] == "WARN"
    (row,) = table(found["rejected_items", DAY])
    assert row["documents"] == 1 and "id" in row["reason"]
    api.remove("c1", "b")
    api.on_page = None
    assert failed(search(api)) == {}


def test_configured_collections_exist(project: Any, api: StacApi) -> None:
    api.put(make_item("a"))
    assert failed(catalog(api, "collections")) == {}
    severity, words = failed(catalog(api, "collections", collections=["c1", "gone"]))[
        "configured_collections"
    ]
    assert severity == "ERROR"
    assert "no collection 'gone'" in words


def test_a_check_without_anything_to_look_at_says_so(project: Any, api: StacApi) -> None:
    api.put(make_item("a"))
    found = catalog(api, "collections", collections="*")["configured_collections", None]
    assert found.passed and found.description.startswith("not applicable") and not found.metadata
    told = schema(Inspection(columns=None))
    assert told.passed and told.description.startswith("not applicable") and not told.metadata


def test_the_description_of_a_check_says_who_makes_it(project: Any, api: StacApi) -> None:
    """The UI cannot execute a check alone that the load makes, and says nothing about it."""
    for endpoint in ENDPOINTS.values():
        for spec in check_specs(endpoint, dg.AssetKey(endpoint.name)):
            assert spec.description and "materialize the asset" in spec.description
