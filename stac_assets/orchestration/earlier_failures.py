"""The partitions in which a check failed in an earlier run, and which have not been loaded since."""

from collections.abc import Container

import dagster as dg

# Dagster asks its storage with these, and has no public name for them
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from stac_assets.orchestration.check_rules import Judgement
from stac_assets.orchestration.quiet import quiet_storage

FAILED = AssetCheckExecutionRecordStatus.FAILED
MOST = 1000
"""The last failures of a check of which it is told what was found; that others are failures is told too."""
UNTOLD = Judgement(False, "failed in an earlier run, whose checks tell what was found")


def earlier_failures(
    instance: dg.DagsterInstance,
    check: dg.AssetCheckKey,
    partitions: dg.PartitionsDefinition | None,
    besides: Container[str],
) -> dict[str, Judgement]:
    """The failures of a check, by partition.

    Args:
        instance: has the evaluations.
        check: which check of which asset.
        partitions: those that there are now; a failure in another one is past.
        besides: partitions that this run has loaded, and so judges itself.
    """
    storage = instance.event_log_storage
    with quiet_storage(), dg.partition_loading_context(dynamic_partitions_store=instance):
        # an evaluation is stored after the materialization that it is about, with a greater number
        failing = [
            info.partition_key
            for info in storage.get_asset_check_partition_info([check])
            if info.partition_key
            and info.partition_key not in besides
            and info.latest_execution_status is FAILED
            and info.latest_check_event_storage_id > (info.latest_materialization_storage_id or 0)
        ]
        if not failing or partitions is None:
            return {}
        last: dict[str, AssetCheckExecutionRecord] = {}
        for record in storage.get_asset_check_execution_history(check, limit=MOST, status={FAILED}):
            if record.partition:
                last.setdefault(record.partition, record)
        return {
            key: _judgement(last[key]) if key in last else UNTOLD
            for key in failing
            if partitions.has_partition_key(key)
        }


def _judgement(record: AssetCheckExecutionRecord) -> Judgement:
    evaluation = record.evaluation
    assert evaluation is not None
    description = (evaluation.description or "").removeprefix(f"{record.partition}: ")
    return Judgement(False, description, evaluation.severity)
