"""The Dagster rooms, through real instances: what is defined, what runs do to the table, what they tell."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.catalog import Catalog
from stac_assets.definitions import build_definitions
from stac_assets.orchestration.partitions import item_partitions, windows_of
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.windows import Granularity
from stac_assets_tests.loads import ids, rows, settings_for, without_load_id
from stac_assets_tests.stac_api import StacApi, make_item

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
EDGES = {
    "stac_api": set(),
    "client_root": {"stac_api"},
    "conformance": {"client_root"},
    "landing_pages": {"client_root"},
    "collections": {"client_root"},
    "queryables": {"client_root"},
    "collection": {"collections"},
    "collection_items": {"collection"},
    "search": {"collection"},
    "item": {"search"},
}
DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}


class Runs:
    """Materializes assets of one API into the project's DuckDB file."""

    def __init__(self, api: StacApi | str, instance: dg.DagsterInstance, **settings: Any) -> None:
        self.instance = instance
        self.definitions = build_definitions(settings_for(api, **{**DAYS, **settings}))
        self.job = self.definitions.resolve_implicit_global_asset_job_def()

    def __call__(
        self, asset: str, first: str | None = None, last: str | None = None, config: Any = None
    ) -> dg.ExecuteInProcessResult:
        tags = {RANGE_START: first, RANGE_END: last} if first and last else {}
        return self.job.execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(asset)],
            partition_key=first if not tags else None,
            tags=tags,
            run_config={"ops": {asset: {"config": config}}} if config else None,
            raise_on_error=False,
        )


def told(result: dg.ExecuteInProcessResult) -> dict[str | None, dict[str, Any]]:
    """The metadata of each materialization, by partition."""
    return {
        event.partition: {name: found.value for name, found in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    """The message of the error that a run failed with."""
    (event,) = result.get_step_failure_events()
    error = event.step_failure_data.error
    assert error is not None
    return error.cause.message if error.cause else error.message


def test_nine_assets_with_the_edges_of_the_api(project: Path, api: StacApi) -> None:
    specs = build_definitions(settings_for(api)).resolve_all_asset_specs()
    assert {s.key.to_user_string(): {d.asset_key.to_user_string() for d in s.deps} for s in specs} == EDGES
    assert set(EDGES) == {*ENDPOINTS, "stac_api"}
    for spec in specs:
        if spec.key.to_user_string() == "stac_api":
            assert spec.metadata["url"].value == api.url
            continue
        assert spec.description and spec.group_name
        assert {"dlt", "duckdb"} <= spec.kinds
        assert spec.metadata["dagster/table_name"] == f"pystac_client_data.{spec.key.to_user_string()}"


def test_partition_keys_read_collection_and_date(project: Path, api: StacApi) -> None:
    settings = settings_for(api, collections=["c1", "c2"], **DAYS)
    assert item_partitions(Catalog(settings)).get_partition_keys() == [
        f"{collection}|2024-01-0{day}" for collection in ("c1", "c2") for day in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("granularity", "start", "end", "keys"),
    [
        (Granularity.WEEKLY, "2024-01-03", "2024-01-15", ["2024-01-01", "2024-01-08", "2024-01-15"]),
        (Granularity.MONTHLY, "2024-01-31", "2024-03-01", ["2024-01-01", "2024-02-01", "2024-03-01"]),
        (Granularity.YEARLY, "2023-12-31", "2024-01-01", ["2023-01-01", "2024-01-01"]),
    ],
)
def test_a_start_inside_a_window_begins_that_window(
    project: Path, api: StacApi, granularity: str, start: str, end: str, keys: list[str]
) -> None:
    settings = settings_for(api, granularity=granularity, start_date=start, end_date=end)
    found = item_partitions(Catalog(settings)).get_partition_keys()
    assert found == [f"c1|{key}" for key in keys]
    assert list(windows_of(found, settings)) == settings.windows("c1")


def test_the_open_window_is_a_partition(project: Path, api: StacApi) -> None:
    from datetime import UTC, datetime

    today = datetime.now(UTC).date().isoformat()
    keys = item_partitions(Catalog(settings_for(api, start_date="2024-01-01"))).get_partition_keys()
    assert keys[-1] >= f"c1|{today}"


def test_a_partition_is_materialized_and_told(instance: dg.DagsterInstance, api: StacApi) -> None:
    item = make_item("a", datetime="2024-01-02T10:00:00Z")
    item["properties"]["eo:cloud_cover"] = 5
    api.put(item)
    api.put(make_item("elsewhere", start="2024-01-01T10:00:00Z", end="2024-01-02T10:00:00Z"))
    result = Runs(api, instance)("search", "c1|2024-01-02")
    assert result.success
    assert ids() == ["a"]
    metadata = told(result)["c1|2024-01-02"]
    assert metadata["items"] == metadata["dagster/partition_row_count"] == 1
    assert metadata["items_owned_elsewhere"] == 1
    assert metadata["first_datetime"] == "2024-01-02T10:00:00+00:00"
    assert metadata["complete"] is True
    assert "eo_cloud_cover" in {column.name for column in metadata["dagster/column_schema"].columns}


@pytest.mark.parametrize(
    ("destination", "told"),
    [("duckdbb", "there is no destination 'duckdbb'"), ("postgres", "postgres needs credentials (")],
)
def test_a_destination_that_is_not_configured_is_told_in_a_line(
    instance: dg.DagsterInstance, api: StacApi, destination: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("DESTINATION__")]:
        monkeypatch.delenv(name)
    result = Runs(api, instance, destination=destination)("search", "c1|2024-01-02")
    (event,) = result.get_step_failure_events()
    assert event.step_failure_data.error is not None
    cause = event.step_failure_data.error.cause
    assert cause is not None and cause.cause is None and cause.context is None
    assert told in cause.message and len(cause.message.splitlines()) == 1
    assert not api.requests


def test_a_range_of_collections_and_dates_is_one_run_with_figures_of_each(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    for collection in ("c1", "c2"):
        for day in (1, 2, 2):
            name = f"{collection}-{day}-{len(api.requests)}-{day * 7}"
            api.put(make_item(name, collection=collection, datetime=f"2024-01-0{day}T00:00:00Z"))
    result = Runs(api, instance, collections=["c1", "c2"])("search", "c1|2024-01-01", "c2|2024-01-03")
    assert result.success
    assert {key: found["items"] for key, found in told(result).items()} == {
        f"{collection}|2024-01-0{day}": count
        for collection in ("c1", "c2")
        for day, count in ((1, 1), (2, 1), (3, 0))
    }
    assert len(rows()) == 4


def test_an_empty_partition_is_materialized(instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a"))
    runs = Runs(api, instance)
    assert runs("search", "c1|2024-01-01").success
    api.remove("c1", "a")
    result = runs("search", "c1|2024-01-01")
    assert result.success
    assert told(result)["c1|2024-01-01"]["items"] == 0
    assert rows() == []


def test_what_succeeded_is_reported_and_the_run_fails_naming_the_rest(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    api.put(make_item("first", datetime="2024-01-01T10:00:00Z"))
    api.put(make_item("second", datetime="2024-01-02T10:00:00Z"))
    runs = Runs(api, instance)
    assert runs("search", "c1|2024-01-01", "c1|2024-01-02").success
    before = without_load_id(rows())
    stored = instance.fetch_materializations(dg.AssetKey("search"), limit=1).records[0].storage_id
    api.put(make_item("late", datetime="2024-01-01T11:00:00Z"))
    api.fault(
        lambda request: "2024-01-02T00:00:00Z/" in str((request.body or {}).get("datetime")),
        times=None,
        status=400,
    )
    result = runs("search", "c1|2024-01-01", "c1|2024-01-02")
    assert not result.success
    assert "c1, 2024-01-02" in failure(result)
    events = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey("search"), after_storage_id=stored), limit=10
    ).records
    assert [event.partition_key for event in events] == ["c1|2024-01-01"]
    assert ids(day="2024-01-01") == ["first", "late"]
    assert [row for row in without_load_id(rows()) if row["id"] == "second"] == [
        row for row in before if row["id"] == "second"
    ]


def test_the_whole_catalog_is_materialized(instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a"))
    runs = Runs(api, instance)
    for name in ("client_root", "conformance", "landing_pages", "collections", "queryables"):
        result = runs(name)
        assert result.success, failure(result)
        assert told(result)[None]["rows"] == len(rows(name)) > 0
    result = runs("collection", "c1")
    assert told(result)["c1"]["rows"] == 1
    assert [row["id"] for row in rows("collection")] == ["c1"]
    assert runs("collection_items", "c1|2024-01-01").success
    assert ids("collection_items") == ["a"]


def test_item_refreshes_what_search_holds_or_the_ids_given(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    for name in ("a", "b", "c"):
        api.put(make_item(name))
    runs = Runs(api, instance, item_limit=2)
    assert runs("search", "c1|2024-01-01").success
    assert runs("item", "c1|2024-01-01").success
    assert ids("item") == ["a", "b"]
    assert runs("item", "c1|2024-01-01", config={"ids": ["c"]}).success
    assert ids("item") == ["a", "b", "c"]
    api.remove("c1", "b")
    assert runs("item", "c1|2024-01-01").success
    assert ids("item") == ["a", "c"]


def test_all_collections_become_partitions_when_they_are_known(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    api.put(make_item("a", collection="c1"))
    api.put(make_item("b", collection="c2"))
    runs = Runs(api, instance, collections="*")
    assert runs("collections").success
    assert [request.path for request in api.requests].count("/collections") == 1
    assert instance.get_dynamic_partitions(f"collections of {api.url}") == ["c1", "c2"]
    assert runs("search", "c2|2024-01-01").success
    assert ids() == ["b"]


def test_a_run_without_a_partition_that_exists_says_so(instance: dg.DagsterInstance, api: StacApi) -> None:
    result = Runs(api, instance, collections=["c1", "c2"])("search", "c2|2024-01-01", "c1|2024-01-01")
    assert not result.success
    assert "names no partition that exists" in failure(result)


def _environment(project: Path, **settings: str) -> dict[str, str]:
    given = {f"SOURCES__PYSTAC_CLIENT_SOURCE__{name.upper()}": value for name, value in settings.items()}
    return {**os.environ, **given}


def _dagster(project: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dagster", *arguments]
    environment = _environment(project, **settings)
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)


def test_dagster_asset_materialize(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    select = ["asset", "materialize", "-m", "stac_assets.definitions", "--select", "search", "--partition"]
    done = _dagster(project, *select, "c1|2024-01-01", base_url=api.url, collections="c1")
    assert done.returncode == 0, done.stderr
    assert ids() == ["a"]
    refused = _dagster(project, *select, "c1|1999-01-01", base_url=api.url, collections="c1")
    assert refused.returncode != 0
    assert "1999-01-01" in refused.stderr
    assert "Traceback" not in refused.stderr and "expected one of c1 | 2024-01-01 … " in refused.stderr
    refused = _dagster(project, *select, "c1|2024-01-01", base_url=api.url, collections="*")
    assert refused.returncode != 0
    (line,) = [line for line in refused.stderr.splitlines() if line.startswith("Error: ")]
    assert "materialized; do that first" in line and "Traceback" not in refused.stderr


def test_dagster_definitions_validate(project: Path) -> None:
    done = _dagster(project, "definitions", "validate", "-m", "stac_assets.definitions")
    assert done.returncode == 0, done.stderr


def test_definitions_load_without_network_and_files(project: Path) -> None:
    before = sorted(project.rglob("*"))
    script = """
import sys
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise SystemExit(f"network: {event} {arguments}")
sys.addaudithook(hook)
from stac_assets.catalog import Catalog
from stac_assets.definitions import defs
import json
print(json.dumps(sorted(spec.key.to_user_string() for spec in defs.resolve_all_asset_specs())))
"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=project, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sorted([*ENDPOINTS, "stac_api"])
    assert sorted(project.rglob("*")) == before
    assert not (project.parent / "dlt-data").exists()
