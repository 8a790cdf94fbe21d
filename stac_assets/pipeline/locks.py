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
from dlt.pipeline.pipeline import Pipeline
from filelock import FileLock, Timeout

from stac_assets.pipeline.target import duckdb_file
from stac_assets.stac.errors import StacError

STORAGE_VERSION = "v1.5.0"
"""The first DuckDB storage version that compresses long text, which is what item tables are made of."""
POLL_SECONDS = 0.25

logger = logging.getLogger("stac_assets")


class DatasetBusy(StacError):
    """Somebody else held the dataset for longer than `lock_timeout`."""


@contextmanager
def dataset_lock(pipeline: Pipeline, timeout: float) -> Iterator[None]:
    """Hold the dataset that `pipeline` writes, so that no other run on this machine stores into it.

    Two loads that merge into one dataset at the same time share its staging tables and lose rows.

    Raises:
        DatasetBusy: it was not free within `timeout` seconds.
    """
    file = duckdb_file(pipeline)
    name = f"{pipeline.destination.destination_type}|{location(pipeline)}|{pipeline.dataset_name}"  # type: ignore[union-attr]
    folder = Path(active().get_data_entity("stac_assets_locks"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock"
    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("waiting for another run that stores into %s", file or pipeline.dataset_name)
            lock.acquire(timeout=timeout)
    except Timeout:
        raise DatasetBusy(
            f"another run has been storing into {file or pipeline.dataset_name} for more than {timeout:g} s; "
            "let it finish, or raise `lock_timeout`. Nothing was stored"
        ) from None
    with lock:
        lock.release()  # acquired twice; the context holds it once
        if file is not None:
            wait_for_duckdb(file, timeout)
        yield


def location(pipeline: Pipeline) -> str:
    """Where the destination is, without any credential: for a file its absolute path."""
    file = duckdb_file(pipeline)
    if file is not None:
        return str(file.absolute())
    return pipeline.destination_client().config.fingerprint()


def wait_for_duckdb(file: Path, timeout: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait until no other process holds the DuckDB file; create it if there is none.

    A new file gets the storage version that compresses long text; dlt would create it with the oldest.

    Raises:
        DatasetBusy: it is still held after `timeout` seconds; the message says by whom.
    """
    deadline = time.monotonic() + timeout
    told = False
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            duckdb.connect(str(file), config={"storage_compatibility_version": STORAGE_VERSION}).close()
            return
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise StacError(f"DuckDB cannot open {file}: {str(error).splitlines()[0]}") from None
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
