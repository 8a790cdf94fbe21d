"""Loads into files that are killed with SIGKILL in the midst of storing (see `forked`)."""

import os
import signal
from pathlib import Path
from typing import Any, NoReturn

from stac_assets.source.columns import ITEM_TABLES
from stac_assets_tests.loads import load_catalog, load_days

DELTA_MOMENTS = ("upload", "uploaded", "committed")
"""Before the first new file is there, when all are and the log says nothing of them, and when it does."""


def load_and_die(url: str, resource: str, table: str, moment: str, last: str | None = None) -> None:
    """Load 2024-01-01 of c1 (and the days up to `last`), or a catalog table; die at a moment."""
    (die_in_hive if moment.isdigit() else die_in_delta)(table, moment)
    if resource in ITEM_TABLES:
        load_days(url, resource, last=last)
    else:
        load_catalog(url, resource, ["c1"])


def die_in_delta(table: str, moment: str) -> None:
    """Kill this process at one of `DELTA_MOMENTS` of a table."""
    from deltalake import DeltaTable

    from stac_assets.pipeline.destinations.filesystem.delta import DeltaFiles

    upload, commit = DeltaFiles._upload, DeltaTable.create_write_transaction

    def is_it(url: str) -> bool:
        return url.rstrip("/").endswith(f"/{table}")

    def _upload(self: Any, *args: Any) -> Any:
        if moment == "upload" and is_it(self._url):
            _die()
        return upload(self, *args)

    def create_write_transaction(self: Any, *args: Any, **kwargs: Any) -> None:
        if moment == "uploaded" and is_it(self.table_uri):
            _die()
        commit(self, *args, **kwargs)
        if moment == "committed" and is_it(self.table_uri):
            _die()

    DeltaFiles._upload = _upload  # type: ignore[method-assign]
    DeltaTable.create_write_transaction = create_write_transaction  # type: ignore[method-assign]


def die_in_hive(table: str, number: str) -> None:
    """Kill this process when the file of that number is about to take its place in a table."""
    import shutil

    copy = shutil.copyfile
    left = [int(number)]

    def copyfile(source: Path, target: Path) -> Any:
        done = copy(source, target)
        if not left[0]:
            _die()
        left[0] -= 1
        return done

    shutil.copyfile = copyfile  # type: ignore[assignment]


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
