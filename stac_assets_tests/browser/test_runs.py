"""Runs that are started, watched, stopped and repeated in the UI, and what they leave in the table."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stac_assets_tests.browser.dagster_dev import DagsterDev, until
from stac_assets_tests.browser.ui import Ui
from stac_assets_tests.loads import DATASET, DUCKDB_FILE, query
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Fault, Request

DAY = "2024-01-05"
BACKFILL_TAG = "dagster/backfill"
STOPPED_WITHIN = 15.0
CHECKS = {
    *("schema", "row_count", "unique_items", "partition_ownership"),
    *("required_fields", "valid_geometry", "rejected_items"),
}


def stored(folder: Path, *collections: str) -> list[str]:
    """The ids in the table, of some collections; nothing where there is no table yet."""
    file = folder / DUCKDB_FILE
    if not file.exists():
        return []
    names = ", ".join(f"'{name}'" for name in collections)
    found = query(f"SELECT id FROM {DATASET}.search WHERE collection IN ({names}) ORDER BY id", file)
    return [row["id"] for row in found]


def published(*days: str, collections: tuple[str, ...]) -> list[str]:
    """The ids that the API has."""
    return sorted(f"{name}-{day}-{number}" for name in collections for day in days for number in range(3))


@contextmanager
def spoilt(api: StacApi, collection: str, **fault: Any) -> Iterator[Fault]:
    """A fault in the answers to searches in a collection."""

    def is_meant(request: Request) -> bool:
        return request.path == "/search" and collection in request.body["collections"]

    made = api.fault(is_meant, times=None, **fault)
    yield made
    api.faults.remove(made)


def test_a_partition_is_materialized_by_clicking(ui: Ui, dagster: DagsterDev, folder: Path) -> None:
    ui.materialize("search", "c001", DAY)
    assert dagster.ended(dagster.run_of(f"c001|{DAY}")) == "SUCCESS"
    ui.open_partition("search", f"c001|{DAY}", "footprints")
    for text in ("Materialized", "sample", f"c001-{DAY}-0", "number_matched", "curl", "stac_browser"):
        ui.shows(text)
    ui.open("/assets/search?view=checks", "Checks (7)")
    for name in CHECKS:
        ui.shows(name)
    ui.shows(f"c001|{DAY}")
    ui.shows("Passed")
    ui.shows("materialize the asset, as it cannot be executed alone")  # for Execute is grey without a word
    assert stored(folder, "c001") == published(DAY, collections=("c001",))


def test_a_check_names_the_partition_in_which_it_fails(ui: Ui, dagster: DagsterDev, api: StacApi) -> None:
    def load(bbox: list[float]) -> None:
        api.put(make_item("odd", "c004", f"{DAY}T12:00:00Z", extra={"bbox": bbox}))
        assert dagster.ended(dagster.launch("search", f"c004|{DAY}")) == "SUCCESS"

    load([10, 51, 11, 50])
    assert dagster.ended(dagster.launch("search", f"c005|{DAY}")) == "SUCCESS"
    page = "/assets/search?view=checks&checkDetail=valid_geometry"
    ui.open(page, f"fails until loaded again: c004|{DAY}: 1 item has a bbox with south above north")
    ui.shows("Failed")
    load([10, 50, 11, 51])
    ui.open(page, f"c004|{DAY}: every bbox is in order and range")
    ui.shows("Passed")


def test_a_run_is_terminated(ui: Ui, dagster: DagsterDev, api: StacApi, folder: Path) -> None:
    key = f"c002|{DAY}"
    first = dagster.launch("search", key)
    assert dagster.ended(first) == "SUCCESS"
    before = stored(folder, "c002")
    assert before == published(DAY, collections=("c002",))
    api.put(make_item("later", "c002", f"{DAY}T12:00:00Z"))
    with spoilt(api, "c002", delay=600) as slow:
        stopped = dagster.launch("search", key)
        until(lambda: slow.used, "the request that is not answered")
        ui.terminate(stopped)
        assert dagster.ended(stopped, STOPPED_WITHIN) == "CANCELED"
    assert stored(folder, "c002") == before
    assert not list((folder / ".dlt" / "runs").iterdir())

    ui.materialize("search", "c002", DAY)
    assert dagster.ended(dagster.run_of(key, first, stopped)) == "SUCCESS"
    assert stored(folder, "c002") == [*before, "later"]


def test_a_failed_run_is_repeated(ui: Ui, dagster: DagsterDev, api: StacApi, folder: Path) -> None:
    with spoilt(api, "c003", status=400):
        run_id = dagster.launch("search", f"c003|{DAY}")
        assert dagster.ended(run_id) == "FAILURE"
    ui.open_partition("search", f"c003|{DAY}", "Failed")
    assert not stored(folder, "c003")

    assert dagster.ended(ui.reexecute(run_id)) == "SUCCESS"
    assert stored(folder, "c003") == published(DAY, collections=("c003",))


def test_a_backfill_of_several_collections_takes_few_runs(dagster: DagsterDev, folder: Path) -> None:
    names, days = ("c010", "c011", "c012"), [f"2024-01-0{number}" for number in range(1, 10)]
    keys = [f"{name}|{day}" for name in names for day in days]
    backfill = dagster.backfill(["search"], partitionNames=keys)
    runs = dagster.runs(tags=[{"key": BACKFILL_TAG, "value": backfill}])
    assert [run["status"] for run in runs] == ["SUCCESS"] * len(names), "a run for each collection"
    assert stored(folder, *names) == published(*days, collections=names)
