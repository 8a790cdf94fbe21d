"""A DuckDB file, which lets one process in, readers included: waiting until it is free."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

from stac_assets.pipeline.errors import StoreFailed, causes
from stac_assets.pipeline.exclusion.waiting import Wait

STORAGE_VERSION = "v1.5.0"
"""The first DuckDB storage version that compresses long text well, which is what item tables are made of."""
BLOCK_SIZE = 16_384
"""Bytes of a block of a new file, the least that DuckDB has.

Each column of a table holds some blocks while rows are stored: with DuckDB's own of 256 KiB, 1,500 columns
are more than a gigabyte.
"""

T = TypeVar("T")


def database_name(file: Path) -> str:
    """What DuckDB calls a file that it opens: `items` for `items.v2.duckdb`. It knows no case."""
    return next((part for part in file.name.split(".") if part), "").lower()


def opened(file: Path, open_file: Callable[[], T], wait: Wait) -> T:
    """What `open_file` returns, as soon as no other process holds the file.

    Others than loads, a notebook say, do not ask whether it is free.

    Raises:
        DatasetBusy: it is still held after `lock_timeout`; the message says by whom.
    """
    while True:
        try:
            return open_file()
        except Exception as error:
            holder = _holder_in(error)
            if holder is None:
                raise
        wait.on(
            f"the DuckDB file {file}",
            holder,
            "DuckDB lets one process in, readers included. Close that connection (a notebook?)",
        )


def make_ready(file: Path, wait: Wait) -> None:
    """Wait until no other process has the file; create it if there is none.

    A new file gets the storage version that compresses long text, and small blocks; dlt would create it with
    the oldest version, and with blocks that make a table of many columns dear.

    Raises:
        DatasetBusy: it is still held after `lock_timeout`.
        StoreFailed: DuckDB cannot open it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)

    def connection() -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            str(file),
            config={"storage_compatibility_version": STORAGE_VERSION, "default_block_size": BLOCK_SIZE},
        )

    try:
        opened(file, connection, wait).close()
    except duckdb.IOException as error:
        reason = str(error).splitlines()[0]
        raise StoreFailed(f"DuckDB cannot open {file}: {reason}. Nothing was stored") from None


def _holder_in(error: Exception) -> str | None:
    """The process that DuckDB says has the file; None for another error."""
    for cause in causes(error):
        if "could not set lock" in str(cause).lower():
            found = re.search(r"held in (.+?) \(PID (\d+)\)", str(cause))
            return f"process {found[2]} ({found[1]})" if found else "another process"
    return None
