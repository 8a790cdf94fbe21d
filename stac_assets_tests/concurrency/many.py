"""Dagster runs in processes of their own, all at the same time, as separate commands would be."""

import json
import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dlt.common.runtime.run_context import switch_context

from stac_assets.definitions import build_definitions
from stac_assets_tests.loads import settings_for


@dataclass(frozen=True)
class Told:
    """How a run ended, and the lines of its log."""

    run_id: str
    success: bool
    log: list[str]


class Processes:
    """As many processes as there are runs; each forks from one that has imported everything.

    Args:
        count: of the runs at the same time.
    """

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["stac_assets_tests.concurrency.many", "stac_assets.pipeline.load"])
        self._pool = ProcessPoolExecutor(count, mp_context=context)

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def run(self, url: str, home: Path, partition: str, **environment: str) -> "Future[Told]":
        """Materialize a partition of `search` in the current folder and environment."""
        own = {**os.environ, **environment}
        return self._pool.submit(_run, url, str(home), partition, str(Path.cwd()), own)


def _run(url: str, home: str, partition: str, folder: str, environment: Mapping[str, str]) -> Told:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    switch_context(".")
    settings = settings_for(url, start_date="2024-01-01", end_date="2024-01-31", lock_timeout=120)
    job = build_definitions(settings).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.from_config(home) as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("search")],
            partition_key=partition,
            raise_on_error=False,
        )
        events = instance.all_logs(result.run_id)
    return Told(
        result.run_id, result.success, [event.user_message or json.dumps(str(event)) for event in events]
    )
