"""A job done as far as the API goes: what was fetched for it."""

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from stac_assets.settings import Settings
from stac_assets.source.columns import CATALOG_COLUMNS, ITEM_TABLES
from stac_assets.source.limits import held
from stac_assets.source.reader import FetchedWindow, Progress, fetch_windows
from stac_assets.source.request import Job
from stac_assets.stac.api import StacApi
from stac_assets.stac.endpoints import ENDPOINTS, Row
from stac_assets.stac.figures import Figures

__all__ = ["Fetched", "Job", "fetch"]

NAMES = ("id", "name", "href", "uri")
"""Columns by which a row of a catalog table is called in messages, whichever it has."""

logger = logging.getLogger("stac_assets")


@dataclass
class Fetched:
    """What the API gave for a job: windows of items, or rows of a catalog table."""

    job: Job
    windows: list[FetchedWindow] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    url: str | None = None
    """Where the rows of a catalog table come from."""
    misfits: Counter[str] = field(default_factory=Counter)
    """How many cells of each column of a catalog table the destination cannot hold as they are."""

    def add(self, row: Row, destination: str) -> None:
        """Add a row of a catalog table, as the destination can hold it."""
        cells, reasons = held(row, CATALOG_COLUMNS[self.job.resource], destination)
        for column, reason in reasons.items():
            name = next((cells[each] for each in NAMES if cells.get(each)), "")
            logger.warning("%s %s: %s does not fit its column: %s", self.job.resource, name, column, reason)
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


def fetch(
    job: Job,
    settings: Settings,
    folder: Path,
    progress: Progress | None = None,
    cancelled: threading.Event | None = None,
) -> Fetched:
    """Ask the API for everything that `job` names; rows of items go to files in `folder`."""
    cancelled = cancelled or threading.Event()  # one for all: what an error in a window sets stops the others
    api = StacApi(settings.api, cancelled)
    fetched = Fetched(job)
    if job.resource in ITEM_TABLES:
        fetched.windows = fetch_windows(
            api,
            job.resource,
            job.windows,
            folder,
            narrowing=settings.narrowing,
            item_ids=dict(job.item_ids),
            max_items=settings.max_items,
            destination=settings.destination,
            progress=progress,
            cancelled=cancelled,
        )
        for window in fetched.complete_windows:
            fetched.figures.add(window.figures)
        return fetched
    read = ENDPOINTS[job.resource].rows
    for row in read(api, job.collections) if read else ():
        fetched.add(row, settings.destination)
    fetched.url = api.landing.url_of(job.resource)
    fetched.figures = api.transport.totals
    fetched.figures.items = len(fetched.rows)
    return fetched
