"""A load: fetch, then store.

dlt's extract step decides the schema, so two extracts from one restored schema would corrupt it. Fetching is
therefore done before, in parallel and outside dlt; the store (sync, settle, extract, normalize, load) is done
under a lock, one at a time per dataset.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlt.common.pipeline import LoadInfo
from dlt.common.schema.typing import TTableSchema
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.folders import publish, run_folder
from stac_assets.pipeline.locks import dataset_lock
from stac_assets.pipeline.target import (
    Target,
    duckdb_file,
    project_folder,
    target_of,
)
from stac_assets.settings import Settings
from stac_assets.source import SOURCE_NAME, build_source
from stac_assets.source.fetch import FetchedWindow, Progress
from stac_assets.source.jobs import Fetched, Job, fetch
from stac_assets.source.promotion import Promotion
from stac_assets.source.resources import check_owner, claim_dataset, day_keys
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
    location: str = ""

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
) -> LoadResult:
    """Make the table hold, for what `job` names, exactly what the API holds now.

    Args:
        job: endpoint, and partitions or collections of it.
        settings: the API and how to ask it.
        target: the destination; by default the configured one.
        progress: called after every page.
        cancelled: set it to stop; nothing is stored then.
        stage: told in a line what is being done.

    Returns:
        The result, whose `failed` windows were left as they were: call `raise_on_failures`.

    Raises:
        StacError: nothing was stored; the message says why.
    """
    target = target or target_of(settings)
    with run_folder(project_folder() / ".dlt" / "runs") as folder:
        check_dataset(target, settings, folder / "check")
        started = time.monotonic()
        spool = folder / "spool"
        spool.mkdir()
        fetched = fetch(job, settings, spool, progress, cancelled)
        fetch_seconds = time.monotonic() - started
        result = LoadResult(
            job,
            target,
            fetched.figures,
            fetched.complete_windows,
            fetched.failed_windows,
            fetch_seconds=fetch_seconds,
        )
        if fetched.windows and not fetched.complete_windows:
            return result
        stage(
            f"fetched {fetched.figures.items} rows in {fetch_seconds:.1f} s, "
            f"storing into {target.destination}"
        )
        started = time.monotonic()
        _store(fetched, settings, result, folder / "pipelines")
        result.store_seconds = time.monotonic() - started
        stage(f"stored in {result.store_seconds:.1f} s")
    return result


def check_dataset(target: Target, settings: Settings, folder: Path) -> None:
    """Refuse, before anything is fetched, a dataset that mirrors another API."""
    pipeline = target.pipeline(folder)
    file = duckdb_file(pipeline)
    if file is not None and not file.exists():
        return
    with dataset_lock(pipeline, settings.lock_timeout), _plain_errors():
        pipeline.sync_destination()
    recorded = pipeline.state.get("sources", {}).get(SOURCE_NAME, {}).get("base_url")
    check_owner(recorded, settings.base_url)


def _store(fetched: Fetched, settings: Settings, result: LoadResult, folder: Path) -> None:
    name = fetched.job.resource
    misfits: Counter[str] = Counter()

    def obtain() -> Any:
        claim_dataset(settings.base_url)
        return nullcontext(fetched)

    def settled(_: Fetched, promotion: Promotion) -> None:
        misfits.update(promotion.misfits)

    pipeline = result.target.pipeline(folder)
    with dataset_lock(pipeline, settings.lock_timeout), _plain_errors():
        info = pipeline.run(build_source(settings, {name: obtain}, settled))
        info.raise_on_failed_jobs()
    publish(pipeline, result.target.published_folders())
    result.load_info = info
    result.misfits = dict(misfits)
    result.table = pipeline.default_schema.tables.get(name)
    file = duckdb_file(pipeline)
    result.location = str(file) if file is not None else result.target.destination


def stored_ids(settings: Settings, window: Window) -> tuple[str, ...]:
    """Ids of the items that `search` holds for a window, in their order, at most `item_limit`."""
    with run_folder(project_folder() / ".dlt" / "runs") as folder:
        pipeline = target_of(settings).pipeline(folder)
        file = duckdb_file(pipeline)
        if file is not None and not file.exists():
            return ()
        with dataset_lock(pipeline, settings.lock_timeout), _plain_errors():
            pipeline.sync_destination()
            if not pipeline.default_schema_name or "search" not in pipeline.default_schema.tables:
                return ()
            return _query_ids(pipeline, window, settings.item_limit)


def _query_ids(pipeline: Pipeline, window: Window, limit: int) -> tuple[str, ...]:
    keys = day_keys(window)
    with pipeline.sql_client() as client:
        name = client.make_qualified_table_name("search")
        column = client.escape_column_name("_partition_key")
        marks = ", ".join(["%s"] * len(keys))
        rows = client.execute_sql(
            f"SELECT id FROM {name} WHERE {column} IN ({marks}) ORDER BY id LIMIT {int(limit)}",  # noqa: S608
            *keys,
        )
    return tuple(row[0] for row in rows or ())


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Let our own errors out of the wrapping that dlt puts around an error in a resource."""
    try:
        yield
    except PipelineStepFailed as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, StacError):
                raise cause from None
            cause = cause.__cause__ or cause.__context__
        raise
