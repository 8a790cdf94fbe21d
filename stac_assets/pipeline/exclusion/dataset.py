"""Holding a dataset: on this machine, and in its file or on its server, one load after the other."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dlt.pipeline.pipeline import Pipeline
from filelock import Timeout

from stac_assets.pipeline.destinations.base import Storage
from stac_assets.pipeline.exclusion.machine_lock import named_lock
from stac_assets.pipeline.exclusion.waiting import DatasetBusy, Hold, Holder, Tell, Wait
from stac_assets.pipeline.place import Place

__all__ = ["DatasetBusy", "dataset_lock"]

logger = logging.getLogger("stac_assets")


@contextmanager
def dataset_lock(
    storage: Storage,
    place: Place,
    timeout: float,
    pipeline: Pipeline | None = None,
    *,
    doing: str | None = None,
    tell: Tell = logger.info,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Hold]:
    """Hold a dataset, so that no other run stores into it; with it all others of the same DuckDB file.

    Two loads that merge into one dataset at the same time share its staging tables and lose rows. Whoever
    dies holds nothing any longer: the locks are the operating system's, DuckDB's and the server's own.

    Args:
        storage: knows how the destination is locked.
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
        hold = held.enter_context(storage.holding(place, wait, pipeline, doing))
        wait.over()
        yield hold


@contextmanager
def _this_machine(place: Place, wait: Wait, doing: str | None) -> Iterator[None]:
    lock = named_lock(place.turn)
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
