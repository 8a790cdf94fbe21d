"""A load: fetch, then store.

dlt's extract step decides the schema, so two extracts from one restored schema would corrupt it. Fetching is
therefore done before, in parallel and outside dlt; the store (sync, settle, extract, normalize, load) is done
under a lock, one at a time per dataset, and per DuckDB file.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dlt.common.pipeline import LoadInfo
from dlt.common.schema import Schema
from dlt.extract import DltSource
from dlt.pipeline.pipeline import Pipeline

from stac_assets.catalog import Catalog
from stac_assets.pipeline.changes.find import find_changes
from stac_assets.pipeline.changes.pruning import prune
from stac_assets.pipeline.comparison import refuse_unfit, stored_schema
from stac_assets.pipeline.destinations.base import storage_of
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.exclusion.tables_of_others import run_beside_others
from stac_assets.pipeline.exclusion.waiting import Hold
from stac_assets.pipeline.failures import told_once_stored, told_plainly
from stac_assets.pipeline.first_look import FirstLook, first_look
from stac_assets.pipeline.folders import are_published, publish, run_folder
from stac_assets.pipeline.held_rows import HeldRows
from stac_assets.pipeline.inspection import inspect
from stac_assets.pipeline.load_result import LoadResult
from stac_assets.pipeline.mending import mended
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.target import target_of
from stac_assets.pipeline.trace import tell_rows
from stac_assets.source import build_source, build_source_of_changes
from stac_assets.source.changes.by_window import ChangesByWindow
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import REJECTED
from stac_assets.source.delivery import Delivery
from stac_assets.source.fetch import Fetched, fetch
from stac_assets.source.fingerprint import scope_of
from stac_assets.source.memory import give_back
from stac_assets.source.ownership import check_owner
from stac_assets.source.progress import SILENT, Progress
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import Replaces
from stac_assets.stac.wording import counted

logger = logging.getLogger("stac_assets")


def load(
    request: LoadRequest,
    catalog: Catalog,
    *,
    progress: Progress = SILENT,
    cancelled: threading.Event | None = None,
    stage: Callable[[str], None] = logger.info,
    inspected: bool = False,
    doing: str | None = None,
    tell: Callable[[str], None] = logger.info,
) -> LoadResult:
    """Make the table hold, for what is requested, exactly what the API holds now.

    Args:
        request: an endpoint, and partitions or collections of it.
        catalog: the API and the destination, with how to ask and to store.
        progress: is told how far the fetch is.
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
    settings, target, runs = catalog.settings, target_of(catalog), runs_folder()
    with told_plainly(target, runs), run_folder(runs) as folder:
        storage = storage_of(target)
        access = DatasetAccess(storage, folder / "check", settings.lock_timeout, doing, tell)
        look = first_look(access, request.endpoint)
        check_owner(look.owner, settings)
        held = HeldRows(access, request.endpoint.name, look.may_have_rows, look.table is not None)
        storage.check(lambda: access.read(lambda: _stored_schema(access.pipeline)))
        storage.check_collections(request, access.pipeline)
        started = time.monotonic()
        spool = folder / "spool"
        spool.mkdir()
        fetched = fetch(request, settings, spool, target.dialect, progress, cancelled, held)
        give_back()
        fetch_seconds = time.monotonic() - started
        result = LoadResult(
            request,
            target,
            fetched.figures,
            fetched.complete_windows,
            fetched.failed_windows,
            fetched.refused,
            fetch_seconds=fetch_seconds,
            url=fetched.url,
            collection_ids=fetched.collection_ids,
        )
        if fetched.windows and not fetched.complete_windows:
            return result
        if not inspected and _changes_nothing(fetched, catalog, look, held):
            stage(f"fetched nothing in {fetch_seconds:.1f} s, and the table holds nothing of that: it stays")
            result.location, result.table = str(access.place), look.table
            return result
        stage(
            f"fetched {counted(fetched.figures.items, 'row')} in {fetch_seconds:.1f} s, "
            f"storing into {target.destination}"
        )
        started = time.monotonic()
        _store(fetched, catalog, result, access, look, folder / "pipelines", inspected)
        result.store_seconds = time.monotonic() - started
        stage(f"{_told(result)} in {result.store_seconds:.1f} s")
    return result


def _store(
    fetched: Fetched,
    catalog: Catalog,
    result: LoadResult,
    access: DatasetAccess,
    look: FirstLook,
    folder: Path,
    inspected: bool,
) -> None:
    storage, endpoint, name = access.storage, fetched.request.endpoint, fetched.request.endpoint.name
    delivery = Delivery(fetched, catalog.settings, storage.form(access.pipeline, folder.parent))
    with access.held() as hold, storage.storing(access.place, folder, hold, delivery) as pipeline:
        fresh = build_source([delivery]).schema
        if storage.compares:
            known, types = mended(pipeline, endpoint, fresh)
            delivery.refuse_unfit = partial(refuse_unfit, pipeline, name, types)
        else:
            known = _stored_schema(pipeline)
        schema = known or fresh
        storage.check(lambda: schema)
        columns = set(schema.tables.get(name, {}).get("columns", {}))
        find_changes(pipeline, delivery, catalog.settings, known, folder.parent)
        if _is_stored(fetched, delivery, catalog, look):
            if inspected or not storage.compares:  # views of warehouses are made by the restored schema
                pipeline.sync_destination()
        else:
            result.load_info = _run(pipeline, delivery, schema, known, hold)
            if (days := catalog.settings.item_changes_days) is not None and catalog.settings.item_changes:
                prune(pipeline, days)
            publish(pipeline, result.target.published_folders())
            schema = pipeline.default_schema
        if inspected:
            with told_once_stored(result.target.describe()):
                result.inspection = inspect(pipeline, fetched, columns)
        result.table = schema.tables.get(name)
    result.unchanged, result.misfits = delivery.unchanged, dict(delivery.misfits)
    if delivery.changes is not None:
        result.changes = ChangesByWindow.of(delivery)
    result.location = str(access.place)


def _is_stored(fetched: Fetched, delivery: Delivery, catalog: Catalog, look: FirstLook) -> bool:
    """Whether all is stored already as it was fetched, the dataset is this API's, and dlt's tools see it."""
    target = target_of(catalog)
    if not fetched.windows or delivery.windows:
        return False
    is_seen = are_published(target.pipeline_name, target.published_folders())
    if look.owner == catalog.settings.base_url and is_seen:
        return True
    delivery.unchanged = set()
    return False


def _run(
    pipeline: Pipeline, delivery: Delivery, schema: Schema, known: Schema | None, hold: Hold
) -> LoadInfo:
    """Let dlt store. Changes come before the rows, where one transaction does not have both."""

    def run(source: DltSource) -> LoadInfo:
        info = run_beside_others(pipeline, source, known) if hold.staging else pipeline.run(source)
        info.raise_on_failed_jobs()
        return info

    changes, source = delivery.changes, build_source([delivery])
    source.schema = schema
    if changes is not None and changes.length and not delivery.stores_changes:
        before = build_source_of_changes(delivery)
        before.schema = schema
        run(before)
        source.schema = known = pipeline.default_schema.clone()
    info = run(source)
    if delivery.endpoint.has_items:
        figures = [window.figures for window in delivery.windows]
        rejected = sum(each.rejected_items for each in figures)
        rows = {delivery.endpoint.name: sum(each.items for each in figures), REJECTED: rejected}
        tell_rows(pipeline, rows if delivery.changes is None else {**rows, CHANGES: delivery.changes.length})
    return info


def _told(result: LoadResult) -> str:
    """What the second half of a load has done. Partitions without items are told where all are unchanged."""
    windows = [window for window in result.windows if window.figures.items]
    left, all_windows = sum(each.window in result.unchanged for each in windows), len(windows)
    if not left:
        return "stored"
    if left == all_windows:
        empty = len(result.windows) - all_windows
        others = f" and {empty:,} without items" if empty else ""
        as_now = "it is" if left + empty == 1 else "they are"
        return f"{counted(left, 'partition')}{others} found unchanged, and left as {as_now},"
    return f"stored {counted(all_windows - left, 'partition')}, and found {left:,} unchanged,"


def _stored_schema(pipeline: Pipeline) -> Schema | None:
    with pipeline.destination_client() as client:
        return stored_schema(client)


def _changes_nothing(fetched: Fetched, catalog: Catalog, look: FirstLook, held: HeldRows) -> bool:
    """Whether there is nothing to store, and nothing to delete, so that a store would only take its time.

    The tables, what dlt remembers of them, and its own copy of that have to be there, or storing makes them.
    """
    target, windows = target_of(catalog), fetched.complete_windows
    return (
        fetched.request.endpoint.replaces is Replaces.DAY
        and look.table is not None
        and look.owner == catalog.settings.base_url
        and not scope_of(catalog.settings)  # of which the feed is told
        and not any(window.spool.files or window.spool.rejected for window in windows)
        and held.has_none_of(window.window for window in windows)
        and are_published(target.pipeline_name, target.published_folders())
    )
