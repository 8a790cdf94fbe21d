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

from stac_assets.demo import DEFAULT_FOLDER
from stac_assets.demo.catalog import COLLECTIONS, FIRST_DAY, LAST_DAY, write_catalog
from stac_assets.demo.server import SampleApi
from stac_assets.settings import ENV_PREFIX

UI = ("stac-assets", "demo", "--ui")
DUCKDB_FILE = "pystac_client.duckdb"
SETTING_PREFIXES = ("SOURCES__", "PIPELINE__", "PIPELINES__", "DESTINATION__", "DAGSTER_HOME", "DLT_")
DG_NOTE = "ignore:Function `dev_command` is superseded"
"""For PYTHONWARNINGS: `dagster dev` says on starting that `dg dev`, a package of its own, would be newer."""
_CONFIG = """\
# Written by `stac-assets demo`; the sample API serves generated data.
[sources.pystac_client_source]
base_url = "{url}"
collections = {collections}
start_date = "{first}"
end_date = "{last}"

[pipeline]
destination = "duckdb"

[destination.duckdb]
destination_name = "pystac_client"

[pipelines]
pipelines_dir = ".dlt/pipelines"

[normalize.parquet_normalizer]
add_dlt_load_id = true

[load]
delete_completed_jobs = true

[runtime]
dlthub_telemetry = false
"""
_DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
freshness:
  enabled: true
python_logs:
  managed_python_loggers: [stac_assets]
  python_log_level: INFO
"""


def main(args: argparse.Namespace) -> int:
    """Serve the sample catalog, and load it, open the UI on it, or leave it at that.

    Args:
        args: `port` of the sample API, `folder` of everything that is written, `ui` to run `dagster dev`,
            `serve` to do nothing else.
    """
    folder, start = Path(args.folder).resolve(), Path.cwd()
    ui = "make ui" if folder == start / DEFAULT_FOLDER else shlex.join([*UI, "--folder", args.folder])
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Catalog:    {len(COLLECTIONS)} generated collections, {FIRST_DAY} to {LAST_DAY}", flush=True)
    hrefs = write_catalog(folder / "catalog")
    with _sample_api(hrefs, args.port, folder / "sample-api.log") as url:
        if args.serve:
            return _serve(url)
        _enter_project(folder, url)
        print(f"STAC API:   {url} (rustac serve)\nDuckDB:     {folder / DUCKDB_FILE}\n", flush=True)
        return _run_dagster_dev() if args.ui else _load(start, ui)


@contextmanager
def _sample_api(hrefs: list[Path], port: int, log: Path) -> Iterator[str]:
    """Our own server, or the one that another demo in another terminal has started already."""
    url = f"http://127.0.0.1:{port}"
    if _is_ours(url):
        yield url
        return
    with SampleApi(hrefs, port, log=log) as api:
        yield api.url


def _is_ours(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/collections", timeout=2) as answer:  # noqa: S310 - http on this machine
            ids = {document.get("id") for document in json.load(answer)["collections"]}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False
    return ids == set(COLLECTIONS)


def _enter_project(folder: Path, url: str) -> None:
    """Make `folder` the project folder of this process: its settings, Dagster home and dlt folders."""
    for name in [name for name in os.environ if name.startswith(SETTING_PREFIXES)]:
        del os.environ[name]
    settings = folder / ".dlt" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(
        _CONFIG.format(url=url, collections=json.dumps(COLLECTIONS), first=FIRST_DAY, last=LAST_DAY),
        encoding="utf-8",
    )
    home = folder / ".dagster"
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(_DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["DLT_DATA_DIR"] = str(folder / ".dlt" / "data")
    os.chdir(folder)


def _serve(url: str) -> int:
    """Say how to point a project at the API, and wait for Ctrl-C."""
    settings = {
        f"{ENV_PREFIX}BASE_URL": url,
        f"{ENV_PREFIX}COLLECTIONS": json.dumps(COLLECTIONS),
        f"{ENV_PREFIX}START_DATE": str(FIRST_DAY),
        f"{ENV_PREFIX}END_DATE": str(LAST_DAY),
        "PIPELINE__DATASET_NAME": "demo",
    }
    _let_signals_interrupt()
    print(f"STAC API:   {url} (rustac serve), until Ctrl-C. In another terminal:\n")
    for name, value in settings.items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    return 0


def _let_signals_interrupt() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had them ignored
        signal.signal(number, signal.default_int_handler)


def _load(start: Path, ui: str) -> int:
    from stac_assets.demo.report import fingerprints, print_report
    from stac_assets.demo.steps import materialize_all

    before = fingerprints(Path(DUCKDB_FILE))
    if not materialize_all():
        return 1
    print_report(Path(DUCKDB_FILE), before, start, ui)
    return 0


def _run_dagster_dev() -> int:
    dagster = Path(sys.executable).with_name("dagster")
    command = [str(dagster), "dev", "-m", "stac_assets.definitions"]
    print("Dagster's UI: http://127.0.0.1:3000/asset-groups in half a minute; Ctrl-C ends it\n", flush=True)
    _let_signals_interrupt()
    warnings = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), DG_NOTE)))
    environment = {**os.environ, "PYTHONWARNINGS": warnings}
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - no shell, and a program beside our own
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # after Ctrl-C it has got one already, which does no harm
        process.wait()
        return 0
