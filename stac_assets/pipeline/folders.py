"""The working folder of one run, and the folder in which dlt's own tools find the last one."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlt.pipeline.pipeline import Pipeline
from filelock import FileLock, Timeout

LOCK_NAME = "alive.lock"


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """A new folder below `parent` for one run, removed at its end, with those that crashed runs left.

    A run's folder is never shared or used again: dlt would load what an earlier run had left there.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent)
    folder = parent / uuid.uuid4().hex
    folder.mkdir()
    with FileLock(folder / LOCK_NAME):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.iterdir():
        if not (folder / LOCK_NAME).exists():
            continue
        try:
            with FileLock(folder / LOCK_NAME, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            continue  # its run is alive


def publish(pipeline: Pipeline, targets: list[Path]) -> None:
    """Copy the pipeline's working folder to where dlt's tools look for it.

    The copy forgets in which folder the run took place, so that dlt resolves relative files against the
    folder in which it is opened: a project folder can be moved or copied.
    """
    source = Path(pipeline.working_dir)
    for target in targets:
        target.mkdir(parents=True, exist_ok=True)
        fresh = target / f".{pipeline.pipeline_name}-{uuid.uuid4().hex}"
        shutil.copytree(source, fresh)
        _forget_folder(fresh / Pipeline.STATE_FILE)
        final = target / pipeline.pipeline_name
        retired = target / f".{pipeline.pipeline_name}-{uuid.uuid4().hex}"
        if final.exists():
            final.replace(retired)
        fresh.replace(final)
        shutil.rmtree(retired, ignore_errors=True)


def _forget_folder(state_file: Path) -> None:
    state = json.loads(state_file.read_text(encoding="utf-8"))
    state.get("_local", {}).pop("initial_cwd", None)
    state_file.write_text(json.dumps(state), encoding="utf-8")
