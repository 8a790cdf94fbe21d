"""Two catalogs in one DuckDB file: they fetch together, store in turn, and both are exact."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stac_assets.pipeline.destinations.base import Storage, storage_of
from stac_assets.pipeline.exclusion.dataset import DatasetBusy, dataset_lock
from stac_assets.pipeline.place import Place
from stac_assets.pipeline.target import target_of
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import DUCKDB_FILE
from stac_assets_tests.named import load_elsewhere, load_named, named
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.test_store import another_process_that_holds

ITEMS = 300
TOGETHER = 50.0
"""Seconds in which both are to have asked, less than `read_timeout`."""
EAST = [(f"east-{number:03}", float(number)) for number in range(ITEMS)]
WEST = [(f"west-{number:03}", f"text {number}") for number in range(ITEMS)]


@pytest.fixture
def east() -> Iterator[StacApi]:
    items = [make_item(id, only_east=value) for id, value in EAST]
    with StacApi(items=items) as api:
        yield api


@pytest.fixture
def west() -> Iterator[StacApi]:
    items = [make_item(id, only_west=value, title="T") for id, value in WEST]
    with StacApi(items=items) as api:
        yield api


def neither_answers_before_both_are_asked(*apis: StacApi) -> None:
    """The first page of each waits for that of the others."""
    barrier = threading.Barrier(len(apis))

    def waiting_for_all() -> Any:
        first = threading.Lock()

        def wait(page: Any, request: Request) -> Any:
            if first.acquire(blocking=False):
                barrier.wait(TOGETHER)
            return page

        return wait

    for api in apis:
        api.on_page = waiting_for_all()


def stored(dataset: str, column: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query(f"SELECT id, {column} FROM {dataset}.search ORDER BY id")]


@pytest.mark.parametrize("exists", [False, True], ids=["new file", "file of both"])
def test_two_processes(project: Path, east: StacApi, west: StacApi, exists: bool) -> None:
    if exists:
        load_named(east, "east")
        load_named(west, "west")
        east.put(make_item("east-000", only_east=-1.0))
        west.remove("c1", "west-000")
    neither_answers_before_both_are_asked(east, west)
    with ExitStack() as forkers:
        calls = [
            forkers.enter_context(Forker()).start(load_elsewhere, url=api.url, name=name)
            for api, name in ((east, "east"), (west, "west"))
        ]
        ended = [call.ended() for call in calls]
    assert [call.raised for call in ended] == ["", ""]
    assert stored("east", "only_east") == ([("east-000", -1.0), *EAST[1:]] if exists else EAST)
    assert stored("west", "only_west") == WEST[exists:]
    united = query("SELECT catalog, count(*) AS items FROM stac.items GROUP BY catalog ORDER BY catalog")
    assert [tuple(row.values()) for row in united] == [("east", ITEMS), ("west", ITEMS - exists)]


def test_two_threads_of_a_process(project: Path, east: StacApi, west: StacApi) -> None:
    neither_answers_before_both_are_asked(east, west)
    with ThreadPoolExecutor(2) as threads:
        done = [
            threads.submit(load_named, api, name, lock_timeout=120)
            for api, name in ((east, "east"), (west, "west"))
        ]
        assert [future.result().figures.items for future in done] == [ITEMS, ITEMS]
    assert (stored("east", "only_east"), stored("west", "only_west")) == (EAST, WEST)


def storage_and_place(name: str, folder: Path) -> tuple[Storage, Place]:
    storage = storage_of(target_of(named("http://127.0.0.1", name)))
    return storage, storage.place(storage.pipeline(folder / "unused"))


def test_whoever_stores_into_a_file_has_all_its_datasets(project: Path, east: StacApi) -> None:
    with (
        dataset_lock(*storage_and_place("west", project), 1, doing="the load of west"),
        pytest.raises(DatasetBusy, match=f"{DUCKDB_FILE} is held by the load of west, process .*othing"),
    ):
        load_named(east, "east")
    load_named(east, "east")
    assert stored("east", "only_east") == EAST


def test_a_file_is_one_by_whatever_path(
    project: Path, east: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "folder").mkdir()
    (project / "link.duckdb").symlink_to(project / "folder" / "mine.duckdb")
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "folder/mine.duckdb")
    enter_project(project, monkeypatch)
    storage, place = storage_and_place("west", project)
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "link.duckdb")
    enter_project(project, monkeypatch)
    with (
        dataset_lock(storage, place, 1, doing="the load of west"),
        pytest.raises(DatasetBusy, match="load of west"),
    ):
        load_named(east, "east")


def test_servers_have_a_turn_for_each_dataset(project: Path) -> None:
    places = [Place("postgres", "db.example.com/stac", name) for name in ("east", "west")]
    assert len({place.turn for place in places}) == 2


def test_a_reader_is_told_as_ever(project: Path, east: StacApi, west: StacApi) -> None:
    load_named(west, "west")
    with (
        another_process_that_holds(project / DUCKDB_FILE) as notebook,
        pytest.raises(DatasetBusy, match=rf"the DuckDB file .* held by process {notebook.pid} .*notebook"),
    ):
        load_named(east, "east")
