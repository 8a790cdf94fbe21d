"""What a load would change in its table: which windows are stored already, and what the others change."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity, SqlClientNotAvailable
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.exceptions import PipelineConfigMissing
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.changes.stored_feed import StoredFeed
from stac_assets.settings import Settings
from stac_assets.source.changes.feed import CHANGES, Changes
from stac_assets.source.columns import FINGERPRINT, REJECTED
from stac_assets.source.delivery import Delivery
from stac_assets.source.dlt_log import first_line
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.fingerprint import scope_of
from stac_assets.stac.endpoints import Replaces
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window

if TYPE_CHECKING:  # it is imported with the first row
    from stac_assets.pipeline.changes.portion import Telling

ROWS = 100_000
"""About as many rows are compared at a time."""

logger = logging.getLogger("stac_assets")


def find_changes(
    pipeline: Pipeline, delivery: Delivery, settings: Settings, known: Schema | None, folder: Path
) -> None:
    """Tell a delivery which of its windows the table holds already, and what the others change.

    Where the destination cannot be asked by SQL, all windows are stored, and nothing is told.

    Args:
        pipeline: which stores, and holds the dataset, so that nobody else stores meanwhile.
        delivery: what was fetched.
        settings: whether changes are told, and by which filters was asked.
        known: the schema that the destination remembers.
        folder: for the file of the changes.
    """
    fetched = delivery.fetched.complete_windows
    is_new = known is None or delivery.endpoint.name not in known.tables
    if delivery.endpoint.replaces is not Replaces.DAY:
        return
    if is_new and not scope_of(settings) and not any(each.spool.files for each in fetched):
        delivery.changes = Changes(folder) if settings.item_changes else None
        return  # an empty table is made, for which nothing is imported
    try:
        if known is not None and not isinstance(pipeline.destination_client(), SqlJobClientBase):
            pipeline.sync_destination()  # files are found by the schema
        with pipeline.sql_client() as client:
            _Finding(client, delivery, settings, known, folder).find()
    except (SqlClientNotAvailable, PipelineConfigMissing):
        return
    except (DatabaseException, DestinationUndefinedEntity) as error:
        logger.warning(
            "what was stored before cannot be compared, so that no changes are told (%s)", first_line(error)
        )


class _Finding:
    def __init__(
        self, client: object, delivery: Delivery, settings: Settings, known: Schema | None, folder: Path
    ) -> None:
        self._client: Any = client
        self._delivery = delivery
        self._settings = settings
        self._tables = known.tables if known else {}
        self._columns = self._tables.get(delivery.endpoint.name, {}).get("columns", {})
        self._folder = folder

    def find(self) -> None:
        from stac_assets.pipeline.changes.portion import Portion
        from stac_assets.pipeline.changes.stored_items import NothingStored, StoredItems
        from stac_assets.source.changes.misfits import misfits_in

        delivery, name = self._delivery, self._delivery.endpoint.name
        has_geometries = delivery.has_geometries(self._columns)
        stored = (
            StoredItems(self._client, name, FINGERPRINT in self._columns)
            if self._columns
            else NothingStored(name)
        )
        telling = self._telling() if self._settings.item_changes else None
        if telling and telling.feed and not (delivery.takes_rows and delivery.form.takes_changes):
            owners = Owners(each.window for each in delivery.fetched.complete_windows)
            of_rows = stored.loads(owners)
            told = telling.feed.loads(owners).items()
            telling.killed = {key for key, load in told if key in of_rows and of_rows[key] < load}
        found = set[Window]()
        for some in _portions(delivery.fetched.complete_windows):
            portion = Portion(some, stored, delivery.prefix(has_geometries, telling is not None), telling)
            found |= portion.unchanged(REJECTED in self._tables)
        left = [each for each in delivery.fetched.complete_windows if each.window in found]
        misfits = misfits_in((file for each in left for file in each.spool.files), self._columns)
        shapes = Owners(each.window for each in left if each.spool.files)
        if has_geometries and shapes and (lacking := stored.without_geometry(shapes)):
            misfits["geometry"] = lacking
        delivery.unchanged, delivery.misfits_that_stay = found, misfits
        delivery.changes = telling.changes if telling else None
        if telling:
            owners = Owners(each.window for each in delivery.fetched.complete_windows)
            for key, seen_at in telling.newest.items():
                if (window := owners.of(key)) is not None:
                    last = delivery.last_changes.get(window, seen_at)
                    delivery.last_changes[window] = max(last, seen_at)

    def _telling(self) -> Telling:
        from stac_assets.pipeline.changes.portion import Telling

        now = datetime.now(UTC)
        changes, name = Changes(self._folder), self._delivery.endpoint.name
        told = Telling(changes, name, now, scope_of(self._settings))
        if CHANGES in self._tables:
            told.feed = StoredFeed(self._client, name)
            last = told.feed.last_seen()
            if last is not None and last >= now:  # a clock that goes back must not mix up the order
                told.seen_at = last + timedelta(microseconds=1)
            windows = [each.window for each in self._delivery.fetched.complete_windows]
            told.empty_days = told.feed.empty_days(windows)
            told.newest = told.feed.newest(Owners(windows))
        return told


def _portions(windows: Iterable[FetchedWindow]) -> Iterator[list[FetchedWindow]]:
    some, rows = list[FetchedWindow](), 0
    for window in windows:
        some.append(window)
        rows += window.figures.items
        if rows >= ROWS:
            yield some
            some, rows = [], 0
    if some:
        yield some
