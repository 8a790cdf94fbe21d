"""`stac-assets demo`: the whole way from a STAC API to tables, on generated data, in a folder of its own."""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from stac_assets.demo import DEFAULT_FOLDER
from stac_assets.demo.catalog import COLLECTIONS, FIRST_DAY, LAST_DAY, write_catalog
from stac_assets.demo.front import ID, sample_api
from stac_assets.demo.project import DUCKDB_FILE, write_project

UI = ("stac-assets", "demo", "--ui")
SETTING_PREFIXES = ("SOURCES__", "PIPELINE__", "PIPELINES__", "DESTINATION__", "DAGSTER_HOME", "DLT_")
DG_NOTE = "ignore:Function `dev_command` is superseded"
"""For PYTHONWARNINGS: `dagster dev` says on starting that `dg dev`, a package of its own, would be newer."""


def main(args: argparse.Namespace) -> int:
    """Serve the sample catalog, and load it, open the UI on it, or leave it at that.

    Args:
        args: `port` of the sample API, `folder` of everything that is written, `ui` to run `dagster dev`,
            `serve` to do nothing else.
    """
    folder, start = Path(args.folder).resolve(), Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Catalog:    {len(COLLECTIONS)} generated collections, {FIRST_DAY} to {LAST_DAY}", flush=True)
    with _sample_api(args.port, folder) as url:
        write_project(folder, url)
        print(f"STAC API:   {url} (rustac serve)\nDuckDB:     {folder / DUCKDB_FILE}\n", flush=True)
        if args.serve:
            return _wait(folder, start)
        _enter(folder)
        return _run_dagster_dev() if args.ui else _load(folder, start, args.folder)


@contextmanager
def _sample_api(port: int, folder: Path) -> Iterator[str]:
    """Our own server, or the one that another demo in another terminal has started already."""
    url = f"http://127.0.0.1:{port}"
    if _is_ours(url):
        yield url
        return
    log = folder / "sample-api.log"
    with TemporaryDirectory() as files, sample_api(write_catalog(Path(files)), port, log=log) as url:
        yield url


def _is_ours(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - http on this machine
            return json.load(answer)["id"] == ID
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _enter(folder: Path) -> None:
    """Make `folder` the project folder of this process, with the settings that are there and no others."""
    for name in [name for name in os.environ if name.startswith(SETTING_PREFIXES)]:
        del os.environ[name]
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ["DLT_DATA_DIR"] = str(folder / ".dlt" / "data")
    os.chdir(folder)


def _wait(folder: Path, start: Path) -> int:
    """Say where the API can be loaded, and wait for Ctrl-C."""
    _let_signals_interrupt()
    print("It is served until Ctrl-C. In another terminal, this folder is a project:\n")
    print(f"  cd {shlex.quote(os.path.relpath(folder, start))}\n")
    print("There every command and query of README.md works: stac-assets check, dagster dev, …")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    return 0


def _let_signals_interrupt() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had them ignored
        signal.signal(number, signal.default_int_handler)


def _load(folder: Path, start: Path, named: str) -> int:
    from stac_assets.definitions import defs
    from stac_assets.demo.report import fingerprints, print_report
    from stac_assets.demo.steps import materialize_all

    before = fingerprints(Path(DUCKDB_FILE))
    if not materialize_all(defs):
        return 1
    ui = "make ui" if folder == start / DEFAULT_FOLDER else shlex.join([*UI, "--folder", named])
    print_report(Path(DUCKDB_FILE), before, start, ui)
    return 0


def _run_dagster_dev() -> int:
    dagster = Path(sys.executable).with_name("dagster")
    print("Dagster's UI: http://127.0.0.1:3000/asset-groups in half a minute; Ctrl-C ends it\n", flush=True)
    _let_signals_interrupt()
    warnings = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), DG_NOTE)))
    environment = {**os.environ, "PYTHONWARNINGS": warnings}
    process = subprocess.Popen([str(dagster), "dev"], env=environment)  # noqa: S603 - a program beside our own
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # after Ctrl-C it has got one already, which does no harm
        process.wait()
        return 0
