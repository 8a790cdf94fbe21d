"""Locks among the processes of this machine, which the operating system frees when a holder dies."""

import hashlib
from pathlib import Path

from dlt.common.runtime.run_context import active
from filelock import FileLock


def named_lock(name: str) -> FileLock:
    """A lock among all processes of this machine; its file lies in dlt's data folder."""
    folder = Path(active().get_data_entity("stac_assets_locks"))
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock")
