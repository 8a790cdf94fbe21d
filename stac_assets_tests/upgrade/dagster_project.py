"""Dagster in a project of version 0.1.0: the code under test, on the history and the state that are there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from stac_assets.definitions import build_definitions
from stac_assets.settings import read_settings
from stac_assets_tests.upgrade.catalog import ENDPOINTS

SEARCH = dg.AssetKey("search")
RANGE = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Dagster's tags of a run over several partitions."""


class DagsterProject:
    """The definitions of the current folder, and its instance of Dagster.

    The definitions are built as README.md of version 0.1.0 has it.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.repository = build_definitions(read_settings()).get_repository_def()

    def state(self, name: str) -> Any:
        """What the instance keeps of a sensor or a schedule."""
        (found,) = (it for it in self.instance.all_instigator_state() if it.instigator_name == name)
        return found

    def ticks(self, name: str) -> Sequence[Any]:
        """All ticks of a sensor."""
        state = self.state(name)
        return self.instance.get_ticks(state.instigator_origin_id, state.selector_id)

    def tick(self, name: str) -> Any:
        """A tick of a sensor with the cursor that is kept; what follows is kept, as the daemon does it."""
        state = self.state(name)
        sensor = self.repository.get_sensor_def(name)
        context = dg.build_sensor_context(
            instance=self.instance, cursor=state.instigator_data.cursor, repository_def=self.repository
        )
        found = sensor.evaluate_tick(context)
        for request in found.dynamic_partitions_requests or []:
            for key in request.partition_keys:
                if isinstance(request, dg.AddDynamicPartitionsRequest):
                    self.instance.add_dynamic_partitions(request.partitions_def_name, [key])
                else:
                    self.instance.delete_dynamic_partition(request.partitions_def_name, key)
        kept = state.instigator_data._replace(cursor=found.cursor)
        self.instance.update_instigator_state(state.with_data(kept))
        return found

    def keys(self, request: dg.RunRequest) -> list[str]:
        """The partitions of a run, as Dagster expands them; none for one without."""
        if request.partition_key:
            return [str(request.partition_key)]
        if RANGE[0] not in request.tags:
            return []
        (asset,) = request.asset_selection or [SEARCH]
        partitions = self.repository.asset_graph.get(asset).partitions_def
        assert partitions is not None
        ends = dg.PartitionKeyRange(*(request.tags[tag] for tag in RANGE))
        return [str(key) for key in partitions.get_partition_keys_in_range(ends)]

    def collections(self) -> list[str]:
        """The collections that have partitions now."""
        partitions = self.repository.asset_graph.get(SEARCH).partitions_def
        assert partitions is not None
        keys = partitions.get_partition_keys()
        return list(dict.fromkeys(str(key).rpartition("|")[0] for key in keys))

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """The run that a request is for."""
        job = self.repository.get_job(str(request.job_name))
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=request.asset_selection,
            partition_key=request.partition_key,
            tags=request.tags,
        )

    def history(self) -> dict[str, Any]:
        """What the instance remembers: runs with their events, backfills, materializations, checks."""
        instance, storage = self.instance, self.instance.event_log_storage
        runs = {run.run_id: run for run in instance.get_runs()}
        found: dict[str, Any] = {
            "runs": {run_id: (run.status, run.tags) for run_id, run in runs.items()},
            "events": {
                run_id: [dg.serialize_value(event) for event in instance.all_logs(run_id)] for run_id in runs
            },
            "backfills": [(it.backfill_id, it.status) for it in instance.get_backfills()],
        }
        for name in ENDPOINTS:
            key = dg.AssetKey(name)
            found[name] = [
                (record.storage_id, record.partition_key, record.asset_materialization)
                for record in instance.fetch_materializations(key, limit=1000).records
            ]
            found[f"partitions of {name}"] = instance.get_materialized_partitions(key)
        for check in self.repository.asset_graph.asset_check_keys:
            found[check.to_user_string()] = [
                (record.id, record.partition, record.status, record.event)
                for record in storage.get_asset_check_execution_history(check, limit=1000)
            ]
        return found


@contextmanager
def opened() -> Iterator[DagsterProject]:
    """The project in the current folder, with the storage that its `dagster.yaml` names."""
    with (
        dg.DagsterInstance.from_config(str(Path.cwd())) as instance,
        dg.partition_loading_context(dynamic_partitions_store=instance),
    ):
        yield DagsterProject(instance)
