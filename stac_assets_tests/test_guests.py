"""Somebody's process that imports the definitions, builds them and runs one is as it was before."""

import json
import os
import subprocess
import sys
from pathlib import Path

from stac_assets_tests.stac_api import StacApi, make_item

SCRIPT = """
import json, logging, os, sys, warnings
import dagster as dg, dagster_dlt, dlt, pyarrow, requests, sqlalchemy

def state():
    loggers = {"": logging.root, **logging.root.manager.loggerDict}
    return {
        "environment": dict(os.environ),
        "warnings": [repr(entry) for entry in warnings.filters],
        "disabled": logging.root.manager.disable,
        "loggers": {
            name: {
                "filters": list(map(repr, logger.filters)),
                "disabled": logger.disabled,
                "propagate": logger.propagate,
                "level": logger.level,
                "handlers": list(map(repr, logger.handlers)),
            }
            for name, logger in sorted(loggers.items())
            if isinstance(logger, logging.Logger) and not name.startswith("stac_assets")
        },
    }

def changes(before):
    # who is logged to for the first time is as any logger is at first
    now, new = state(), {"filters": [], "disabled": False, "propagate": True, "level": 0, "handlers": []}
    for name in now["loggers"].keys() - before["loggers"].keys():
        before["loggers"][name] = new
    return {key: (before[key], now[key]) for key in now if now[key] != before[key] and key != "loggers"} | {
        name: (before["loggers"][name], logger)
        for name, logger in now["loggers"].items() if logger != before["loggers"][name]
    }

@dg.job
def guest(): ...

found = {}
with dg.DagsterInstance.from_config(os.getcwd()) as instance:
    # what Dagster and dlt do for everybody, with their first run
    guest.execute_in_process(instance=instance)
    dlt.pipeline("guest", destination=dlt.destinations.duckdb("guest.duckdb")).run([{"a": 1}], table_name="a")
    before = state()
    from stac_assets.definitions import build_definitions
    found["import"] = changes(before)
    before = state()
    job = build_definitions().resolve_implicit_global_asset_job_def()
    found["build"] = changes(before)
    before = state()
    result = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey("search")], partition_key="c1|2024-01-01"
    )
    assert result.success
    found["run"] = changes(before)
print(json.dumps(found))
"""


def test_nothing_of_the_process_is_changed(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    (project / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\n"
        "python_logs: {managed_python_loggers: [root], python_log_level: DEBUG}\n"
        "storage:\n  custom:\n    module: stac_assets.orchestration.event_log\n"
        "    class: BatchingSqliteStorage\n    config: {base_dir: .dagster/storage}\n"
    )
    settings = {"BASE_URL": api.url, "COLLECTIONS": "c1"}
    environment = {f"SOURCES__PYSTAC_CLIENT_SOURCE__{name}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"import": {}, "build": {}, "run": {}}


def test_importing_reads_no_settings_and_says_nothing(project: Path) -> None:
    (project / ".dlt" / "config.toml").write_text(
        '[sources.pystac_client_source]\nno_such_setting = "x"\n', encoding="utf-8"
    )
    script = (
        "from stac_assets.definitions import build_definitions\nimport stac_assets.definitions as found\n"
    )
    script += "assert 'defs' in dir(found)"
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = subprocess.run(
        [sys.executable, "-c", "from stac_assets.definitions import defs"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and "no_such_setting" in done.stderr
