"""The Dagster resource that loads: dagster-dlt's, with a run of our own in two halves."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from dagster_dlt import DagsterDltResource

from stac_assets.orchestration.checks import check_outputs, evaluations
from stac_assets.orchestration.elsewhere import refuse_files_elsewhere
from stac_assets.orchestration.metadata import load_metadata, partitions_metadata
from stac_assets.orchestration.run_log import Heartbeat, begin, end
from stac_assets.pipeline.target import target_of
from stac_assets.settings import Settings
from stac_assets.source.request import Job

if TYPE_CHECKING:  # what loads is imported by a run, not with the definitions
    from stac_assets.pipeline.load import LoadResult

Report = dg.MaterializeResult | dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output
"""What an asset tells Dagster."""


def named(context: dg.AssetExecutionContext) -> str:
    """A run as those are told of it that wait for it."""
    return f"Dagster run {context.run_id}"


class StacLoader(DagsterDltResource):
    """Loads an endpoint for a run.

    dagster-dlt's own `run` cannot fetch first and store then, changes dlt's live schema and fails on zero
    rows; this one fetches outside dlt, stores under a lock, and reports each partition on its own.
    """

    def run(  # type: ignore[override]
        self, context: dg.AssetExecutionContext, job: Job, settings: Settings
    ) -> Iterator[Report]:
        """Load `job`, and yield its materializations and checks, each partition with its own figures.

        Where some partitions failed, the others are stored and reported, and then the run fails.
        """
        from stac_assets.orchestration.event_log import events_together
        from stac_assets.pipeline.load import load

        refuse_files_elsewhere(context, settings)
        context.log.info(begin(job, settings, target_of(settings).describe()))
        cancelled = threading.Event()
        try:
            with Heartbeat(context.log.info) as heart:
                result = load(
                    job,
                    settings,
                    progress=heart.progress,
                    cancelled=cancelled,
                    stage=heart.stage,
                    inspected=True,
                    doing=named(context),
                    tell=context.log.info,
                )
        finally:
            cancelled.set()
        context.log.info(end(result.figures))
        with events_together(context.instance):
            yield from _reported(context, result, settings)
        result.raise_on_failures()


def _reported(
    context: dg.AssetExecutionContext, result: "LoadResult", settings: Settings
) -> Iterator[Report]:
    """The materialization of each partition that was stored, and the outcome of every check."""
    asset = result.job.resource
    key = dg.AssetKey(asset)
    partitions = dict(partitions_metadata(result, settings))
    if result.failed:
        for partition, metadata in partitions.items():
            yield dg.AssetMaterialization(key, partition=partition, metadata=metadata)
    else:
        for partition, metadata in partitions.items():
            context.add_asset_metadata(metadata, asset_key=key, partition_key=partition)
        yield dg.MaterializeResult(
            asset_key=key, metadata={} if partitions else load_metadata(result, settings)
        )
    yield from evaluations(context, result, settings)
    if not result.failed:
        yield from check_outputs(asset)
