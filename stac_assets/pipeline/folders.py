"""The working folder of one run, and the folder in which dlt's own tools find the last one."""

import json
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlt.pipeline.pipeline import Pipeline
from filelock import FileLock, Timeout

from stac_assets.pipeline.errors import described
from stac_assets.pipeline.exclusion.machine_lock import named_lock
from stac_assets.pipeline.place import project_folder

ALIVE = "alive.lock"
"""In a run's folder: held as long as the run is alive."""
VANISHING = (FileNotFoundError, FileExistsError)
"""What a lock raises, which makes its folder if need be, while another host removes that folder."""

logger = logging.getLogger("stac_assets")


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """A new folder below `parent` for one run. It is removed at the end, as are those that crashed runs left.

    A run's folder is never shared or used again: dlt would load what an earlier run had left there.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with named_lock(str(parent.absolute())):  # else another run could take ours for abandoned
        _remove_abandoned(parent)
        folder, alive = _new_folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        alive.release()


def _new_folder(parent: Path) -> tuple[Path, FileLock]:
    """A new folder, and the lock in it, which is held.

    Another host that shares the project folder may take it for abandoned before it is locked. Then another
    one is made.
    """
    while True:
        folder = parent / uuid.uuid4().hex
        alive = FileLock(folder / ALIVE)
        folder.mkdir()
        with suppress(*VANISHING):
            alive.acquire()
            if (folder / ALIVE).exists():
                return folder, alive
        alive.release()


def _remove_abandoned(parent: Path) -> None:
    for folder in [path for path in parent.iterdir() if path.is_dir()]:
        # else its run is alive, or another host has removed it meanwhile
        with suppress(Timeout, *VANISHING), FileLock(folder / ALIVE, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


def publish(pipeline: Pipeline, targets: list[Path]) -> None:
    """Copy the pipeline's working folder to where dlt's tools look for it.

    What was loaded is loaded without a copy too, so one that cannot be made is only warned about.
    """
    for target in targets:
        try:
            _replace(target / pipeline.pipeline_name, Path(pipeline.working_dir))
        except OSError as error:
            logger.warning(
                "the rows are stored, but dlt's own commands do not see this load (%s)",
                described(error, target),
            )


def are_published(pipeline_name: str, targets: list[Path]) -> bool:
    """Whether dlt's tools find an earlier load in all of these folders, which no killed run was replacing."""
    finals = [target / pipeline_name for target in targets]
    is_there = all((final / Pipeline.STATE_FILE).exists() for final in finals)
    return is_there and not any(path.exists() for final in finals for path in _in_the_making(final))


def _in_the_making(final: Path) -> tuple[Path, Path]:
    """What stands beside a copy while another one takes its place: that, and the old one."""
    fresh, retired = (final.parent / f".{final.name}.{kind}" for kind in ("fresh", "retired"))
    return fresh, retired


def _replace(final: Path, source: Path) -> None:
    """Make `final` a copy of `source`, one run after the other, also of several projects."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with named_lock(str(final.absolute())):
        fresh, retired = _in_the_making(final)
        try:
            for left in (fresh, retired):  # by a run that crashed
                shutil.rmtree(left, ignore_errors=True)
            shutil.copytree(source, fresh)
            _name_folder(fresh / Pipeline.STATE_FILE, final)
            if final.exists():
                final.replace(retired)
            fresh.replace(final)
        finally:
            for left in (fresh, retired):
                shutil.rmtree(left, ignore_errors=True)


def _name_folder(state_file: Path, final: Path) -> None:
    """Let a copy tell from which project it is, unless it lies in that project's folder.

    dlt lists the pipelines of a project by this (its MCP server, say), and resolves relative files against
    it. A copy in the project resolves them against the folder in which it is opened, so that the folder can
    be moved.
    """
    state = json.loads(state_file.read_text(encoding="utf-8"))
    project = os.path.abspath(project_folder())  # noqa: PTH100 - written as dlt writes it, to be compared
    local = state.setdefault("_local", {})
    local.pop("initial_cwd", None)
    if not final.resolve().is_relative_to(Path(project).resolve()):
        local["initial_cwd"] = project
    state_file.write_text(json.dumps(state), encoding="utf-8")
