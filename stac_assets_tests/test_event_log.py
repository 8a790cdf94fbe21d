"""The event log of `dagster.yaml`: many events together, stored as Dagster's own log stores them."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.orchestration import events_held
from stac_assets.orchestration.event_log import BatchingSqliteEventLogStorage, events_together
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import Runs

CHECKED = [dg.AssetCheckKey(dg.AssetKey("search"), name) for name in ("row_count", "schema")]


def evaluations(storage: Any, key: dg.AssetCheckKey) -> list[tuple[str, str | None, str, str, str | None]]:
    """What is stored of a check: partition, status, the last event, and the partition that this judged."""
    made = dg.AssetRecordsFilter(asset_key=key.asset_key)
    materialized = {
        (each.storage_id, each.run_id, each.timestamp): each.partition_key
        for each in storage.fetch_materializations(made, limit=100).records
    }
    found = []
    for record in storage.get_asset_check_execution_history(key, limit=100):
        event = record.event.get_dagster_event()
        target = getattr(event.event_specific_data, "target_materialization_data", None)
        judged = target and materialized[target.storage_id, target.run_id, target.timestamp]
        assert target is None or target.run_id == record.run_id
        found.append((key.name, record.partition, record.status.value, event.event_type_value, judged))
    return found


def last_of(instance: dg.DagsterInstance, key: dg.AssetKey, run_id: str) -> tuple[str, str | None, bool]:
    """What is stored of an asset: its last materialization, and whether its last run is the one named."""
    (record,) = instance.get_asset_records([key])
    last = record.asset_entry.last_materialization_record
    assert (
        last is not None and last.storage_id == instance.fetch_materializations(key, 1).records[0].storage_id
    )
    return "last", last.partition_key, record.asset_entry.last_run_id == run_id


def test_many_events_are_stored_as_without_our_storage(project: Path, api: StacApi) -> None:
    """The storage of `dagster.yaml` keeps the same events, also those before a failure."""
    for day in (1, 2, 3):
        api.put(make_item(f"d{day}", datetime=f"2024-01-0{day}T10:00:00Z"))
    shutil.copy(REPOSITORY / "dagster.yaml", project)
    kept = []
    for home in (None, project):
        with dg.instance_for_test() if home is None else dg.DagsterInstance.from_config(str(home)) as found:
            assert isinstance(found.event_log_storage, BatchingSqliteEventLogStorage) == (home is not None)
            runs = Runs(api, found)
            assert runs("search", "c1|2024-01-01", "c1|2024-01-03").success
            api.fault(lambda request: "2024-01-02T00:00:00Z/" in str(request.body), times=1, status=400)
            result = runs("search", "c1|2024-01-01", "c1|2024-01-02")
            assert not result.success
            kept.append(
                [
                    (record.event_log_entry.get_dagster_event().event_type_value, record.partition_key)
                    for record in found.get_records_for_run(result.run_id).records
                    if record.event_log_entry.is_dagster_event
                ]
            )
            search = dg.AssetKey("search")
            assert len(found.get_materialized_partitions(search)) == 3
            storage = found.event_log_storage
            checks = storage.get_asset_check_partition_info([dg.AssetCheckKey(search, "row_count")])
            assert {info.partition_key for info in checks} == {f"c1|2024-01-0{day}" for day in (1, 2, 3)}
            kept[-1] += [evaluation for key in CHECKED for evaluation in evaluations(storage, key)]
            kept[-1].append(last_of(found, search, result.run_id))
            kept[-1] += [each.partition_key for each in found.fetch_materializations(search, 100).records]
            kept[-1] += [sorted(tags) for tags in storage.get_event_tags_for_asset(search)]
    assert kept[0] == kept[1]
    assert ("row_count", "c1|2024-01-03", "SUCCEEDED", "ASSET_CHECK_EVALUATION", "c1|2024-01-03") in kept[1]
    assert ("ASSET_MATERIALIZATION", "c1|2024-01-01") in kept[1]


@pytest.mark.parametrize("most", [1, 3, 300])
def test_an_evaluation_that_nothing_planned_is_stored_too(
    project: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Events of a block are written together, in however many transactions, and stay in their order."""
    monkeypatch.setattr(events_held, "MOST_TOGETHER", most)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "300")
    shutil.copy(REPOSITORY / "dagster.yaml", project)
    days = dg.StaticPartitionsDefinition(["a", "b"])
    key = dg.AssetCheckKey(dg.AssetKey("thing"), "sound")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of checks
        specs = [dg.AssetCheckSpec("sound", asset="thing", partitions_def=days)]

    @dg.asset(partitions_def=days, check_specs=specs)
    def thing(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with events_together(context.instance):
            yield dg.MaterializeResult()
            for day in ("a", "b"):
                context.log.info(f"judging {day}")
                yield dg.AssetCheckEvaluation(
                    asset_key=key.asset_key,
                    check_name=key.name,
                    passed=day == "a",
                    metadata={},
                    partition=day,
                )
        yield dg.Output(None, output_name="thing_sound")

    with dg.DagsterInstance.from_config(str(project)) as instance:
        result = dg.materialize([thing], partition_key="a", instance=instance)
        assert result.success
        history = instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
        assert {each.partition: each.status.value for each in history} == {"a": "SUCCEEDED", "b": "FAILED"}
        entries = [each.event_log_entry for each in instance.get_records_for_run(result.run_id).records]
        told = [
            each.dagster_event.event_type_value if each.dagster_event else each.message for each in entries
        ]
        evaluation = "ASSET_CHECK_EVALUATION"
        first = told.index("judging a")
        assert told[first : first + 4] == ["judging a", evaluation, "judging b", evaluation]
