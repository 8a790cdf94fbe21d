"""How long it takes until anything happens: imports and help, in fresh processes."""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench import Bench
from benchmarks.measure import Measurement, environment, make_project
from benchmarks.results import Line

TIMED = "import time; started = time.perf_counter(); import {}; print(time.perf_counter() - started)"


def imports(bench: Bench) -> None:
    """Definitions against the packages that they are made with, in turn; and `stac-assets --help`."""
    ways = {
        "import dagster, dagster_dlt": "dagster, dagster_dlt",
        "import stac_assets.definitions": "stac_assets.definitions; stac_assets.definitions.defs",
        "stac-assets --help": "",
    }
    runs: dict[str, list[float]] = {what: [] for what in ways}
    with TemporaryDirectory(prefix="stac-assets-bench-") as folder:
        project = make_project(Path(folder))
        for turn in range(bench.sizes.imports + 1):
            for what, modules in ways.items():
                seconds = _import(modules, project) if modules else _help(project)
                if turn:  # the first one compiles, and reads the files from the disk
                    runs[what].append(seconds)
    lines = [Line("start", what, [Measurement(s, 0.0) for s in seconds]) for what, seconds in runs.items()]
    bench.findings.lines += lines
    packages, definitions, help_text = lines
    what = "import of definitions / dagster and dagster_dlt"
    bench.judge("7", what, definitions.seconds / packages.seconds, 1.3)
    bench.judge("7", "stac-assets --help", help_text.seconds, 0.4, unit="s")


def _import(modules: str, project: Path) -> float:
    done = _run([sys.executable, "-c", TIMED.format(modules)], project)
    return float(done.stdout.split()[-1])


def _help(project: Path) -> float:
    command = [str(Path(sys.executable).with_name("stac-assets")), "--help"]
    started = time.perf_counter()
    _run(command, project)
    return time.perf_counter() - started


def _run(command: list[str], project: Path) -> subprocess.CompletedProcess[str]:
    # compiled modules are kept, as they are for users, also where this process must not write any
    cache = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(project.parent / "compiled")}
    where = {"cwd": project, "env": environment(project.parent) | cache}
    return subprocess.run(command, **where, check=True, capture_output=True, text=True)
