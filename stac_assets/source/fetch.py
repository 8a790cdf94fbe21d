"""The first half of a load: what the API gave for a request."""

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from stac_assets.settings import Settings
from stac_assets.source.columns import CATALOG_COLUMNS
from stac_assets.source.dialects import Dialect
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.limits import storable
from stac_assets.source.progress import SILENT, Progress
from stac_assets.source.reader import fetch_windows
from stac_assets.source.request import LoadRequest
from stac_assets.source.shrunk import HeldRows
from stac_assets.stac.api import StacApi
from stac_assets.stac.endpoints import Refused, Row
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures

NAMES = ("id", "name", "href", "uri")
"""Columns by which a row of a catalog table is called in messages, whichever it has."""

logger = logging.getLogger("stac_assets")


@dataclass
class Fetched:
    """What the API gave for a request: windows of items, or the rows of a catalog table."""

    request: LoadRequest
    windows: list[FetchedWindow] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    url: str | None = None
    """The URL that the rows of a catalog table come from."""
    refused: list[Refused] = field(default_factory=list)
    """The documents of a catalog table that were not to be had."""
    misfits: Counter[str] = field(default_factory=Counter)
    """How many cells of each column of a catalog table the destination cannot hold as they are."""
    collection_ids: tuple[str, ...] | None = None
    """The ids of all collections of the API, in its order; None where the endpoint does not list them."""

    def add(self, row: Row, dialect: Dialect) -> None:
        """Add a row of a catalog table, as the destination can hold it."""
        table = self.request.endpoint.name
        cells, reasons = storable(row, CATALOG_COLUMNS[table], dialect)
        for column, reason in reasons.items():
            name = next((cells[each] for each in NAMES if cells.get(each)), "")
            logger.warning("%s %s: %s does not fit its column: %s", table, name, column, reason)
        self.misfits.update(list(reasons))
        self.rows.append(cells)

    @property
    def complete_windows(self) -> list[FetchedWindow]:
        """The windows that were fetched to their end."""
        return [window for window in self.windows if window.error is None]

    @property
    def failed_windows(self) -> list[FetchedWindow]:
        """The windows that were not."""
        return [window for window in self.windows if window.error is not None]

    def raise_on_failures(self) -> None:
        """Refuse to go on without a part that failed, as in somebody's own dlt run: it is all or nothing.

        Raises:
            StacError: a window or a document failed; the message names each.
        """
        if self.refused:
            names = "; ".join(f"{refused.name}: {refused.error}" for refused in self.refused)
            raise StacError(f"nothing was stored, because these documents were refused: {names}")
        if self.failed_windows:
            names = "; ".join(f"{failed.window}: {failed.error}" for failed in self.failed_windows)
            raise StacError(f"nothing was stored, because these windows failed: {names}")


def fetch(
    request: LoadRequest,
    settings: Settings,
    folder: Path,
    dialect: Dialect,
    progress: Progress = SILENT,
    cancelled: threading.Event | None = None,
    held: HeldRows | None = None,
) -> Fetched:
    """Ask the API for everything that is requested.

    Args:
        request: the endpoint, and which part of it.
        settings: the API and how to ask it.
        folder: an empty folder; the rows of items go to files there.
        dialect: of the destination, for what that cannot hold.
        progress: is told how far it is.
        cancelled: set it to stop.
        held: counts what the table holds of windows; without it no answer that has shrunk is doubted.

    Raises:
        Cancelled: `cancelled` was set.
        StacError: the API does not have the endpoint, or failed. The error of a single window is in that.
    """
    cancelled = cancelled or threading.Event()  # one for all: what an error in a window sets stops the others
    api = StacApi(settings.api, cancelled)
    fetched = Fetched(request)
    endpoint = request.endpoint
    if endpoint.has_items:
        fetched.windows = fetch_windows(
            api,
            endpoint,
            request.windows,
            folder,
            narrowing=settings.narrowing,
            item_ids=request.item_ids,
            max_items=settings.max_items,
            largest_whole=settings.largest_whole_collection,
            dialect=dialect,
            listed=request.listed,
            held=held if settings.confirm_shrunk else None,
            progress=progress,
            cancelled=cancelled,
        )
        for window in fetched.complete_windows:
            fetched.figures.add(window.figures)
        return fetched
    ids: list[str] = []
    for row in endpoint.rows(api, request.collections) if endpoint.rows else ():
        if isinstance(row, Refused):
            logger.error("%s %s: %s", endpoint.name, row.name, row.error)
            fetched.refused.append(row)
            continue
        fetched.add(row, dialect)
        if endpoint.lists_collections and row["id"] is not None:
            ids.append(row["id"])
    if fetched.refused and not fetched.rows:
        raise fetched.refused[0].error
    fetched.collection_ids = tuple(ids) if endpoint.lists_collections else None
    fetched.url = api.landing.url_of(endpoint.name)
    fetched.figures = api.transport.totals
    fetched.figures.items = len(fetched.rows)
    return fetched
