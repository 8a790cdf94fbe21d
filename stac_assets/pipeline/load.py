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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from dlt.common.destination.client import WithStateSync
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.pipeline import LoadInfo
from dlt.common.schema import Schema
from dlt.common.schema.typing import TTableSchema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.destinations.filesystem.layout import check_table_format
from stac_assets.pipeline.exclusion.access import Turns
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import publish, run_folder
from stac_assets.pipeline.inspection import inspect
from stac_assets.pipeline.inspection_result import Inspection
from stac_assets.pipeline.memory import choose_allocators, give_back
from stac_assets.pipeline.target import Target, project_folder, target_of
from stac_assets.settings import Settings
from stac_assets.source import SOURCE_NAME, build_source
from stac_assets.source.fetch import Fetched, Job, fetch
from stac_assets.source.ownership import claim_dataset
from stac_assets.source.promotion import Promotion
from stac_assets.source.reader import FetchedWindow, Progress
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted

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
        many = "partitions failed and are as they were before"
        told = counted(len(failed), "partition failed and is as it was before", many)
        super().__init__(f"{told}, {stored} stored:\n{names}")
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
    doing: str | None = None,
    tell: Callable[[str], None] = logger.info,
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
        doing: what this load is called by those that wait for it: a run's id, a command.
        tell: told in a line who is waited for.

    Returns:
        The result, whose `failed` windows were left as they were: call `raise_on_failures`.

    Raises:
        StoreFailed: the disk or the destination failed; the message says what is stored.
        StacError: nothing was stored; the message says why.
    """
    target = target or target_of(settings)
    runs = project_folder() / ".dlt" / "runs"
    choose_allocators()
    with told_plainly(target, runs), run_folder(runs) as folder:
        turns = Turns(target.pipeline(folder / "check"), settings.lock_timeout, doing, tell)
        turns.check_owner(settings.base_url)
        if turns.place.destination_type == "filesystem":
            stored = turns.read(lambda: _stored_schema(turns.pipeline))
            check_table_format(stored, target.table_hint)  # once more when it is our turn to store
        started = time.monotonic()
        spool = folder / "spool"
        spool.mkdir()
        # what cannot be stored depends on the type of the destination, not on its name
        asked = settings.with_(destination=turns.place.destination_type)
        fetched = fetch(job, asked, spool, progress, cancelled)
        give_back()
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
            f"fetched {counted(fetched.figures.items, 'row')} in {fetch_seconds:.1f} s, "
            f"storing into {target.destination}"
        )
        started = time.monotonic()
        _store(fetched, settings, result, turns, folder / "pipelines", inspected)
        result.store_seconds = time.monotonic() - started
        stage(f"stored in {result.store_seconds:.1f} s")
    return result


def _store(
    fetched: Fetched, settings: Settings, result: LoadResult, turns: Turns, folder: Path, inspected: bool
) -> None:
    name = fetched.job.resource
    misfits: Counter[str] = Counter()

    def obtain() -> Any:
        claim_dataset(settings.base_url)
        return nullcontext(fetched)

    def settled(_: Fetched, promotion: Promotion) -> None:
        misfits.update(promotion.misfits)

    with (
        turns.to_store() as turn,
        result.target.storing(turns.place, folder, turn) as (pipeline, handover),
    ):
        source = build_source(settings, {name: obtain}, settled, handover)
        source.schema = _stored_schema(pipeline) or source.schema
        if turns.place.destination_type == "filesystem":
            check_table_format(source.schema, result.target.table_hint)
        known = set(source.schema.tables.get(name, {}).get("columns", {}))
        info = pipeline.run(source)
        info.raise_on_failed_jobs()
        publish(pipeline, result.target.published_folders())
        if inspected:
            result.inspection = inspect(pipeline, fetched, known)
        result.load_info = info
        result.table = pipeline.default_schema.tables.get(name)
    result.misfits = dict(misfits + fetched.misfits)
    result.location = str(turns.place)


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


def stored_ids(
    settings: Settings,
    window: Window,
    *,
    doing: str | None = None,
    tell: Callable[[str], None] = logger.info,
) -> tuple[str, ...]:
    """Ids of the items that `search` holds for a window, in their order, at most `item_limit`.

    Args:
        settings: the dataset.
        window: the partition.
        doing: what this is called by those that wait for it.
        tell: told in a line who is waited for.
    """
    target = target_of(settings)
    runs = project_folder() / ".dlt" / "runs"
    with told_plainly(target, runs), run_folder(runs) as folder:
        pipeline = target.pipeline(folder)
        turns = Turns(pipeline, settings.lock_timeout, doing, tell)
        return turns.read(lambda: _read_ids(pipeline, window, settings.item_limit)) or ()


def _read_ids(pipeline: Pipeline, window: Window, limit: int) -> tuple[str, ...]:
    pipeline.sync_destination()
    if not pipeline.default_schema_name or "search" not in pipeline.default_schema.tables:
        return ()
    return _query_ids(pipeline, window, limit)


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
