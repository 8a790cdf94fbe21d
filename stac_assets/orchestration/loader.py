"""The Dagster resource that loads: dagster-dlt's, with a run of our own in two halves."""

import threading
import time
from collections.abc import Iterator

import dagster as dg
from dagster_dlt import DagsterDltResource

from stac_assets.orchestration.checks import check_outputs, evaluations
from stac_assets.orchestration.metadata import load_metadata, partitions_metadata
from stac_assets.pipeline.load import LoadResult, load
from stac_assets.settings import Settings
from stac_assets.source.jobs import Job
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window

PROGRESS_SECONDS = 10.0

Report = dg.MaterializeResult | dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output
"""What an asset tells Dagster."""


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
        cancelled = threading.Event()
        try:
            result = load(
                job,
                settings,
                progress=_Progress(context.log.info),
                cancelled=cancelled,
                stage=context.log.info,
                inspected=True,
            )
        finally:
            cancelled.set()
        yield from _reported(context, result, settings)
        result.raise_on_failures()


def _reported(context: dg.AssetExecutionContext, result: LoadResult, settings: Settings) -> Iterator[Report]:
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


class _Progress:
    """A line of progress every ten seconds, so that a long run is seen to live."""

    def __init__(self, log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._figures: dict[Window, Figures] = {}
        self._next = 0.0

    def __call__(self, window: Window, figures: Figures) -> None:
        with self._lock:
            self._figures[window] = figures
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + PROGRESS_SECONDS
            items = sum(f.items for f in self._figures.values())
            pages = sum(f.pages for f in self._figures.values())
            self._log(f"fetching: {items} items in {pages} pages of {len(self._figures)} partition(s)")
