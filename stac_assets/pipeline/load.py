"""A load: fetch, then store.

dlt's extract step decides the schema, so two extracts from one restored schema would corrupt it. Fetching is
therefore done before, in parallel and outside dlt; the store (sync, settle, extract, normalize, load) is done
under a lock, one at a time per dataset, and per DuckDB file.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path

from dlt.common.pipeline import LoadInfo
from dlt.common.schema import Schema
from dlt.common.schema.typing import TTableSchema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.catalog import Catalog
from stac_assets.pipeline.comparison import refuse_unfit, stored_schema
from stac_assets.pipeline.destinations.base import storage_of
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.exclusion.tables_of_others import run_beside_others
from stac_assets.pipeline.failures import told_once_stored, told_plainly
from stac_assets.pipeline.first_look import FirstLook, first_look
from stac_assets.pipeline.folders import are_published, publish, run_folder
from stac_assets.pipeline.held_rows import HeldRows
from stac_assets.pipeline.inspection import inspect
from stac_assets.pipeline.inspection_result import Inspection
from stac_assets.pipeline.mending import mended
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.target import Target, target_of
from stac_assets.pipeline.trace import tell_rows
from stac_assets.source import build_source
from stac_assets.source.columns import REJECTED
from stac_assets.source.delivery import Delivery
from stac_assets.source.fetch import Fetched, fetch
from stac_assets.source.fetched import FetchedWindow, Progress
from stac_assets.source.memory import give_back
from stac_assets.source.ownership import check_owner
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import Refused, Replaces
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.wording import counted

logger = logging.getLogger("stac_assets")


@dataclass
class LoadResult:
    """What a load did. Seconds are those of the clock.

    Args:
        request: what was asked for.
        target: where the rows went.
        figures: of all windows that were fetched to their end, or of the table.
        windows: the partitions that are stored.
        failed: the partitions that are as they were before.
        refused: the documents of a catalog table that were not to be had.
        misfits: how many values fit no column, by property.
        fetch_seconds: of the first half.
        store_seconds: of the second half.
        load_info: what dlt says of it; None if nothing was stored, or nothing was to be stored.
        table: the stored table as dlt's schema describes it.
        inspection: what the destination holds, if that was counted.
        location: where the table is, as people read it.
        url: where the rows of a table come from that has no items.
        collection_ids: the ids of all collections of the API, if the endpoint lists them.
    """

    request: LoadRequest
    target: Target
    figures: Figures
    windows: list[FetchedWindow] = field(default_factory=list)
    failed: list[FetchedWindow] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    misfits: dict[str, int] = field(default_factory=dict)
    fetch_seconds: float = 0.0
    store_seconds: float = 0.0
    load_info: LoadInfo | None = None
    table: TTableSchema | None = None
    inspection: Inspection | None = None
    location: str = ""
    url: str | None = None
    collection_ids: tuple[str, ...] | None = None

    def raise_on_failures(self) -> None:
        """Raise an error that names every window and every document that failed.

        Raises:
            PartsFailed: some did.
        """
        if self.failed:
            raise WindowsFailed(self.failed, len(self.windows))
        if self.refused:
            raise DocumentsRefused(self.refused)


class PartsFailed(StacError):
    """Something of what was requested could not be fetched; the rest is stored."""


class DocumentsRefused(PartsFailed):
    """Some documents of a catalog table were not to be had; the others are stored."""

    def __init__(self, refused: list[Refused]) -> None:
        names = "\n".join(f"  {refused.name}: {refused.error}" for refused in refused)
        told = counted(len(refused), "document was", "documents were")
        super().__init__(f"{told} not to be had, the others are stored:\n{names}")


class WindowsFailed(PartsFailed):
    """Some windows could not be fetched; the others are stored."""

    def __init__(self, failed: list[FetchedWindow], stored: int) -> None:
        names = "\n".join(f"  {_named(list(group))}" for _, group in groupby(failed, _cause))
        many = "partitions failed and are as they were before"
        told = counted(len(failed), "partition failed and is as it was before", many)
        super().__init__(f"{told}, {stored} stored:\n{names}")
        self.failed = failed


def _cause(failed: FetchedWindow) -> tuple[str, int]:
    """What windows have in common that are named in one line: a collection, and the very same error."""
    return failed.window.collection, id(failed.error)


def _named(failed: list[FetchedWindow]) -> str:
    first, more = failed[0], f" and {len(failed) - 1:,} more" if len(failed) > 1 else ""
    return f"{first.window}{more}: {first.error}"


def load(
    request: LoadRequest,
    catalog: Catalog,
    *,
    progress: Progress | None = None,
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
        _store(fetched, catalog, result, access, folder / "pipelines", inspected)
        result.store_seconds = time.monotonic() - started
        stage(f"stored in {result.store_seconds:.1f} s")
    return result


def _store(
    fetched: Fetched,
    catalog: Catalog,
    result: LoadResult,
    access: DatasetAccess,
    folder: Path,
    inspected: bool,
) -> None:
    storage, place, endpoint = access.storage, access.place, fetched.request.endpoint
    name = endpoint.name
    delivery = Delivery(fetched, catalog.settings, storage.form(access.pipeline, folder.parent))
    with access.held() as hold, storage.storing(place, folder, hold, delivery) as pipeline:
        source = build_source([delivery])
        if storage.compares:
            known, types = mended(pipeline, endpoint, source.schema)
            delivery.refuse_unfit = partial(refuse_unfit, pipeline, name, types)
        else:
            known = _stored_schema(pipeline)
        source.schema = known or source.schema
        storage.check(lambda: source.schema)
        columns = set(source.schema.tables.get(name, {}).get("columns", {}))
        info = run_beside_others(pipeline, source, known) if hold.staging else pipeline.run(source)
        info.raise_on_failed_jobs()
        if endpoint.has_items:
            tell_rows(pipeline, {name: fetched.figures.items, REJECTED: fetched.figures.rejected_items})
        publish(pipeline, result.target.published_folders())
        if inspected:
            with told_once_stored(result.target.describe()):
                result.inspection = inspect(pipeline, fetched, columns)
        result.load_info = info
        result.table = pipeline.default_schema.tables.get(name)
    result.misfits = dict(delivery.misfits)
    result.location = str(place)


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
        and not any(window.spool.files or window.spool.rejected for window in windows)
        and held.has_none_of(window.window for window in windows)
        and are_published(target.pipeline_name, target.published_folders())
    )
