"""Loads in processes of their own, which share what hosts share: a server, and no file."""

import os
from dataclasses import replace
from pathlib import Path

from stac_assets.catalog import Catalog
from stac_assets.pipeline.load import load
from stac_assets.source.dialects import DIALECTS, OTHER, Locking
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.windows import parse_day
from stac_assets_tests.forked import Call, Forker, say
from stac_assets_tests.loads import settings_for

PROTECTIONS = ("none", "lock", "own staging")


class Host(Forker):
    """A host: its locks' files are its own.

    Args:
        folder: of these files.
        name: of the host.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder / name

    def load(self, url: str, day: str, protection: str = "lock", lock_timeout: float = 60) -> Call:
        """Begin to load a day of c1; it says whom it waits for."""
        return self.start(
            load_day,
            url=url,
            day=day,
            folder=str(self._folder),
            doing=f"load on {self.name}",
            protection=protection,
            lock_timeout=lock_timeout,
        )


def load_day(url: str, day: str, folder: str, doing: str, protection: str, lock_timeout: float) -> int:
    """What `Host.load` does, on the host; how many partitions it has stored.

    Without the lock it stores as dlt does, by way of staging tables, as into warehouses that have no lock.
    """
    os.environ["DLT_DATA_DIR"] = folder
    if protection != "lock":
        locking = Locking.OWN_STAGING if protection == "own staging" else Locking.MACHINE
        DIALECTS["postgres"] = replace(DIALECTS["postgres"], locking=locking, storage=OTHER.storage)
    settings = settings_for(url, lock_timeout=lock_timeout)
    windows = tuple(settings.windows("c1", parse_day(day, "day"), parse_day(day, "day")))
    result = load(LoadRequest(SEARCH, windows), Catalog(settings), doing=doing, tell=say)
    result.raise_on_failures()
    return len(result.windows)
