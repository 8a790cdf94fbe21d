"""Definitions of several catalogs beside those of somebody else: no name of one is one of the other."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.catalog import Catalog
from stac_assets.definitions import build_definitions
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.loads import DATASET, query, settings_for
from stac_assets_tests.stac_api import StacApi, make_item

GUEST_KEYS = ["books", "stamps"]


class GuestResource(dg.ConfigurableResource):
    """A resource of somebody who uses dagster-dlt too."""

    greeting: str = "hello"


def guest() -> dg.Definitions:
    """Somebody's own definitions: an executor, a resource `dlt`, and dynamic partitions `collections`."""

    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="collections"))
    def collected(dlt: GuestResource) -> str:
        return dlt.greeting

    @dg.asset(deps=["search"])
    def report() -> None: ...

    return dg.Definitions(
        assets=[collected, report],
        jobs=[dg.define_asset_job("reports", [report])],
        resources={"dlt": GuestResource()},
        executor=dg.multiprocess_executor,
    )


def merged(api: StacApi, **settings: Any) -> dg.Definitions:
    """Three catalogs and the guest."""
    catalogs = [Catalog(settings_for(api, **settings), name) for name in (None, "east", "west")]
    return dg.Definitions.merge(guest(), *map(build_definitions, catalogs))


def tick(definitions: dg.Definitions, name: str, instance: dg.DagsterInstance) -> Any:
    """One evaluation of a sensor or schedule."""
    repository = definitions.get_repository_def()
    if name.endswith("_sensor"):
        with dg.build_sensor_context(instance=instance, repository_def=repository) as sensing:
            return repository.get_sensor_def(name).evaluate_tick(sensing)
    at = datetime(2024, 1, 2, 6, tzinfo=UTC)
    with dg.build_schedule_context(
        instance, scheduled_execution_time=at, repository_def=repository
    ) as scheduled:
        return repository.get_schedule_def(name).evaluate_tick(scheduled)


def test_three_catalogs_are_merged_with_a_guest(project: Path, api: StacApi) -> None:
    definitions = merged(api, collections="*")
    repository = definitions.get_repository_def()
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    ours = {*ENDPOINTS, "stac_api"}
    assert keys == {*ours, *(f"{name}/{key}" for name in ("east", "west") for key in ours)} | {
        "collected",
        "report",
    }
    jobs = {job.name for job in repository.get_all_jobs()}
    assert {"reports", "items_job", "east_items_job", "west_catalog_job"} <= jobs
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}
    assert len(sensors) == 9 and "east_new_items_sensor" in sensors
    assert len(repository.schedule_defs) == 6
    east = definitions.resolve_asset_graph().get(dg.AssetKey(["east", "search"]))
    assert east.group_name == "east"
    assert {key.to_user_string() for key in east.parent_keys} == {"east/collection"}
    assert definitions.executor is dg.multiprocess_executor
    assert repository.get_job("east_items_job").executor_def is dg.in_process_executor


def test_a_guest_keeps_its_resource_and_its_partitions(
    api: StacApi, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sensor of version 0.1.0 deleted all keys of `collections` that the API did not list."""
    api.put(make_item("a"))
    instance.add_dynamic_partitions("collections", [*GUEST_KEYS, "c1"])
    definitions = merged(api, collections="*")
    for name in ("new_collections_sensor", "east_new_collections_sensor"):
        requests = tick(definitions, name, instance).dynamic_partitions_requests
        assert requests and {request.partitions_def_name for request in requests} == {
            "collections of east" if name.startswith("east") else f"collections of {api.url}"
        }
        for request in requests:
            assert isinstance(request, dg.AddDynamicPartitionsRequest)
            assert list(request.partition_keys) == ["c1"]
    job = definitions.resolve_implicit_global_asset_job_def()
    for asset, partition in (("collected", "books"), ("collections", None)):
        result = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(asset)], partition_key=partition
        )
        assert result.success
    assert instance.get_dynamic_partitions("collections") == [*GUEST_KEYS, "c1"]
    assert instance.get_dynamic_partitions(f"collections of {api.url}") == ["c1"]


@pytest.mark.parametrize("name", ["items_schedule", "catalog_schedule", "new_items_sensor"])
def test_keys_of_version_0_1_0_are_found_again(api: StacApi, instance: dg.DagsterInstance, name: str) -> None:
    """Whatever is evaluated first takes over, in their order, the keys that the API lists."""
    api.put(make_item("a", "c1", "2024-01-01T10:00:00Z"))
    api.put(make_item("b", "c2", "2024-01-01T10:00:00Z"))
    instance.add_dynamic_partitions("collections", ["c2", *GUEST_KEYS, "c1"])
    definitions = build_definitions(Catalog(settings_for(api, collections="*", rescan_days=0)))
    found = tick(definitions, name, instance)
    if name == "new_items_sensor":
        assert "c1: " in found.skip_message and "c2: " in found.skip_message
    else:
        last = found.run_requests[-1].tags
        assert last["dagster/asset_partition_range_start"].startswith("c2")
        assert last["dagster/asset_partition_range_end"].startswith("c1")
    assert instance.get_dynamic_partitions(f"collections of {api.url}") == ["c2", "c1"]
    assert instance.get_dynamic_partitions("collections") == ["c2", *GUEST_KEYS, "c1"]


def test_a_tick_whose_api_is_down_takes_nothing_over(api: StacApi, instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("collections", ["c1"])
    api.fault("/", times=None, drop=True)
    definitions = build_definitions(Catalog(settings_for(api, collections="*")))
    for name in ("new_items_sensor", "items_schedule"):
        assert "as the API failed" in str(tick(definitions, name, instance).skip_message)
    assert len(tick(definitions, "catalog_schedule", instance).run_requests) == 1
    assert not instance.get_dynamic_partitions(f"collections of {api.url}")


def test_definitions_as_version_0_1_0_built_them(project: Path, api: StacApi) -> None:
    """`build_definitions(read_settings())` gives its runs the executor of the settings, as it did."""
    definitions = build_definitions(settings_for(api, executor="multiprocess"))
    assert definitions.executor is dg.multiprocess_executor
    assert definitions.resolve_job_def("items_job").executor_def is dg.multiprocess_executor


def test_one_catalog_is_given_in_python(api: StacApi, instance: dg.DagsterInstance) -> None:
    """Its tables are in a dataset of its own, beside those of the project's."""
    api.put(make_item("a"))
    given: Any = {"base_url": api.url, "collections": ["c1"], "start_date": "2024-01-01"}
    for name in (None, "east"):
        job = build_definitions(name, **given).resolve_implicit_global_asset_job_def()
        search = dg.AssetKey([name, "search"] if name else ["search"])
        day = "c1|2024-01-01"
        result = job.execute_in_process(instance=instance, asset_selection=[search], partition_key=day)
        assert result.success
        assert instance.get_materialized_partitions(search) == {day}
        (rows,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "row_count"]
        assert rows.asset_key == search and rows.passed
        table = f"{name or DATASET}.search"
        assert query(f"SELECT id FROM {table}") == [{"id": "a"}]
        (event,) = result.get_asset_materialization_events()
        assert event.materialization.metadata["dagster/table_name"].value == table
