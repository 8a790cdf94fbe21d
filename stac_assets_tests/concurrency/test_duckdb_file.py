"""A DuckDB file that somebody else has, or had."""

import signal
from pathlib import Path

from stac_assets.pipeline.destinations.base import Storage
from stac_assets.pipeline.destinations.duckdb import attached
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.exclusion.database_file import opened
from stac_assets.pipeline.exclusion.dataset import dataset_lock
from stac_assets.pipeline.place import Place
from stac_assets_tests.forked import Forker, say
from stac_assets_tests.loads import DUCKDB_FILE, ids, load_days, place_for, storage_for
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_store import another_process_that_holds


def dataset(folder: Path) -> tuple[Storage, Place]:
    return storage_for("http://127.0.0.1"), place_for("http://127.0.0.1", folder / "unused")


def test_who_comes_in_between_delays_the_store(project: Path) -> None:
    """A reader may open the file after our turn has begun: it asks for none."""
    file, told = project / DUCKDB_FILE, list[str]()
    with (
        dataset_lock(
            *dataset(project), 60, tell=told.append, sleep=lambda _: notebook.communicate() and None
        ) as hold,
        another_process_that_holds(file) as notebook,
        attached(file, hold.wait) as connection,
    ):
        connection.execute("CREATE TABLE t (i INTEGER)")
    assert [f"held by process {notebook.pid}" in line for line in told] == [True]


def test_who_comes_in_between_delays_a_reading_too(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    load_days(api)
    access = DatasetAccess(storage_for(api), project / "unused", 60)
    with (
        dataset_lock(
            access.storage, access.place, 60, sleep=lambda _: notebook.communicate() and None
        ) as hold,
        another_process_that_holds(project / DUCKDB_FILE) as notebook,
    ):
        assert opened(project / DUCKDB_FILE, access.recorded_owner, hold.wait) == api.url
    assert notebook.returncode == 0


def hold(folder: str) -> None:
    """Hold the dataset and its file until killed."""
    storage, place = dataset(Path(folder))
    assert place.file is not None
    with (
        dataset_lock(storage, place, 5, doing="the one that dies") as hold,
        attached(place.file, hold.wait) as connection,
    ):
        connection.execute("CREATE TABLE half (i INTEGER)")
        connection.execute("INSERT INTO half FROM range(100000)")
        connection.execute("BEGIN")
        connection.execute("DELETE FROM half")
        say("held")
        signal.pause()


def test_a_killed_holder_blocks_nobody(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    told: list[str] = []
    with Forker() as forker:
        call = forker.start(hold, folder=str(project))
        assert call.heard() == "held"
        with dataset_lock(
            *dataset(project), 60, tell=told.append, sleep=lambda _: call.kill() or (call.ended() and None)
        ):
            pass
        assert call.ended().status == -signal.SIGKILL
    assert f"held by the one that dies, process {call.pid} on " in told[0]
    load_days(api)
    assert ids() == ["a"]
