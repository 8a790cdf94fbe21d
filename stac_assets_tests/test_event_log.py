"""The event log of `dagster.yaml`: what it stores is what Dagster's own storage stores, and reads."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.orchestration.event_log import BatchingSqliteEventLogStorage, BatchingSqliteStorage
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import Runs

SEARCH = dg.AssetKey("search")
CHECKED = [dg.AssetCheckKey(SEARCH, name) for name in ("row_count", "schema", "valid_geometry")]
PLAIN = "storage:\n  sqlite:\n    base_dir: .dagster/storage\n"
"""The storage of the same folder, read and written by Dagster's own class."""


@contextmanager
def opened(folder: Path, *, plain: bool) -> Iterator[dg.DagsterInstance]:
    """The instance of a project folder, with its own storage or with Dagster's."""
    shutil.copy(REPOSITORY / "dagster.yaml", folder)
    if plain:
        (folder / "dagster.yaml").write_text(PLAIN, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        assert isinstance(instance.event_log_storage, BatchingSqliteEventLogStorage) is not plain
        yield instance


def history(instance: dg.DagsterInstance) -> list[Any]:
    """What is stored: the events of each run, the materializations, and the outcomes of checks."""
    found: list[Any] = []
    for run in instance.get_runs():
        found.append((run.run_id, run.status))
        for record in instance.get_records_for_run(run.run_id).records:
            entry = record.event_log_entry
            kind = entry.dagster_event.event_type_value if entry.dagster_event else entry.user_message
            found.append((kind, record.partition_key))
    found += [
        (each.storage_id, each.run_id, each.partition_key)
        for each in instance.fetch_materializations(SEARCH, limit=100).records
    ]
    (record,) = instance.get_asset_records([SEARCH])
    last = record.asset_entry.last_materialization_record
    found.append((last and last.storage_id, record.asset_entry.last_run_id))
    found.append(instance.get_materialized_partitions(SEARCH))
    storage = instance.event_log_storage
    for key in CHECKED:
        for each in storage.get_asset_check_execution_history(key, limit=100):
            found.append((key.name, each.run_id, each.partition, each.status.value))
    return found


def test_a_history_is_the_same_for_both_storages(project: Path, api: StacApi) -> None:
    """Each opens and continues what the other wrote, failures of runs and of checks among it."""
    for day in (1, 2, 3):
        extra = {"bbox": [10, 51, 11, 50]} if day == 2 else None
        api.put(make_item(f"d{day}", datetime=f"2024-01-0{day}T10:00:00Z", extra=extra))
    for plain in (False, True, False):
        with opened(project, plain=plain) as instance:
            runs = Runs(api, instance)
            assert runs("search", "c1|2024-01-01", "c1|2024-01-03").success
            api.fault(lambda request: "2024-01-02T00:00:00Z/" in str(request.body), times=1, status=409)
            assert not runs("search", "c1|2024-01-01", "c1|2024-01-02").success
            written = history(instance)
        with opened(project, plain=not plain) as instance:
            assert history(instance) == written
    kinds = [kind for kind, *_ in written]
    assert kinds.count("ASSET_MATERIALIZATION") == 3 * (3 + 1)
    assert kinds.count("valid_geometry") == 3 * 3 and kinds.count("row_count") == 3 * 2


@pytest.mark.parametrize("plain", [True, False])
def test_both_report_the_same_events(project: Path, api: StacApi, plain: bool) -> None:
    api.put(make_item("a"))
    with opened(project, plain=plain) as instance:
        result = Runs(api, instance)("search", "c1|2024-01-01", "c1|2024-01-03")
        stored = instance.get_records_for_run(result.run_id).records
    kinds = [
        each.event_log_entry.get_dagster_event().event_type_value
        for each in stored
        if each.event_log_entry.is_dagster_event
    ]
    assert kinds.count("ASSET_MATERIALIZATION_PLANNED") == kinds.count("ASSET_MATERIALIZATION") == 3
    assert kinds.count("ASSET_CHECK_EVALUATION_PLANNED") == kinds.count("ASSET_CHECK_EVALUATION") == 7


def test_who_watches_a_run_is_told_of_each_event(project: Path, api: StacApi) -> None:
    """As Dagster's UI does, which shows a run's events while it goes on in another process."""
    api.put(make_item("a"))
    seen = threading.Event()
    with opened(project, plain=False) as instance, opened(project, plain=False) as webserver:
        run = instance.create_run_for_job(_nothing.get_subset())
        webserver.event_log_storage.watch(run.run_id, None, lambda *_: seen.set())
        instance.report_engine_event("hello", run)
        assert seen.wait(60)
        assert webserver.all_logs(run.run_id)


def test_events_are_stored_after_all_were_wiped(project: Path) -> None:
    with opened(project, plain=False) as instance:
        run = instance.create_run_for_job(_nothing.get_subset())
        instance.report_engine_event("before", run)
        instance.event_log_storage.wipe()
        instance.report_engine_event("after", run)
        assert [
            entry.dagster_event.message for entry in instance.all_logs(run.run_id) if entry.dagster_event
        ] == ["after"]
    with opened(project, plain=True) as instance:
        assert len(instance.all_logs(run.run_id)) == 1


def test_databases_are_closed_one_after_another(project: Path) -> None:
    """A webserver reads the databases of many runs, and keeps few of them open."""
    with opened(project, plain=False) as instance:
        runs = [instance.create_run_for_job(_nothing.get_subset()) for _ in range(9)]
        for number, run in enumerate(runs):
            instance.report_engine_event(f"{number}", run)
        told = [instance.all_logs(run.run_id)[0].dagster_event for run in runs]
        assert [event.message for event in told if event] == [f"{number}" for number in range(9)]


def test_the_name_in_peoples_dagster_yaml() -> None:
    assert BatchingSqliteStorage.__module__ == "stac_assets.orchestration.event_log"


@dg.job
def _nothing() -> None: ...
