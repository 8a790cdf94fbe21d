"""Locks among the processes of this machine, which the operating system frees when a holder dies."""

import hashlib

from filelock import FileLock

from stac_assets.settings.machine import machine_folder


def named_lock(name: str) -> FileLock:
    """A lock among all processes of this machine; its file lies in dlt's data folder."""
    folder = machine_folder("stac_assets_locks")
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock")
