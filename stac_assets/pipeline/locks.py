"""One store at a time: a file lock per dataset on this machine, and DuckDB's own lock on its file."""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from dlt.common.runtime.run_context import active
from filelock import FileLock, Timeout

from stac_assets.pipeline.failures import StoreFailed
from stac_assets.pipeline.target import Place
from stac_assets.stac.errors import StacError

STORAGE_VERSION = "v1.5.0"
"""The first DuckDB storage version that compresses long text well, which is what item tables are made of."""
POLL_SECONDS = 0.25

logger = logging.getLogger("stac_assets")


class DatasetBusy(StacError):
    """Somebody else held the dataset for longer than `lock_timeout`."""


def named_lock(name: str) -> FileLock:
    """A lock among all processes of this machine; its file lies in dlt's data folder."""
    folder = Path(active().get_data_entity("stac_assets_locks"))
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock")


@contextmanager
def dataset_lock(place: Place, timeout: float) -> Iterator[None]:
    """Hold a dataset, so that no other run on this machine stores into it.

    Two loads that merge into one dataset at the same time share its staging tables and lose rows.

    Raises:
        DatasetBusy: it was not free within `timeout` seconds.
    """
    lock = named_lock(f"{place.destination_type}|{place.location}|{place.dataset_name}")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("waiting for another run that stores into %s", place)
            lock.acquire(timeout=timeout)
    except Timeout:
        raise DatasetBusy(
            f"another run has been storing into {place} for more than {timeout:g} s; "
            "let it finish, or raise `lock_timeout`. Nothing was stored"
        ) from None
    try:
        if place.file is not None:
            wait_for_duckdb(place.file, timeout)
        yield
    finally:
        lock.release()


def wait_for_duckdb(file: Path, timeout: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait until no other process holds the DuckDB file; create it if there is none.

    A new file gets the storage version that compresses long text; dlt would create it with the oldest.

    Raises:
        DatasetBusy: it is still held after `timeout` seconds; the message says by whom.
        StoreFailed: it cannot be opened for another reason.
    """
    deadline = time.monotonic() + timeout
    told = False
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            duckdb.connect(str(file), config={"storage_compatibility_version": STORAGE_VERSION}).close()
            return
        except duckdb.IOException as error:
            if "could not set lock" not in str(error).lower():
                reason = str(error).splitlines()[0]
                raise StoreFailed(f"DuckDB cannot open {file}: {reason}. Nothing was stored") from None
            holder = _holder(str(error))
            if time.monotonic() >= deadline:
                raise DatasetBusy(
                    f"the DuckDB file {file} is held by {holder}; DuckDB lets one process in, readers "
                    f"included. Close that connection (a notebook?) and run again. Waited {timeout:g} s "
                    "(`lock_timeout`); nothing was stored"
                ) from None
            if not told:
                logger.warning("waiting for the DuckDB file %s, which is held by %s", file, holder)
                told = True
            sleep(POLL_SECONDS)


def _holder(message: str) -> str:
    found = re.search(r"held in (.+?) \(PID (\d+)\)", message)
    return f"process {found[2]} ({found[1]})" if found else "another process"
