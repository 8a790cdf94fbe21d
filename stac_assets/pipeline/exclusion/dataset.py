"""Taking turns: who stores holds the dataset, on this machine, in its DuckDB file, or on its server."""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
from dlt.common.runtime.run_context import active
from dlt.pipeline.pipeline import Pipeline
from filelock import FileLock, Timeout

from stac_assets.pipeline.exclusion import own_staging
from stac_assets.pipeline.exclusion.advisory_lock import SERVER_LOCKS
from stac_assets.pipeline.exclusion.waiting import DatasetBusy, Holder, Tell, Wait
from stac_assets.pipeline.failures import StoreFailed, causes
from stac_assets.pipeline.target import Place

__all__ = ["DatasetBusy", "Turn", "dataset_lock", "named_lock"]

STORAGE_VERSION = "v1.5.0"
"""The first DuckDB storage version that compresses long text well, which is what item tables are made of."""

T = TypeVar("T")

logger = logging.getLogger("stac_assets")


def named_lock(name: str) -> FileLock:
    """A lock among all processes of this machine; its file lies in dlt's data folder."""
    folder = Path(active().get_data_entity("stac_assets_locks"))
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock")


@dataclass(frozen=True)
class Turn:
    """What whoever holds a dataset needs to know."""

    wait: Wait
    staging: str | None = None
    """dlt's `staging_dataset_name_layout`, where the load needs a staging dataset of its own."""

    def opened(self, file: Path, open_file: Callable[[], T]) -> T:
        """What `open_file` returns, as soon as no other process holds the DuckDB file.

        Others than loads, a notebook say, ask for no turn.

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
            self.wait.on(
                f"the DuckDB file {file}",
                holder,
                "DuckDB lets one process in, readers included. Close that connection (a notebook?)",
            )


@contextmanager
def dataset_lock(
    place: Place,
    timeout: float,
    pipeline: Pipeline | None = None,
    *,
    doing: str | None = None,
    tell: Tell = logger.info,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Turn]:
    """Hold a dataset, so that no other run stores into it.

    Two loads that merge into one dataset at the same time share its staging tables and lose rows. Whoever
    dies holds nothing any longer: the locks are the operating system's, DuckDB's and the server's own.

    Args:
        place: the dataset.
        timeout: seconds to wait for all who are before us.
        pipeline: to store with; the lock is held on its server too. Without one, on this machine only.
        doing: the run or command, for those that wait for this one.
        tell: told in a line who is waited for.
        sleep: lets so many seconds pass.

    Raises:
        DatasetBusy: it was not free in time; the message says who has it.
        StoreFailed: the DuckDB file cannot be opened.
    """
    wait = Wait(timeout, tell, sleep)
    with ExitStack() as held:
        held.enter_context(_this_machine(place, wait, doing))
        turn = Turn(wait)
        if place.file is not None:
            _make_ready(place.file, turn)
        elif pipeline is not None and place.destination_type in SERVER_LOCKS:
            held.enter_context(SERVER_LOCKS[place.destination_type](pipeline, wait, doing))
        elif pipeline is not None and place.destination_type in own_staging.WITHOUT_LOCKS:
            turn = Turn(wait, own_staging.new_layout())
        wait.over()
        yield turn


@contextmanager
def _this_machine(place: Place, wait: Wait, doing: str | None) -> Iterator[None]:
    lock = named_lock(f"{place.destination_type}|{place.location}|{place.dataset_name}")
    note = Path(lock.lock_file).with_suffix(".holder")
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            wait.on(str(place), str(Holder.read(note) or "another process"), "Let it finish")
    try:
        Holder.this(doing).write(note)
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _make_ready(file: Path, turn: Turn) -> None:
    """Wait until no other process has the DuckDB file; create it if there is none.

    A new file gets the storage version that compresses long text; dlt would create it with the oldest.
    """
    file.parent.mkdir(parents=True, exist_ok=True)

    def opened() -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(file), config={"storage_compatibility_version": STORAGE_VERSION})

    try:
        turn.opened(file, opened).close()
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
