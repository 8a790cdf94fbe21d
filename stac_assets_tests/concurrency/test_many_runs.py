"""Ten runs of different partitions at once: they fetch together, store in turn, and all are exact."""

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import psycopg2
import pytest

from stac_assets_tests.browser.dagster_dev import DagsterDev
from stac_assets_tests.concurrency.many import Processes
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.loads import DATASET, DUCKDB_FILE, query
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

RUNS = 10
DAYS = [f"2024-01-{number:02}" for number in range(1, RUNS + 1)]
ITEMS = 20
PATIENCE = 120.0
TOGETHER = 50.0
"""Seconds in which all runs are to have begun, less than `read_timeout`."""


def fill(api: StacApi) -> None:
    """Some items for every day, with a property that no other day has."""
    api.default_limit = ITEMS
    for day in DAYS:
        for number in range(ITEMS):
            only: dict[str, Any] = {f"only_{int(day[-2:])}": number}
            api.put(make_item(f"{day}-{number:02}", datetime=f"{day}T12:00:00Z", day=day, **only))


def all_at_once(api: StacApi, runs: int) -> None:
    """No run gets its first page before all have asked for one."""
    barrier, asked, lock = threading.Barrier(runs), set[str](), threading.Lock()

    def wait_for_all(page: Any, request: Request) -> Any:
        asked_for = request.body or request.query
        window = str(asked_for.get("datetime"))
        is_of_a_day = int(asked_for["limit"]) > 1 and window[:10] in DAYS  # and no question for a count
        with lock:
            first = is_of_a_day and window not in asked
            asked.add(window)
        if first:
            barrier.wait(TOGETHER)
        return page

    api.on_page = wait_for_all


def expected() -> list[tuple[str, str, float]]:
    return [(f"{day}-{number:02}", f"c1|{day}", float(number)) for day in DAYS for number in range(ITEMS)]


def stored(execute: Callable[[str], list[Any]]) -> list[tuple[str, str, float]]:
    """Id, partition and the day's own property of every row."""
    own = ", ".join(f"only_{int(day[-2:])}" for day in DAYS)
    rows = execute(f"SELECT id, _partition_key, coalesce({own}) FROM {DATASET}.search ORDER BY id")
    return [tuple(row) for row in rows]


def in_duckdb(sql: str) -> list[Any]:
    with closing(duckdb.connect(str(DUCKDB_FILE), read_only=True)) as connection:
        return connection.execute(sql).fetchall()


def home(project: Path, configured: bool) -> Path:
    """A DAGSTER_HOME with the repository's `dagster.yaml`, or without any.

    It has been used before: Dagster itself fails where several processes make its SQLite files at once.
    """
    folder = project.parent / "home"
    folder.mkdir()
    if configured:
        shutil.copy(REPOSITORY / "dagster.yaml", folder)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.get_runs(limit=1)
    return folder


def check_runs(api: StacApi, home: Path, environments: list[dict[str, str]], holder: str) -> None:
    """Run all days at once, and check what the runs tell and what the API saw."""
    fill(api)
    all_at_once(api, RUNS)
    with Processes(RUNS) as processes:
        begun = [
            processes.run(api.url, home, f"c1|{day}", **environment)
            for day, environment in zip(DAYS, environments, strict=True)
        ]
        told = [future.result(PATIENCE) for future in begun]
    assert [run.success for run in told] == [True] * RUNS, "\n".join(told[0].log)
    assert api.max_in_flight >= RUNS
    ids = {run.run_id for run in told}
    waits = [(run.run_id, line) for run in told for line in run.log if line.startswith("waiting for ")]
    held = [(waiter, found[1]) for waiter, line in waits if (found := re.search(holder, line))]
    assert len(held) >= RUNS - 2, waits
    for waiter, other in held:
        assert other != waiter and any(run_id.startswith(other) for run_id in ids)


@pytest.mark.parametrize("configured", [True, False], ids=["dagster.yaml", "no dagster.yaml"])
def test_into_one_duckdb_file(project: Path, api: StacApi, configured: bool) -> None:
    holder = (
        r"held by Dagster run ([0-9a-f-]{36}), process \d+ on \S+, since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ;"
    )
    check_runs(api, home(project, configured), [{} for _ in DAYS], holder)
    assert stored(in_duckdb) == expected()


def test_into_one_postgresql_schema_from_ten_hosts(
    project: Path, api: StacApi, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts share no files: each run has its own locks."""
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres_url)
    hosts = [{"DLT_DATA_DIR": str(project.parent / f"host-{day}")} for day in DAYS]
    check_runs(api, home(project, True), hosts, r"held by Dagster run ([0-9a-f-]+)")

    def ask(sql: str) -> list[Any]:
        with closing(psycopg2.connect(postgres_url)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    assert stored(ask) == expected()


def test_a_command_beside_dagster_dev(project: Path, api: StacApi) -> None:
    fill(api)
    all_at_once(api, 2)
    variables = {
        "SOURCES__PYSTAC_CLIENT_SOURCE__" + name: value
        for name, value in {
            "BASE_URL": api.url,
            "COLLECTIONS": '["c1"]',
            "LOCK_TIMEOUT": "120",
        }.items()
    }
    shutil.copy(REPOSITORY / "dagster.yaml", project)
    (project / "pyproject.toml").write_text('[tool.dagster]\nmodule_name = "stac_assets.definitions"\n')
    with DagsterDev(project, **variables) as dagster:
        run = dagster.launch("search", f"c1|{DAYS[0]}")
        command = [
            *(sys.executable, "-m", "stac_assets.cli.main", "load", "--base-url", api.url),
            *("--collection", "c1", "--start", DAYS[1], "--end", DAYS[1]),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert dagster.ended(run) == "SUCCESS"
    assert api.max_in_flight >= 2
    found = [row["id"] for row in query(f"SELECT id FROM {DATASET}.search ORDER BY id")]
    assert found == [id for id, key, _ in expected() if key.endswith((DAYS[0], DAYS[1]))]
