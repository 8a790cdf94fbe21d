"""A backfill of 200 partitions over several run workers, one of which is killed: everything ends exact."""

import os
import re
import signal
import threading
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from stac_assets.source.rows import item_from_row
from stac_assets_tests.browser.dagster_dev import until
from stac_assets_tests.deploy.deployment import Deployment
from stac_assets_tests.loads import DATASET
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

COLLECTIONS = ["c1", "c2", "c3", "c4"]
DAYS = [(date(2024, 1, 1) + timedelta(days=number)).isoformat() for number in range(50)]
PARTITIONS = [f"{collection}|{day}" for collection in COLLECTIONS for day in DAYS]
PER_RUN = 25
PATIENCE = 240.0


class Bait:
    """The first run that asks for a collection is held until it has been killed."""

    def __init__(self, collection: str) -> None:
        self.taken, self.dead = threading.Event(), threading.Event()
        self._collection = collection

    def __call__(self, page: Any, request: Request) -> Any:
        if self._collection in request.body["collections"] and not self.dead.is_set():
            self.taken.set()
            self.dead.wait(PATIENCE)
        return page


def fill(api: StacApi) -> dict[tuple[str, str], Any]:
    """Some items in every partition, by collection and id."""
    made = [
        make_item(f"{day}-{number}", collection, f"{day}T12:00:0{number}Z", number=number, day=day)
        for collection in COLLECTIONS
        for day in DAYS
        for number in range(3)
    ]
    for item in made:
        api.put(item)
    return {(item["collection"], item["id"]): item for item in made}


def kill_worker(instance: dg.DagsterInstance, collection: str) -> str:
    """`kill -9` for a worker that loads a collection; the id of its run."""

    def found() -> list[tuple[str, int]]:
        runs = instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        ours = [run for run in runs if collection in str(run.tags)]
        pids = [
            (run.run_id, re.findall(r"\(pid: (\d+)\)", str(instance.all_logs(run.run_id)))) for run in ours
        ]
        return [(run_id, int(pid[0])) for run_id, pid in pids if pid]

    (run_id, pid), *_ = until(found, f"a run of {collection}")
    os.kill(pid, signal.SIGKILL)
    return run_id


def stored(url: str) -> list[dict[str, Any]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {DATASET}.search")
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_two_hundred_partitions_and_a_killed_worker(
    project: Path, api: StacApi, postgres_server: Any, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    items = fill(api)
    bait = Bait("c3")
    api.on_page = bait
    postgres_server.psql("CREATE DATABASE dagster")
    storage = postgres_server.get_uri(database="dagster")
    storage = storage.replace("postgresql://", "postgresql+psycopg2://").replace("@/", "@localhost/")
    section = "SOURCES__PYSTAC_CLIENT_SOURCE__"
    settings = {
        "PIPELINE__DESTINATION": "postgres",
        "DESTINATION__POSTGRES__CREDENTIALS": postgres_url,
        f"{section}BASE_URL": api.url,
        f"{section}COLLECTIONS": ",".join(COLLECTIONS),
        f"{section}START_DATE": DAYS[0],
        f"{section}END_DATE": DAYS[-1],
        f"{section}MAX_PARTITIONS_PER_RUN": str(PER_RUN),
    }
    with Deployment(project, storage, **settings) as dagster, dagster.instance() as instance:
        began = time.monotonic()
        backfill = dagster.launch_backfill("search", PARTITIONS)
        assert bait.taken.wait(PATIENCE)
        killed = kill_worker(instance, "c3")
        bait.dead.set()
        status = dagster.backfill_ended(backfill, PATIENCE)
        lasted = time.monotonic() - began
        runs = instance.get_runs()
        loaded = instance.get_materialized_partitions(dg.AssetKey("search"))

    assert status == "COMPLETED_SUCCESS", dagster.log.read_text()[-5000:]
    by_id = {run.run_id: run for run in runs}
    assert by_id[killed].status == dg.DagsterRunStatus.FAILURE
    retries = [run for run in runs if run.parent_run_id == killed]
    assert [run.status for run in retries] == [dg.DagsterRunStatus.SUCCESS]
    assert {run.status for run in runs if run.run_id != killed} == {dg.DagsterRunStatus.SUCCESS}
    assert len(runs) >= len(PARTITIONS) / PER_RUN + 1
    assert loaded == set(PARTITIONS)

    rows = stored(postgres_url)
    assert {(row["collection"], row["id"]): item_from_row(row) for row in rows} == items
    assert len(rows) == len(items)
    assert {row["_partition_key"] for row in rows} == set(PARTITIONS)
    with capsys.disabled():
        print(f"\n{len(PARTITIONS)} partitions in {len(runs)} runs: {lasted:.0f} s")
