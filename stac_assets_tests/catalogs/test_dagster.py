"""Several catalogs in Dagster: a group each, runs that load into a schema each, and nothing that clashes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets import build_definitions
from stac_assets.catalog import read_catalogs
from stac_assets.orchestration.build import definitions_of, with_executor
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.catalogs.naming import configure, variable
from stac_assets_tests.commands import BIN
from stac_assets_tests.loads import QUICK
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_merging import guest, tick

BOTH = "SELECT 'east' AS catalog, id FROM east.search UNION ALL SELECT 'west', id FROM west.search ORDER BY 1"
E, W = {"catalog": "east", "id": "e"}, {"catalog": "west", "id": "w"}


@pytest.fixture
def apis() -> Iterator[tuple[StacApi, StacApi]]:
    with StacApi(items=[make_item("e", "c1")]) as east, StacApi(items=[make_item("w", "c2")]) as west:
        yield east, west


@pytest.fixture
def configured(project: Path, apis: tuple[StacApi, StacApi], monkeypatch: pytest.MonkeyPatch) -> None:
    east, west = (dict[str, Any](base_url=api.url) for api in apis)
    west["collections"] = ["c2"]
    configure(project, monkeypatch, common=QUICK, east=east, west=west)


def materialize(definitions: dg.Definitions, instance: Any, key: str, partition: str | None = None) -> Any:
    job = definitions.resolve_implicit_global_asset_job_def()
    selected = [dg.AssetKey.from_user_string(key)]
    return job.execute_in_process(instance=instance, asset_selection=selected, partition_key=partition)


@pytest.mark.usefixtures("configured")
def test_each_is_a_group_with_names_of_its_own() -> None:
    definitions = build_definitions()
    graph, repository = definitions.resolve_asset_graph(), definitions.get_repository_def()
    groups: dict[str | None, set[str]] = {}
    for key in graph.get_all_asset_keys():
        groups.setdefault(graph.get(key).group_name, set()).add(key.to_user_string())
    ours = {*ENDPOINTS, "stac_api"}
    assert groups == {name: {f"{name}/{key}" for key in ours} for name in ("east", "west")}
    jobs = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert jobs == {f"{name}_{job}" for name in ("east", "west") for job in ("items_job", "catalog_job")}
    assert {each.name for each in repository.schedule_defs} == {
        f"{name}_{each}_schedule" for name in ("east", "west") for each in ("items", "catalog")
    }
    assert {each.name for each in repository.sensor_defs} == {
        f"{name}_{each}_sensor"
        for name in ("east", "west")
        for each in ("new_items", "new_collections", "backfill")
    }
    checks = {key.asset_key.path[0]: key.name for key in graph.asset_check_keys}
    assert set(checks) == {"east", "west"}


@pytest.mark.usefixtures("configured")
def test_each_has_its_own_partitions_and_is_loaded_into_its_own_schema(
    apis: tuple[StacApi, StacApi], instance: dg.DagsterInstance
) -> None:
    definitions = build_definitions()
    assert materialize(definitions, instance, "east/collections").success
    assert instance.get_dynamic_partitions("collections of east") == ["c1"]
    assert not instance.get_dynamic_partitions("collections of west")
    assert materialize(definitions, instance, "east/search", "c1|2024-01-01").success
    result = materialize(definitions, instance, "west/search", "c2|2024-01-01")
    assert query(BOTH) == [E, W]
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["dagster/table_name"].value == "west.search"
    passed = {check.check_name for check in result.get_asset_check_evaluations() if check.passed}
    assert {"row_count", "unique_items", "schema"} <= passed
    assert instance.get_materialized_partitions(dg.AssetKey(["west", "search"])) == {"c2|2024-01-01"}
    apis[1].clear()
    apis[0].put(make_item("e2", "c1"))
    assert materialize(definitions, instance, "east/search", "c1|2024-01-01").success
    assert query(BOTH) == [E, {**E, "id": "e2"}, W]


@pytest.mark.usefixtures("configured")
def test_its_schedules_and_sensors_ask_its_own_api(
    apis: tuple[StacApi, StacApi], instance: dg.DagsterInstance
) -> None:
    east, west = apis
    definitions = build_definitions()
    (found,) = tick(definitions, "west_items_schedule", instance).run_requests
    assert found.partition_key == "c2|2024-01-01"
    tick(definitions, "west_new_items_sensor", instance)
    assert west.requests and not east.requests
    (requested,) = tick(definitions, "east_new_collections_sensor", instance).dynamic_partitions_requests
    assert requested.partitions_def_name == "collections of east"
    assert east.requests


@pytest.mark.usefixtures("configured")
def test_dagsters_own_command_loads_what_the_project_configures(project: Path) -> None:
    """As `dagster dev` does, it reads `defs` in a process of its own."""
    command = [f"{BIN}/dagster", "asset", "materialize", "-m", "stac_assets.definitions"]
    command += ["--select", "west/search", "--partition", "c2|2024-01-01"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "stac_assets: west: " in done.stderr and "stac_assets: east: " in done.stderr
    assert query("SELECT id FROM west.search") == [{"id": "w"}]


def test_catalogs_of_python_are_merged_with_a_guest_and_load_with_their_arguments(
    project: Path, apis: tuple[StacApi, StacApi], instance: dg.DagsterInstance
) -> None:
    """Nothing of them is configured: a run asks what the arguments name, and signs as they say."""
    east, west = apis
    east.token, west.token = "of-the-east", "of-the-west"
    common: dict[str, Any] = {**QUICK, "start_date": "2024-01-01", "collections": ["c1"]}
    definitions = dg.Definitions.merge(
        guest(),
        build_definitions("east", base_url=east.url, api_key="of-the-east", page_size=7, **common),
        build_definitions("west", base_url=west.url, api_key="of-the-west", **{**common, "collections": "*"}),
    )
    assert definitions.executor is dg.multiprocess_executor
    assert materialize(definitions, instance, "west/collections").success
    for key, partition in (("east/search", "c1|2024-01-01"), ("west/search", "c2|2024-01-01")):
        assert materialize(definitions, instance, key, partition).success
    assert query(BOTH) == [E, W]
    assert {request.body["limit"] for request in east.requests if request.body} <= {7, 1}
    tick(definitions, "east_new_items_sensor", instance)
    assert east.requests[-1].headers["authorization"] == "Bearer of-the-east"


@pytest.mark.usefixtures("configured")
def test_the_executor_of_what_is_materialized_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of the catalogs if they agree, or else the common one; jobs have their own."""

    def executors() -> list[Any]:
        catalogs = read_catalogs()
        built = with_executor(definitions_of(catalogs), catalogs)
        jobs = [built.resolve_job_def(f"{name}_items_job").executor_def for name in ("east", "west")]
        return [built.executor, *jobs]

    single, multi = dg.in_process_executor, dg.multiprocess_executor
    assert executors() == [single, single, single]
    monkeypatch.setenv(variable("west", "executor"), "multiprocess")
    assert executors() == [single, single, multi]
    monkeypatch.setenv(variable("east", "executor"), "multiprocess")
    assert executors() == [multi, multi, multi]


@pytest.mark.usefixtures("configured")
def test_arguments_count_for_all_catalogs() -> None:
    definitions = build_definitions(item_assets=["collection_items"])
    for name in ("east", "west"):
        job = definitions.resolve_job_def(f"{name}_items_job")
        assert job.asset_layer.executable_asset_keys == {dg.AssetKey([name, "collection_items"])}
