"""History, sensors, schedules and partitions of a project of version 0.1.0, with the code under test."""

import re
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from stac_assets_tests.upgrade.catalog import CHANGED, COLLECTIONS, ENDPOINTS, FAILED, WAITING
from stac_assets_tests.upgrade.conftest import Project
from stac_assets_tests.upgrade.dagster_project import SEARCH, DagsterProject, opened

OF_OTHERS = {"autumn-2023", "spring-2024"}
"""Dynamic partitions named `collections` of somebody else in the same Dagster instance."""
PLAIN = "storage:\n  sqlite:\n    base_dir: .dagster/storage\n"
MORNING = datetime(2024, 6, 15, 6, tzinfo=UTC)


def use_plain_storage() -> None:
    """Let `dagster.yaml` name Dagster's own SQLite storage, in the same folder."""
    file = Path("dagster.yaml")
    text, changed = re.subn(r"^storage:\n(?:  .*\n)+", PLAIN, file.read_text(), flags=re.MULTILINE)
    assert changed == 1
    file.write_text(text)


def partitions_of(name: str, *days: int) -> set[str]:
    """The keys of some days of January 2024."""
    return {f"{name}|2024-01-{day:02}" for day in days}


def test_the_history_is_there(either: Project) -> None:
    with opened() as dagster:
        found = dagster.history()
    statuses = [status for status, _ in found["runs"].values()]
    assert {str(status.value) for status in statuses} == {"SUCCESS", "FAILURE", "CANCELED"}
    assert all(found["events"].values())
    assert [status.value for _, status in found["backfills"]] == ["COMPLETED_FAILED"]
    for name in ENDPOINTS:
        assert found[name], name
    all_of_them = {key for name in COLLECTIONS for key in partitions_of(name, *range(1, 11))}
    assert found["partitions of search"] == all_of_them - FAILED
    (failed,) = (run for run, (status, _) in found["runs"].items() if status is dg.DagsterRunStatus.FAILURE)
    assert all(any(key.replace("|", ", ") in event for event in found["events"][failed]) for key in FAILED)
    judged = {it[1] for it in found["search:row_count"] if it[2].value == "SUCCEEDED"}
    assert judged == all_of_them - FAILED
    (misses,) = (it for it in found["search:rejected_items"] if it[2].value == "FAILED")
    assert misses[1] == "rivers|2024-01-04"


@pytest.mark.parametrize("begins_plain", [True, False])
def test_dagsters_own_storage_has_the_same_history(named: Project, begins_plain: bool) -> None:
    shipped = Path("dagster.yaml").read_text()
    with opened() as dagster:
        before = dagster.history()
    if begins_plain:
        use_plain_storage()
    with opened() as dagster:
        assert dagster.history() == before
        request = dg.RunRequest(partition_key="rivers|2024-01-02", job_name="items_job")
        run = dagster.run(request)
        assert run.success
        after = dagster.history()
    assert len(after["search"]) == len(before["search"]) + 1
    assert len(after["search:row_count"]) > len(before["search:row_count"])
    if begins_plain:
        Path("dagster.yaml").write_text(shipped)
    else:
        use_plain_storage()
    with opened() as dagster:
        assert dagster.history() == after


def test_what_was_turned_on_is_there(named: Project) -> None:
    with opened() as dagster:
        states = dagster.instance.all_instigator_state()
        on = {state.instigator_name for state in states if state.status.value == "RUNNING"}
        assert on == {"new_items_sensor", "new_collections_sensor", "catalog_schedule"}
        for name in on:
            is_sensor = name.endswith("_sensor")
            assert dagster.repository.has_sensor_def(name) == is_sensor
            assert dagster.repository.has_schedule_def(name) != is_sensor


def requested(dagster: DagsterProject) -> tuple[list[dg.RunRequest], list[str]]:
    """The runs that a tick of `new_items_sensor` requests, and their partitions."""
    requests = list(dagster.tick("new_items_sensor").run_requests or [])
    return requests, sorted(key for request in requests for key in dagster.keys(request))


def test_the_sensor_goes_on_with_its_cursor(either: Project) -> None:
    either.api.move_on()
    with opened() as dagster:
        dagster.tick("new_collections_sensor")
        requests, keys = requested(dagster)
        assert keys == sorted({*CHANGED, WAITING})
        assert {request.tags["stac/strategy"] for request in requests} == {"updated", "counts", "probe"}
        assert all(request.asset_selection == [SEARCH] for request in requests)
        for request in requests:
            assert dagster.run(request).success
        assert requested(dagster) == ([], [])


def test_the_sensor_requests_only_what_waited(either: Project) -> None:
    with opened() as dagster:
        dagster.tick("new_collections_sensor")
        assert requested(dagster)[1] == [WAITING]


def test_collections_are_told_from_the_old_cursor(named: Project) -> None:
    named.api.move_on()
    with opened() as dagster:
        told = dagster.tick("new_collections_sensor").skip_message
    assert "deltas" in told
    assert "baseline" not in told and not any(name in told for name in COLLECTIONS)


def test_the_partitions_that_there_were_are_found(everything: Project) -> None:
    with opened() as dagster:
        dagster.tick("new_collections_sensor")
        assert {*COLLECTIONS} <= {*dagster.collections()}
        assert {*COLLECTIONS} <= {*dagster.instance.get_dynamic_partitions("collections")}


def test_a_new_collection_gets_its_partitions(everything: Project) -> None:
    everything.api.move_on()
    with opened() as dagster:
        dagster.tick("new_collections_sensor")
        assert "deltas" in dagster.collections()


def test_schedules_load_the_partitions_that_there_were(either: Project) -> None:
    with opened() as dagster:
        dagster.tick("new_collections_sensor")
        keys = {}
        for name in ("items_schedule", "catalog_schedule"):
            schedule = dagster.repository.get_schedule_def(name)
            context = dg.build_schedule_context(
                instance=dagster.instance,
                scheduled_execution_time=MORNING,
                repository_def=dagster.repository,
            )
            found = schedule.evaluate_tick(context).run_requests or []
            keys[name] = {key for request in found for key in dagster.keys(request)}
        assert keys["items_schedule"] >= {
            key for name in COLLECTIONS for key in partitions_of(name, *range(3, 11))
        }
        assert keys["catalog_schedule"] >= {*COLLECTIONS}


def test_partitions_of_others_are_left_alone(everything: Project) -> None:
    with opened() as dagster:
        before = {*dagster.instance.get_dynamic_partitions("collections")}
        assert before == {*COLLECTIONS, *OF_OTHERS}
        everything.api.collections.pop()  # the glaciers are gone
        dagster.tick("new_collections_sensor")
        dagster.tick("new_collections_sensor")
        assert {*dagster.instance.get_dynamic_partitions("collections")} == before
        assert {*dagster.collections()} == {"rivers", "lakes"}


def test_collections_are_found_by_their_asset_too(everything: Project) -> None:
    with opened() as dagster:
        before = {*dagster.instance.get_dynamic_partitions("collections")}
        job = dagster.repository.get_job("catalog_job")
        assert job.execute_in_process(
            instance=dagster.instance, asset_selection=[dg.AssetKey("collections")]
        ).success
        assert {*dagster.collections()} == {*COLLECTIONS}
        assert {*dagster.instance.get_dynamic_partitions("collections")} == before
