"""A load: fetch, then store.

dlt's extract step decides the schema, so two extracts from one restored schema would corrupt it. Fetching is
therefore done before, in parallel and outside dlt; the store (sync, settle, extract, normalize, load) is done
under a lock, one at a time per dataset.
"""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from dlt.common.destination.client import WithStateSync
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.pipeline import LoadInfo
from dlt.common.schema import Schema
from dlt.common.schema.typing import TTableSchema
from dlt.pipeline.pipeline import Pipeline
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.findings import Inspection
from stac_assets.pipeline.folders import publish, run_folder
from stac_assets.pipeline.inspection import inspect
from stac_assets.pipeline.locks import dataset_lock
from stac_assets.pipeline.target import (
    Place,
    Target,
    place_of,
    project_folder,
    target_of,
)
from stac_assets.settings import Settings
from stac_assets.source import SOURCE_NAME, build_source
from stac_assets.source.fetch import FetchedWindow, Progress
from stac_assets.source.jobs import Fetched, Job, fetch
from stac_assets.source.promotion import Promotion
from stac_assets.source.resources import check_owner, claim_dataset
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window

logger = logging.getLogger("stac_assets")


@dataclass
class LoadResult:
    """What a load did.

    `windows` are the partitions that are stored, `failed` those that are as they were before.
    """

    job: Job
    target: Target
    figures: Figures
    windows: list[FetchedWindow] = field(default_factory=list)
    failed: list[FetchedWindow] = field(default_factory=list)
    misfits: dict[str, int] = field(default_factory=dict)
    fetch_seconds: float = 0.0
    store_seconds: float = 0.0
    load_info: LoadInfo | None = None
    table: TTableSchema | None = None
    inspection: Inspection | None = None
    location: str = ""
    url: str | None = None

    def raise_on_failures(self) -> None:
        """Raise an error that names every window that failed."""
        if self.failed:
            raise WindowsFailed(self.failed, len(self.windows))


class WindowsFailed(StacError):
    """Some windows could not be fetched; the others are stored."""

    def __init__(self, failed: list[FetchedWindow], stored: int) -> None:
        names = "\n".join(f"  {failed.window}: {failed.error}" for failed in failed)
        super().__init__(
            f"{len(failed)} partition(s) failed and are as they were before, {stored} stored:\n{names}"
        )
        self.failed = failed


def load(
    job: Job,
    settings: Settings,
    *,
    target: Target | None = None,
    progress: Progress | None = None,
    cancelled: threading.Event | None = None,
    stage: Callable[[str], None] = logger.info,
    inspected: bool = False,
) -> LoadResult:
    """Make the table hold, for what `job` names, exactly what the API holds now.

    Args:
        job: endpoint, and partitions or collections of it.
        settings: the API and how to ask it.
        target: the destination; by default the configured one.
        progress: called after every page.
        cancelled: set it to stop; nothing is stored then.
        stage: told in a line what is being done.
        inspected: whether to count, once it is stored, what the destination holds.

    Returns:
        The result, whose `failed` windows were left as they were: call `raise_on_failures`.

    Raises:
        StoreFailed: the disk or the destination failed; the message says what is stored.
        StacError: nothing was stored; the message says why.
    """
    target = target or target_of(settings)
    runs = project_folder() / ".dlt" / "runs"
    with told_plainly(target.describe(), runs), run_folder(runs) as folder:
        place = check_dataset(target, settings, folder / "check")
        started = time.monotonic()
        spool = folder / "spool"
        spool.mkdir()
        # what cannot be stored depends on the type of the destination, not on its name
        asked = replace(settings, destination=place.destination_type)
        fetched = fetch(job, asked, spool, progress, cancelled)
        pa.default_memory_pool().release_unused()
        fetch_seconds = time.monotonic() - started
        result = LoadResult(
            job,
            target,
            fetched.figures,
            fetched.complete_windows,
            fetched.failed_windows,
            fetch_seconds=fetch_seconds,
            url=fetched.url,
        )
        if fetched.windows and not fetched.complete_windows:
            return result
        stage(
            f"fetched {fetched.figures.items} rows in {fetch_seconds:.1f} s, "
            f"storing into {target.destination}"
        )
        started = time.monotonic()
        _store(fetched, settings, result, place, folder / "pipelines", inspected)
        result.store_seconds = time.monotonic() - started
        stage(f"stored in {result.store_seconds:.1f} s")
    return result


def check_dataset(target: Target, settings: Settings, folder: Path) -> Place:
    """Where the dataset is; refuses, before anything is fetched, one that mirrors another API."""
    pipeline = target.pipeline(folder)
    place = place_of(pipeline)
    if place.file is None or place.file.exists():
        with dataset_lock(place, settings.lock_timeout):
            check_owner(_recorded_owner(pipeline), settings.base_url)
    return place


def _recorded_owner(pipeline: Pipeline) -> str | None:
    """The API that the destination says its dataset mirrors, by the state that dlt keeps there."""
    with pipeline.destination_client() as client:
        try:
            state = load_pipeline_state_from_destination(pipeline.pipeline_name, cast(WithStateSync, client))
        except DestinationUndefinedEntity:
            return None
    return state.get("sources", {}).get(SOURCE_NAME, {}).get("base_url") if state else None


def _store(
    fetched: Fetched, settings: Settings, result: LoadResult, place: Place, folder: Path, inspected: bool
) -> None:
    name = fetched.job.resource
    misfits: Counter[str] = Counter()

    def obtain() -> Any:
        claim_dataset(settings.base_url)
        return nullcontext(fetched)

    def settled(_: Fetched, promotion: Promotion) -> None:
        misfits.update(promotion.misfits)

    with (
        dataset_lock(place, settings.lock_timeout),
        result.target.storing(place, folder) as (pipeline, handover),
    ):
        source = build_source(settings, {name: obtain}, settled, handover)
        source.schema = _stored_schema(pipeline) or source.schema
        known = set(source.schema.tables.get(name, {}).get("columns", {}))
        info = pipeline.run(source)
        info.raise_on_failed_jobs()
        publish(pipeline, result.target.published_folders())
        if inspected:
            result.inspection = inspect(pipeline, fetched, known)
        result.load_info = info
        result.table = pipeline.default_schema.tables.get(name)
    result.misfits = dict(misfits)
    result.location = str(place)


def _stored_schema(pipeline: Pipeline) -> Schema | None:
    """The schema that the destination remembers.

    dlt itself restores it only where a load was ever completed. One that was killed has made tables too,
    and a column that dlt does not know of would get another type.
    """
    with pipeline.destination_client() as client:
        try:
            stored = cast(WithStateSync, client).get_stored_schema(SOURCE_NAME)
        except DestinationUndefinedEntity:
            return None
    return Schema.from_stored_schema(json.loads(stored.schema)) if stored else None


def stored_ids(settings: Settings, window: Window) -> tuple[str, ...]:
    """Ids of the items that `search` holds for a window, in their order, at most `item_limit`."""
    target = target_of(settings)
    runs = project_folder() / ".dlt" / "runs"
    with told_plainly(target.describe(), runs), run_folder(runs) as folder:
        pipeline = target.pipeline(folder)
        place = place_of(pipeline)
        if place.file is not None and not place.file.exists():
            return ()
        with dataset_lock(place, settings.lock_timeout):
            pipeline.sync_destination()
            if not pipeline.default_schema_name or "search" not in pipeline.default_schema.tables:
                return ()
            return _query_ids(pipeline, window, settings.item_limit)


def _query_ids(pipeline: Pipeline, window: Window, limit: int) -> tuple[str, ...]:
    keys = window.day_keys()
    with pipeline.sql_client() as client:
        name = client.make_qualified_table_name("search")
        column = client.escape_column_name("_partition_key")
        marks = ", ".join(["%s"] * len(keys))
        rows = client.execute_sql(
            f"SELECT id FROM {name} WHERE {column} IN ({marks}) ORDER BY id LIMIT {int(limit)}",  # noqa: S608
            *keys,
        )
    return tuple(row[0] for row in rows or ())
