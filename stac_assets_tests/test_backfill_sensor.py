"""`backfill_sensor`, through a real Dagster instance: what was never loaded is asked for, once."""

from typing import Any

import dagster as dg
import pytest

from stac_assets.orchestration.sensors.budget import MAX_RUNS
from stac_assets.stac.errors import StacError
from stac_assets_tests.loads import DUCKDB_FILE
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_sensors import NOW, Sensors

SEARCH = dg.AssetKey("search")
NAME = "backfill_sensor"
DAYS = {"start_date": "2024-06-11", "end_date": "2024-06-14"}


class Backfills(Sensors):
    """The sensor, and Dagster's runs of what it requests."""

    def asked(self) -> list[list[str]]:
        """The partitions of each run that a tick requests."""
        return [self.keys(request) for request in self.requests()]

    def requests(self) -> list[dg.RunRequest]:
        return list(self.tick(NAME).run_requests or [])

    def reason(self) -> str:
        """Why a tick requests nothing."""
        found = self.tick(NAME)
        assert found.skip_message and not found.run_requests
        return found.skip_message

    def queue(self, request: dg.RunRequest) -> dg.DagsterRun:
        """The run of a request as the daemon makes it, which does not begin."""
        job = self.repository.get_job(str(request.job_name))
        partition = {"dagster/partition": request.partition_key} if request.partition_key else {}
        return self.instance.create_run_for_job(
            job.get_subset(asset_selection=set(request.asset_selection or ())),
            status=dg.DagsterRunStatus.NOT_STARTED,
            tags={
                **request.tags,
                **partition,
                "dagster/sensor_name": NAME,
                "dagster/run_key": str(request.run_key),
            },
        )

    def materialize(self, *partitions: str) -> None:
        """Say that these were loaded."""
        for partition in partitions:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(SEARCH, partition=partition))


def days(collection: str, *numbers: int) -> list[str]:
    return [f"{collection}|2024-06-{number:02}" for number in numbers]


def test_what_was_never_loaded_is_asked_for_and_then_nothing(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    api.put(make_item("a", "c1", "2024-06-12T10:00:00Z"))
    api.put(make_item("b", "c2", "2024-06-14T10:00:00Z"))
    sensor = Backfills(api, instance, collections=["c1", "c2"], **DAYS)
    requests = sensor.requests()
    assert list(map(sensor.keys, requests)) == [days("c1", 11, 12, 13, 14), days("c2", 11, 12, 13, 14)]
    assert all(request.asset_selection == [SEARCH] for request in requests)
    assert not api.requests and not DUCKDB_FILE.exists()
    assert [request.run_key for request in sensor.requests()] == [request.run_key for request in requests]
    for request in requests:
        assert sensor.run(request).success
    assert sensor.reason() == "2 collections: every partition was loaded once"


def test_gaps_are_runs_of_neighbours_the_newest_first(instance: dg.DagsterInstance, api: StacApi) -> None:
    sensor = Backfills(
        api, instance, start_date="2024-06-01", end_date="2024-06-12", max_partitions_per_run=3
    )
    sensor.materialize(*days("c1", 5, 11))
    assert sensor.asked() == [
        days("c1", 12),
        days("c1", 9, 10),
        days("c1", 6, 7, 8),
        days("c1", 4),
        days("c1", 1, 2, 3),
    ]


def test_days_to_come_are_asked_for_after_those_that_have_begun(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    today = NOW.day
    settings = {"start_date": "2024-06-10", "end_date": "2024-06-20", "max_partitions_per_run": 2}
    sensor = Backfills(api, instance, collections=["c1"], **settings)
    firsts = [int(keys[0][-2:]) for keys in sensor.asked()]
    begun = [day for day in firsts if day <= today]
    assert firsts == sorted(begun, reverse=True) + sorted(set(firsts) - set(begun))
    sensor.configure(api, start_date="2024-06-13")
    assert sensor.asked() == [days("c1", 13, 14, 15)]


def test_a_tick_asks_for_so_many_runs_and_waits_for_them(instance: dg.DagsterInstance, api: StacApi) -> None:
    collections = [f"c{number}" for number in range(MAX_RUNS + 5)]
    sensor = Backfills(api, instance, collections=collections, **DAYS)
    runs = [sensor.queue(request) for request in sensor.requests()]
    assert len(runs) == MAX_RUNS
    waiting = sensor.reason()
    assert "20 partitions that were never loaded are left for the next ticks" in waiting
    assert f"{4 * MAX_RUNS} partitions are being loaded" in waiting
    instance.report_run_canceled(runs[0])
    instance.report_run_canceled(runs[1])
    assert sensor.asked() == [days("c20", 11, 12, 13, 14), days("c21", 11, 12, 13, 14)]


def test_what_failed_is_named_and_not_asked_for_again(instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a", "c1", "2024-06-12T10:00:00Z"))
    sensor = Backfills(api, instance, **DAYS)
    api.fault(lambda request: "2024-06-13T00:00:00Z/" in str(request.body), times=None, status=400)
    (request,) = sensor.requests()
    with pytest.raises(StacError):
        sensor.run(request)
    (run,) = instance.get_runs(limit=1)
    told = sensor.reason()
    assert f"1 partition failed and not asked for again: c1|2024-06-13 (run {run.run_id})" in told
    assert "start a backfill" in told
    api.faults.clear()
    job = sensor.repository.get_job(str(request.job_name))
    assert job.execute_in_process(
        instance=instance, asset_selection=[SEARCH], partition_key="c1|2024-06-13"
    ).success
    assert "every partition was loaded once" in sensor.reason()


def test_a_run_of_others_is_waited_for_and_a_backfill_too(
    instance: dg.DagsterInstance, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Backfills(api, instance, **DAYS)
    tags = {
        "dagster/asset_partition_range_start": "c1|2024-06-12",
        "dagster/asset_partition_range_end": "c1|2024-06-13",
    }
    run = dg.DagsterRun(job_name="x", status=dg.DagsterRunStatus.STARTED, tags=tags)
    instance.add_run(run)
    assert sensor.asked() == [days("c1", 14), days("c1", 11)]
    _start_backfill(sensor, days("c1", 11))
    assert "waits for the end of backfill" in sensor.reason()


def _start_backfill(sensor: Backfills, partitions: list[str]) -> None:
    """A backfill of search that has made no run yet, as the UI starts it."""
    from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

    graph = sensor.repository.asset_graph
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id="of-somebody",
        asset_graph=graph,
        partition_names=partitions,
        asset_selection=[SEARCH],
        backfill_timestamp=NOW.timestamp(),
        tags={},
        dynamic_partitions_store=sensor.instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    assert backfill.status is BulkActionStatus.REQUESTED
    sensor.instance.add_backfill(backfill)


def test_what_was_wiped_is_asked_for_under_another_key(instance: dg.DagsterInstance, api: StacApi) -> None:
    sensor = Backfills(api, instance, **DAYS)
    (first,) = sensor.requests()
    instance.report_run_canceled(sensor.queue(first))
    sensor.materialize(*sensor.keys(first))
    assert "every partition" in sensor.reason()
    instance.wipe_assets([SEARCH])
    (second,) = sensor.requests()
    assert sensor.keys(second) == sensor.keys(first) and second.run_key != first.run_key


def test_several_item_assets_are_loaded_together(instance: dg.DagsterInstance, api: StacApi) -> None:
    sensor = Backfills(api, instance, item_assets=["search", "collection_items"], **DAYS)
    sensor.materialize(*days("c1", 11, 12, 13, 14))
    (request,) = sensor.requests()
    assert request.asset_selection == [SEARCH, dg.AssetKey("collection_items")]
    assert sensor.keys(request) == days("c1", 11, 12, 13, 14)


def test_collections_of_the_api_are_not_asked_for(instance: dg.DagsterInstance, api: StacApi) -> None:
    sensor = Backfills(api, instance, collections="*", **DAYS)
    instance.add_dynamic_partitions(
        "collections", ["c1"]
    )  # those of version 0.1.0, which the API would confirm
    assert "no collection is known yet: turn on new_collections_sensor" in sensor.reason()
    instance.add_dynamic_partitions(f"collections of {api.url}", ["c1"])
    assert sensor.asked() == [days("c1", 11, 12, 13, 14)]
    assert not api.requests


def test_it_is_off_and_teaches(project: Any, api: StacApi, instance: dg.DagsterInstance) -> None:
    sensor = Backfills(api, instance, max_partitions_per_run=77).repository.get_sensor_def(NAME)
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    assert sensor.description and "77 partitions" in sensor.description
