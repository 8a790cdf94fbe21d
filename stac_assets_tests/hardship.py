"""Hard times for a load, in a process of its own (see `forked`): small disks, and folders that are read-only.

Both are mounts that only that process sees. Where a process may not mount, tests that need it are skipped.
"""

import ctypes
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from stac_assets.cli.main import main
from stac_assets.pipeline.folders import run_folder
from stac_assets_tests.loads import DATASET, query

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
ROOMY = "64m"
DAY = ["--start", "2024-01-01", "--end", "2024-01-01"]

Said = tuple[int, str]
"""The status of a command, and what it said on stderr."""


def load() -> Said:
    """`stac-assets load` of 2024-01-01, as configured."""
    told = StringIO()
    with redirect_stdout(StringIO()), redirect_stderr(told):
        status = main(["load", *DAY])
    return status, told.getvalue()


def load_on_small_disk(where: str, size: str, file: str) -> tuple[Said, list[float], Said, list[float]]:
    """Load twice: `where` is on a disk of that size (as mount(8) spells it) first, on a larger one then.

    Returns what each said, and what column `v` of `search` held in the DuckDB file afterwards.
    """
    _see_own_mounts()
    with _kept(Path(where)):
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", where)
    os.chdir(Path.cwd())
    on_small, held = load(), _versions(file)
    _mount("-o", f"remount,size={ROOMY}", where)
    return on_small, held, load(), _versions(file)


def _versions(file: str) -> list[float]:
    return [row["v"] for row in query(f"SELECT DISTINCT v FROM {DATASET}.search ORDER BY v", Path(file))]


def load_read_only(where: str) -> Said:
    """Load while nothing can be written into `where`, a folder or a file."""
    _see_own_mounts()
    _mount("--bind", where, where)
    _mount("-o", "remount,ro,bind", where)
    os.chdir(Path.cwd())
    return load()


def load_small_files(size: int) -> Said:
    """Load while no file can grow beyond `size` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return load()


def may_mount() -> bool:
    """Whether this process, which is not the same afterwards, may mount."""
    try:
        _see_own_mounts()
        _mount("-t", "tmpfs", "tmpfs", "/mnt")
    except (OSError, AttributeError, subprocess.CalledProcessError):
        return False
    return True


def _see_own_mounts() -> None:
    """From now on mounts of this process are its own; without root in a user namespace, where it is root."""
    user, group = os.getuid(), os.getgid()
    flags = CLONE_NEWNS if user == 0 else CLONE_NEWNS | CLONE_NEWUSER
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _mount("--make-rprivate", "/")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


@contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """What is in the folder is in it afterwards, though something was mounted over it."""
    copy = folder.parent / "kept"
    shutil.copytree(folder, copy)
    yield
    shutil.copytree(copy, folder, dirs_exist_ok=True)
    shutil.rmtree(copy)


def make_run_folders(parent: str, number: int) -> None:
    """Make folders of runs, one after the other, each with a file in it."""
    for _ in range(number):
        with run_folder(Path(parent)) as folder:
            (folder / "a file").touch()
