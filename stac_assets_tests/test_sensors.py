"""The sensors, through a real Dagster instance, against a real API that changes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from stac_assets.catalog import Catalog
from stac_assets.orchestration.assets import build_assets
from stac_assets.orchestration.partitions import RANGE_END, RANGE_START, item_partitions
from stac_assets.orchestration.sensors.budget import MAX_REQUESTS, MAX_RUNS
from stac_assets.orchestration.sensors.busy import PARTITION
from stac_assets.orchestration.sensors.definitions import build_sensors
from stac_assets_tests.loads import DUCKDB_FILE, ids, settings_for
from stac_assets_tests.stac_api import StacApi, make_item

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC)
STARTED = dg.DagsterRunStatus.STARTED


class Sensors:
    """The sensors of an API, whose ticks follow one another; as the daemon does, it keeps their cursors."""

    def __init__(self, api: StacApi, instance: dg.DagsterInstance, **settings: Any) -> None:
        self.instance = instance
        self.cursors: dict[str, str | None] = {}
        self.configure(api, **settings)

    def configure(self, api: StacApi | str, **settings: Any) -> None:
        """Other settings, for the cursors that are there."""
        self.settings = settings_for(api, **{"watch_days": 10, **settings})
        self.repository = dg.Definitions(
            assets=build_assets(Catalog(self.settings)),
            sensors=build_sensors(Catalog(self.settings), now=lambda: NOW),
            executor=dg.in_process_executor,
        ).get_repository_def()

    def tick(self, name: str = "new_items_sensor") -> Any:
        """One evaluation, as the daemon has it: run requests are checked and resolved."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursors.get(name), repository_def=self.repository
        ) as context:
            found = self.repository.get_sensor_def(name).evaluate_tick(context)
        self.cursors[name] = found.cursor
        return found

    def requested(self) -> list[str]:
        """The partitions that a tick requests."""
        return [key for request in self.tick().run_requests or [] for key in self.keys(request)]

    def keys(self, request: dg.RunRequest) -> list[str]:
        """The partitions of a run, as Dagster expands them."""
        if request.partition_key:
            return [request.partition_key]
        ends = dg.PartitionKeyRange(request.tags[RANGE_START], request.tags[RANGE_END])
        partitions = item_partitions(Catalog(self.settings))
        return [str(key) for key in partitions.get_partition_keys_in_range(ends, self.instance)]

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """The run that a request is for."""
        job = self.repository.get_job(str(request.job_name))
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=request.asset_selection,
            partition_key=request.partition_key,
            tags={**request.tags, "dagster/run_key": str(request.run_key)},
        )

    def add_collections(self) -> None:
        """What the daemon does with the requests of new_collections_sensor."""
        for request in self.tick("new_collections_sensor").dynamic_partitions_requests or []:
            for key in request.partition_keys:
                if isinstance(request, dg.AddDynamicPartitionsRequest):
                    self.instance.add_dynamic_partitions(request.partitions_def_name, [key])
                else:
                    self.instance.delete_dynamic_partition(request.partitions_def_name, key)


def put(
    api: StacApi, name: str, day: str, updated: str = "2024-06-15T07:00:00Z", collection: str = "c1"
) -> None:
    """Add an item of a day, or change it."""
    api.put(make_item(name, collection, f"{day}T10:00:00Z", updated=updated))


@pytest.fixture
def modern(api: StacApi) -> StacApi:
    """An API that filters and sorts, and holds an item."""
    api.extensions = ("filter", "sortby")
    put(api, "old", "2024-06-01", "2024-06-01T12:00:00Z")
    return api


def text(found: Any) -> str:
    """Why a tick requests nothing."""
    assert found.skip_message and not found.run_requests
    return found.skip_message


def test_they_are_off_and_teach(project: Any, api: StacApi) -> None:
    items, collections, _ = build_sensors(
        Catalog(settings_for(api, sensor_seconds=77, item_assets=["search", "item"]))
    )
    assert [items.name, collections.name] == ["new_items_sensor", "new_collections_sensor"]
    for sensor in (items, collections):
        assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
        assert sensor.minimum_interval_seconds == 77
        assert sensor.description
    assert items.asset_selection == dg.AssetSelection.assets("search", "item")


def test_the_first_tick_requests_nothing_and_the_next_just_what_changed(
    modern: StacApi, instance: dg.DagsterInstance
) -> None:
    sensors = Sensors(modern, instance)
    assert "baseline recorded" in text(sensors.tick())
    assert "strategy `updated`" in text(sensors.tick())
    put(modern, "today", "2024-06-15")
    put(modern, "late", "2024-05-20")
    put(modern, "old", "2024-06-01", "2024-06-15T07:00:00Z")
    found = sensors.tick()
    assert [request.partition_key for request in found.run_requests] == [
        "c1|2024-06-15",
        "c1|2024-06-01",
        "c1|2024-05-20",
    ]
    request = found.run_requests[0]
    assert request.asset_selection == [dg.AssetKey("search")]
    assert request.tags["stac/strategy"] == "updated"
    assert request.tags["dagster/partition"] == "c1|2024-06-15"
    assert request.run_key.startswith("c1|2024-06-15|2024-06-15T07:00:00.000Z|")
    assert "nothing new" in text(sensors.tick())


def test_what_is_requested_is_loaded_and_the_table_is_right(
    modern: StacApi, instance: dg.DagsterInstance
) -> None:
    sensors = Sensors(modern, instance, collections=["c1", "c2"], start_date="2024-05-01")
    put(modern, "there", "2024-06-01", collection="c2")
    sensors.tick()
    assert not DUCKDB_FILE.exists()
    for day in (9, 10, 11):
        put(modern, f"c2-{day}", f"2024-06-{day:02}", collection="c2")
    found = sensors.tick()
    assert sorted(map(sensors.keys, found.run_requests)) == [
        ["c2|2024-06-09", "c2|2024-06-10", "c2|2024-06-11"],
    ]
    assert not DUCKDB_FILE.exists()
    for request in found.run_requests:
        assert sensors.run(request).success
    assert ids() == ["c2-10", "c2-11", "c2-9"]
    partitions = instance.get_materialized_partitions(dg.AssetKey("search"))
    assert partitions == {key for request in found.run_requests for key in sensors.keys(request)}


def test_counts_find_what_was_deleted_and_the_run_removes_it(
    api: StacApi, instance: dg.DagsterInstance
) -> None:
    put(api, "a", "2024-06-14")
    put(api, "b", "2024-06-14")
    sensors = Sensors(api, instance, start_date="2024-06-01")
    assert "strategy `counts`" in text(sensors.tick())
    put(api, "c", "2024-06-14")
    (first,) = sensors.tick().run_requests
    assert sensors.run(first).success
    assert ids() == ["a", "b", "c"]
    api.remove("c1", "b")
    (second,) = sensors.tick().run_requests
    assert second.tags["stac/strategy"] == "counts"
    assert sensors.run(second).success
    assert ids() == ["a", "c"]
    put(api, "b", "2024-06-14")
    (third,) = sensors.tick().run_requests
    assert len({request.run_key for request in (first, second, third)}) == 3


def test_a_reset_cursor_does_not_bring_old_run_keys_again(api: StacApi, instance: dg.DagsterInstance) -> None:
    put(api, "a", "2024-06-14")
    sensors = Sensors(api, instance)
    keys = []
    for _ in range(2):
        sensors.cursors.clear()
        sensors.tick()
        put(api, "b", "2024-06-14")
        (request,) = sensors.tick().run_requests
        keys.append(request.run_key)
        tags = {**request.tags, "dagster/sensor_name": "new_items_sensor"}
        instance.add_run(dg.DagsterRun(job_name="x", status=dg.DagsterRunStatus.SUCCESS, tags=tags))
        api.remove("c1", "b")
    assert len(set(keys)) == 2


def test_the_same_cursor_gives_the_same_run_keys(modern: StacApi, instance: dg.DagsterInstance) -> None:
    """A tick that is evaluated again, because the daemon died, is not a second change."""
    sensors = Sensors(modern, instance)
    sensors.tick()
    cursor = sensors.cursors["new_items_sensor"]
    for day in (3, 4, 9):
        put(modern, f"n-{day}", f"2024-06-0{day}")
    first = [request.run_key for request in sensors.tick().run_requests]
    sensors.cursors["new_items_sensor"] = cursor
    assert [request.run_key for request in sensors.tick().run_requests] == first


@pytest.mark.parametrize(("items", "apart"), [(10_000, timedelta(milliseconds=50)), (2_000, timedelta(0))])
def test_a_burst_over_400_partitions_is_worked_off(
    modern: StacApi, instance: dg.DagsterInstance, items: int, apart: timedelta
) -> None:
    sensors = Sensors(modern, instance, start_date="2023-01-01", max_partitions_per_run=7)
    sensors.tick()
    start, days = datetime(2024, 6, 15, 7, tzinfo=UTC), []
    for n in range(items):
        day = str(NOW.date() - timedelta(days=n * 400 // items))
        put(modern, f"burst-{n}", day, (start + n * apart).isoformat())
        days.append(f"c1|{day}")
    modern.reset()
    found, keys, ticks = [], [], 0
    while True:
        data, ticks = sensors.tick(), ticks + 1
        assert len(modern.requests) <= MAX_REQUESTS
        assert len(data.run_requests or []) <= MAX_RUNS
        assert len(data.cursor) < 3000
        modern.reset()
        for request in data.run_requests or []:
            assert len(sensors.keys(request)) <= 7
            found += sensors.keys(request)
            keys.append(request.run_key)
        if not data.run_requests and "nothing new" in str(data.skip_message):
            break
    assert ticks > 3  # each of which was kept short by its caps
    assert set(found) == set(days) and len(set(found)) == 400
    assert len(keys) == len(set(keys))
    # a partition whose items came in two ticks is loaded after each, for it may have been loaded in between
    assert len(found) <= 400 + ticks


def test_partitions_in_flight_wait(modern: StacApi, instance: dg.DagsterInstance) -> None:
    sensors = Sensors(modern, instance, collections=["c1", "c2"])
    put(modern, "there", "2024-06-01", "2024-06-01T12:00:00Z", "c2")
    sensors.tick()

    def started(tags: dict[str, str], status: dg.DagsterRunStatus = STARTED, asset: str = "search") -> str:
        run = dg.DagsterRun(
            job_name="__ASSET_JOB",
            status=status,
            tags=tags,
            asset_selection=frozenset({dg.AssetKey(asset)}),
        )
        return instance.add_run(run).run_id

    single = started({PARTITION: "c1|2024-06-10"})
    backfill = started(
        {RANGE_START: "c1|2024-06-03", RANGE_END: "c2|2024-06-04", "dagster/backfill": "x"},
        dg.DagsterRunStatus.STARTING,
    )
    started({PARTITION: "c1|2024-06-12"}, asset="item")
    started({PARTITION: "c1|2024-06-12"}, dg.DagsterRunStatus.FAILURE)
    for day in ("03", "04", "10"):
        put(modern, f"n-{day}", f"2024-06-{day}")
    put(modern, "n-c2", "2024-06-04", collection="c2")
    held = text(sensors.tick())
    assert f"for the end of run {backfill}" in held
    put(modern, "free", "2024-06-12", "2024-06-15T08:00:00Z")
    assert sensors.requested() == ["c1|2024-06-12"]
    assert "3 partitions wait" in text(sensors.tick())
    _finish(instance, backfill)
    assert sensors.requested() == ["c1|2024-06-03", "c1|2024-06-04", "c2|2024-06-04"]
    assert f"waits for the end of run {single}" in text(sensors.tick())
    _finish(instance, single)
    assert sensors.requested() == ["c1|2024-06-10"]
    assert "nothing new" in text(sensors.tick())


def _finish(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_canceled(run)


def test_an_api_that_is_down_skips_and_keeps_the_cursor(
    modern: StacApi, instance: dg.DagsterInstance
) -> None:
    sensors = Sensors(modern, instance)
    sensors.tick()
    cursor = sensors.cursors["new_items_sensor"]
    put(modern, "today", "2024-06-15")
    modern.fault("/", times=None, drop=True)
    assert "the API failed" in text(sensors.tick())
    assert sensors.cursors["new_items_sensor"] == cursor
    assert "as the API failed" in text(sensors.tick("new_collections_sensor"))
    modern.faults.clear()
    assert sensors.requested() == ["c1|2024-06-15"]


def test_an_api_that_was_never_there_is_told(project: Any, instance: dg.DagsterInstance) -> None:
    with StacApi() as gone:
        url = gone.url
    sensors = Sensors(url, instance)  # pyright: ignore[reportArgumentType]
    assert "no answer from" in text(sensors.tick())
    assert "no answer from" in text(sensors.tick())


def test_no_time_left_is_no_error(
    modern: StacApi, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensors = Sensors(modern, instance)
    sensors.tick()
    put(modern, "today", "2024-06-15")
    monkeypatch.setattr("stac_assets.orchestration.sensors.new_items.MAX_SECONDS", 0)
    assert "requests or time ran out" in text(sensors.tick())
    monkeypatch.undo()
    assert sensors.requested() == ["c1|2024-06-15"]


def test_a_cursor_that_cannot_be_used_begins_anew(modern: StacApi, instance: dg.DagsterInstance) -> None:
    sensors = Sensors(modern, instance)
    sensors.tick()
    good = str(sensors.cursors["new_items_sensor"])
    for spoilt, why in (
        ("no JSON at all", "cannot be read"),
        (json.dumps({"c1": "2024-01-01"}), "cannot be read"),
        (good.replace('"version":1', '"version":99'), "version 99"),
        (good.replace('"since":"2', '"since":"x'), "cannot be read"),
    ):
        sensors.cursors["new_items_sensor"] = spoilt
        put(modern, "today", "2024-06-15")
        told = text(sensors.tick())
        assert why in told and "baseline recorded" in told
    put(modern, "later", "2024-06-14", "2024-06-15T08:00:00Z")
    assert sensors.requested() == ["c1|2024-06-14"]


def test_other_settings_begin_anew(modern: StacApi, instance: dg.DagsterInstance) -> None:
    instance.add_run(dg.DagsterRun(job_name="x", status=STARTED, tags={PARTITION: "c1|2024-06-14"}))
    with StacApi(items=[make_item("a")]) as other:
        for settings, why in (
            ({"granularity": "monthly"}, "another granularity"),
            ({"bbox": [0, 0, 90, 90]}, "another filters"),
            ({"base_url": other.url}, "another base_url"),
        ):
            sensors = Sensors(modern, instance)
            sensors.tick()
            put(modern, "waiting", "2024-06-14", f"2024-06-15T0{len(why) % 10}:00:00Z")
            assert "for the end of run" in text(sensors.tick())
            sensors.configure(modern, **settings)
            told = text(sensors.tick())
            assert why in told and "1 partition that was to be loaded is not any more" in told
            modern.remove("c1", "waiting")


def test_a_new_collection_has_its_own_baseline(modern: StacApi, instance: dg.DagsterInstance) -> None:
    sensors = Sensors(modern, instance)
    sensors.tick()
    put(modern, "there", "2024-06-01", collection="c2")
    put(modern, "today", "2024-06-15")
    sensors.configure(modern, collections=["c1", "c2"])
    assert sensors.requested() == ["c1|2024-06-15"]
    put(modern, "more", "2024-06-02", "2024-06-15T08:00:00Z", "c2")
    assert sensors.requested() == ["c2|2024-06-02"]


def test_many_collections_take_turns(api: StacApi, instance: dg.DagsterInstance) -> None:
    names = [f"c{n}" for n in range(12)]
    for name in names:
        put(api, "old", "2024-06-01", collection=name)
    sensors = Sensors(api, instance, collections=names)
    for _ in range(4):
        sensors.tick()
    for name in names:
        put(api, "new", "2024-06-14", collection=name)
    found = [key for _ in range(4) for key in sensors.requested()]
    assert sorted(found) == sorted(f"{name}|2024-06-14" for name in names)


def test_what_is_outside_of_the_settings_is_not_requested(
    modern: StacApi, instance: dg.DagsterInstance
) -> None:
    sensors = Sensors(modern, instance, start_date="2024-06-05")
    sensors.tick()
    put(modern, "before", "2024-06-04")
    put(modern, "tomorrow", "2024-06-16")
    assert "1 partition waits to begin" in text(sensors.tick())
    sensors.configure(modern, start_date="2024-06-05", end_date="2024-06-12")
    put(modern, "inside", "2024-06-12", "2024-06-15T08:00:00Z")
    assert sensors.requested() == ["c1|2024-06-12"]
    assert "wait" not in text(sensors.tick())


def test_what_is_to_come_up_to_the_end_date_is_requested(
    modern: StacApi, instance: dg.DagsterInstance
) -> None:
    """A forecast: its items lie in the future, and change there."""
    sensors = Sensors(modern, instance, start_date="2024-06-05", end_date="2024-06-20")
    sensors.tick()
    put(modern, "after", "2024-06-21")
    put(modern, "tomorrow", "2024-06-16")
    assert sensors.requested() == ["c1|2024-06-16"]


def test_every_collection_follows_the_api(api: StacApi, instance: dg.DagsterInstance) -> None:
    api.extensions = ("filter", "sortby")
    put(api, "a", "2024-06-01", collection="c1")
    put(api, "b", "2024-06-01", collection="c2")
    assets = ["search", "collection_items"]
    sensors = Sensors(api, instance, collections="*", item_assets=assets, start_date="2024-06-01")
    assert "no collection is known yet" in text(sensors.tick())
    sensors.add_collections()
    assert instance.get_dynamic_partitions(f"collections of {api.url}") == ["c1", "c2"]
    assert "none" in text(sensors.tick("new_collections_sensor"))
    sensors.tick()
    put(api, "c", "2024-06-02", "2024-06-15T07:00:00Z", "c2")
    put(api, "d", "2024-06-03", "2024-06-15T07:00:00Z", "c2")
    (request,) = sensors.tick().run_requests
    assert sensors.run(request).success
    assert ids() == ids("collection_items") == ["c", "d"]
    api.collections.append({**api.collections[0], "id": "c3"})
    del api.collections[0]
    found = sensors.tick("new_collections_sensor")
    assert "added: c3" in text(found) and "removed: c1" in text(found)
    sensors.add_collections()
    assert instance.get_dynamic_partitions(f"collections of {api.url}") == ["c2", "c3"]
    assert "no items yet" in text(sensors.tick())


def test_partition_keys_survive_answers_that_cannot_be_believed(
    api: StacApi, instance: dg.DagsterInstance
) -> None:
    put(api, "a", "2024-06-01", collection="c1")
    put(api, "b", "2024-06-01", collection="c2")
    sensors = Sensors(api, instance, collections="*")
    sensors.add_collections()
    listed = b'{"collections": [], "links": []}'
    api.fault(lambda request: request.path == "/collections", times=None, body=listed)
    found = sensors.tick("new_collections_sensor")
    assert "taken for a fault" in text(found) and not found.dynamic_partitions_requests
    api.faults.clear()
    listed = json.dumps({"collections": [api.collections[0]], "links": []}).encode()
    api.fault(lambda request: request.path == "/collections", times=None, body=listed)
    assert not sensors.tick("new_collections_sensor").dynamic_partitions_requests
    api.faults.clear()
    api.fault("/collections", times=None, status=500)
    assert not sensors.tick("new_collections_sensor").dynamic_partitions_requests
    assert instance.get_dynamic_partitions(f"collections of {api.url}") == ["c1", "c2"]


def test_a_fixed_list_of_collections_is_reported(api: StacApi, instance: dg.DagsterInstance) -> None:
    for name in ("c1", "c2", "sentinel-2-l2a"):
        put(api, "a", "2024-06-01", collection=name)
    sensors = Sensors(api, instance, collections=["c1", "sentinel-2-l2"])
    told = text(sensors.tick("new_collections_sensor"))
    assert told.startswith("'sentinel-2-l2' of the settings is not there (near matches: sentinel-2-l2a)")
    assert "baseline recorded: 3 collections" in told
    api.collections[:] = [{**api.collections[0], "id": name} for name in ("c3", "c2")]
    told = text(sensors.tick("new_collections_sensor"))
    assert told.startswith("'c1' of the settings is not there")
    assert "new: c3; vanished: sentinel-2-l2a; 2 in all" in told
    assert "new: none; vanished: none" in text(sensors.tick("new_collections_sensor"))
