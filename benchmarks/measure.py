"""Runs one task in a process of its own, in a project folder of its own, and watches its memory."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.clock import MB

REPOSITORY = Path(__file__).parent.parent
SAMPLE_SECONDS = 0.2
CONFIGURING = (
    *("SOURCES__", "PIPELINE__", "PIPELINES__", "DESTINATION__", "CREDENTIALS__", "RUNTIME__"),
    *("EXTRACT__", "NORMALIZE__", "LOAD__", "SCHEMA__", "DATA_WRITER__", "DLT_", "DAGSTER_", "API_KEY"),
)
"""How the environment variables begin that would change what is measured."""


class TaskFailed(Exception):
    """A task ended with an error, or what arrived was not right."""


@dataclass(frozen=True)
class Measurement:
    """What one run of a task gave: seconds, the most memory in megabytes (10⁶ bytes), and its own figures."""

    seconds: float
    peak_mb: float
    figures: Mapping[str, Any] = field(default_factory=dict)


def measure(task: str, arguments: Mapping[str, Any]) -> Measurement:
    """Run `MODULE:FUNCTION` of `benchmarks.work`.

    Raises:
        TaskFailed: it did not end well; the message has the end of what it said.
    """
    with TemporaryDirectory(prefix="stac-assets-bench-", ignore_cleanup_errors=True) as folder:
        project = make_project(Path(folder))
        result, log = Path(folder) / "result.json", Path(folder) / "log.txt"
        command = [sys.executable, "-m", "benchmarks.child", task, json.dumps(arguments), str(result)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=project, env=environment(Path(folder)), stdout=output, stderr=subprocess.STDOUT
            )
            try:
                family_mb = _watch(process)
            finally:
                process.kill()
                process.wait()
        if process.returncode != 0 or not result.exists():
            told = log.read_text(errors="replace")[-3_000:]
            raise TaskFailed(f"{task} with {dict(arguments)} ended with {process.returncode}:\n{told}")
        figures = json.loads(result.read_text())
    return Measurement(figures.pop("seconds"), max(figures.pop("peak_mb"), family_mb), figures)


def make_project(folder: Path) -> Path:
    """A project folder as a user has it: this repository's configuration, and nothing loaded yet."""
    project = folder / "project"
    (project / ".dlt").mkdir(parents=True)
    shutil.copy(REPOSITORY / ".dlt" / "config.toml", project / ".dlt")
    shutil.copy(REPOSITORY / "dagster.yaml", project)
    return project


def environment(folder: Path) -> dict[str, str]:
    """The environment of a task: nothing that configures dlt or Dagster, no proxy for this machine."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURING)}
    local = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    paths = {"PYTHONPATH": str(REPOSITORY), "DLT_DATA_DIR": str(folder / "dlt-data")}
    return {**inherited, **local, **paths, "DO_NOT_TRACK": "1"}


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end of a process; the most memory in MB that it held with its children, 0 without any.

    A page that several of them share counts once in all (PSS).
    """
    peak = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.Error):
            children = watched.children(recursive=True)
            if children:
                peak = max(peak, sum(_proportional(member) for member in (watched, *children)))
        with suppress(subprocess.TimeoutExpired):
            process.wait(SAMPLE_SECONDS)
    return peak / MB


def _proportional(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        memory = process.memory_full_info()
        return getattr(memory, "pss", memory.rss)
    return 0
