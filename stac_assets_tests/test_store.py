"""Where rows go and who may write: one at a time, whole or not at all, and each project for itself."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import dlt
import pyarrow as pa
import pytest

from stac_assets.catalog import PIPELINE_NAME
from stac_assets.pipeline.destinations.duckdb_connection import ROW_GROUP_SIZE
from stac_assets.pipeline.errors import StoreFailed
from stac_assets.pipeline.exclusion.dataset import DatasetBusy, dataset_lock
from stac_assets.source.delivery import Delivery
from stac_assets.source.taken_rows import PORTION_ROWS
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import enter_project, make_project
from stac_assets_tests.loads import (
    DATASET,
    DUCKDB_FILE,
    ids,
    items,
    load_catalog,
    load_days,
    place_for,
    query,
    storage_for,
)
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.test_lossless import BAD, NOON


def dataset(name: str = DATASET) -> Any:
    """The dataset as docs/query.md opens it in Python."""
    return dlt.pipeline(PIPELINE_NAME, destination="duckdb", dataset_name=name).dataset()


def test_a_new_file_compresses_text(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    result = load_days(api)
    assert result.location == str(project / DUCKDB_FILE)
    (row,) = query("SELECT tags['storage_version'] AS v FROM duckdb_databases() WHERE NOT internal")
    assert tuple(int(part) for part in row["v"].removeprefix("v").rstrip("+").split(".")) >= (1, 5, 0)


def test_a_folder_needs_no_configuration_of_dlt(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put({**make_item("bad"), "id": ""})
    config = project / ".dlt" / "config.toml"
    config.rename(project / "config.toml")
    enter_project(project, monkeypatch)
    for kept in (("a",), ("a", "b")):
        api.put(make_item(kept[-1]))
        load_days(api)
        load_days(api, "collection_items")
        load_catalog(api, "collections")
        load_catalog(api, "collection", ["c1"])
        assert ids() == ids("collection_items") == list(kept)
    (project / "config.toml").rename(config)
    enter_project(project, monkeypatch)
    load_days(api)
    assert ids() == ["a", "b"]
    for table in ("search", "collection_items", "collections", "collection", "rejected_items"):
        (row,) = query(f"SELECT count(*) n, count(_dlt_load_id) named FROM {DATASET}.{table}")
        assert 0 < row["n"] == row["named"]


def test_rows_that_take_several_statements_are_stored_together_or_not_at_all(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = ROW_GROUP_SIZE + PORTION_ROWS + 1
    for number in range(many):
        api.put(make_item(f"i{number:04}", seen=number))
    load_days(api, page_size=500)
    stored = query("SELECT id, seen FROM pystac_client_data.search ORDER BY id")
    assert stored == [{"id": f"i{number:04}", "seen": number} for number in range(many)]
    assert list((project / ".dlt" / "runs").iterdir()) == []

    for number in range(many):
        api.put(make_item(f"i{number:04}", seen=-number))
    portions = Delivery.portions

    def fails_at_the_end(delivery: Delivery, number: int) -> Iterator[pa.Table]:
        *most, _ = portions(delivery, number)
        yield from most
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Delivery, "portions", fails_at_the_end)
    with pytest.raises(StoreFailed, match=r"No space left on device\.\)"):
        load_days(api)
    assert query("SELECT id, seen FROM pystac_client_data.search ORDER BY id") == stored


NUMBERS = "0123456789eE+-."
PIECES = [
    b"\\",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"\\u0041",
    b"\\n",
    b"\\/",
    b"\x1f",
    b"\x7f",
    "é".encode(),
    b"d83d",
    b"'",
]
WORDS = ["true", "false", "null", "NaN", "Infinity"]


def odd_value(random: Random) -> bytes:
    """What may or may not be a JSON number, string or name; no bracket, comma or lone quote is in it."""
    match random.randrange(3):
        case 0:
            return "".join(random.choices(NUMBERS, k=random.randint(1, 7))).encode()
        case 1:
            return b'"' + b"".join(random.choices(PIECES, k=random.randint(1, 4))) + b'z"'
        case _:
            word = random.choice(WORDS)
            at = random.randrange(len(word))
            return (word[:at] + random.choice([word[at], "x", ""]) + word[at + 1 :]).encode()


def test_json_that_duckdb_is_not_asked_to_parse_is_valid(project: Path, api: StacApi) -> None:
    random = Random(5)
    sent = {f"i{number}": odd_value(random) for number in range(2001)}
    for id, value in sent.items():
        properties = b'{"datetime":"2024-01-01T12:00:00Z","v":%s}' % value
        text = b'{"id":"%s","properties":%s,"assets":{"v":[%s]},"x":%s}'
        api.put(RawItem(text % (id.encode(), properties, value, value), "c1", NOON, NOON, id=id))
    result = load_days(api, page_size=500)
    counts = [
        f"count(*) FILTER (NOT json_valid({name})) AS {name}" for name in ("properties", "assets", "extra")
    ]
    assert query(f"SELECT {', '.join(counts)} FROM pystac_client_data.search") == [
        {"properties": 0, "assets": 0, "extra": 0}
    ]
    stored = {id: item["x"] for (_, id), item in items().items()}
    assert 200 < len(stored) < 1800
    assert result.figures.rejected_items == len(sent) - len(stored)
    assert stored == {id: json.loads(value) for id, value in sent.items() if id in stored}


# Held by somebody else ---------------------------------------------------------------------------------


@contextmanager
def another_process_that_holds(file: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process, such as a notebook, that has a DuckDB file open until its standard input ends."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.communicate()


def test_a_duckdb_file_that_another_process_holds(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    load_days(api)
    api.put(make_item("b"))
    with (
        another_process_that_holds(project / DUCKDB_FILE) as notebook,
        pytest.raises(
            DatasetBusy, match=rf"{DUCKDB_FILE} is held by process {notebook.pid} .*nothing was stored"
        ),
    ):
        load_days(api)
    assert ids() == ["a"]
    load_days(api)
    assert ids() == ["a", "b"]


def test_a_store_waits_for_the_other_process(project: Path) -> None:
    file = project / DUCKDB_FILE
    with another_process_that_holds(file) as notebook:
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            notebook.communicate()

        told: list[str] = []
        storage = storage_for("http://127.0.0.1")
        place = storage.place(storage.pipeline(project / "unused"))
        with dataset_lock(storage, place, 60, tell=told.append, sleep=sleep):
            pass
    assert len(waits) == 1
    assert f"{file}, which is held by process {notebook.pid}" in told[0] and "60 s" in told[0]
    assert told[1:] == [line for line in told if line.startswith("waited ")]


def test_a_file_that_is_no_database_is_named(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    (project / DUCKDB_FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match=str(DUCKDB_FILE)):
        load_days(api)


def test_one_store_at_a_time(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    storage, place = storage_for(api), place_for(api, project / "unused")
    busy = pytest.raises(DatasetBusy, match=f"{DUCKDB_FILE}.*lock_timeout.*[Nn]othing")
    with dataset_lock(storage, place, 1), busy:
        load_days(api)
    load_days(api)
    assert ids() == ["a"]


def test_loads_at_the_same_time_store_in_turn(project: Path, api: StacApi) -> None:
    days = [f"2024-01-{day:02}" for day in range(1, 5)]
    for day in days:
        api.put(make_item(day, datetime=f"{day}T12:00:00Z"))
    with ThreadPoolExecutor(len(days)) as threads:
        done = [threads.submit(load_days, api, first=day, lock_timeout=120) for day in days]
        for future in done:
            assert len(future.result().windows) == 1
    assert ids() == days


def test_a_store_that_fails_leaves_nothing_behind_for_the_next_one(project: Path, api: StacApi) -> None:
    for id in "abc":
        api.put(make_item(id))
    load_days(api)
    api.put(make_item("d"))
    with pytest.raises(ConfigurationError, match="max_items"):
        load_days(api, max_items=1)
    assert ids() == ["a", "b", "c"]
    load_days(api)
    assert ids() == ["a", "b", "c", "d"]


def test_the_trace_tells_what_was_stored_and_where(project: Path, api: StacApi) -> None:
    for id in "abcd":
        api.put(make_item(id))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api, last="2024-01-03")
    trace = dlt.pipeline(PIPELINE_NAME, destination="duckdb", dataset_name=DATASET).last_trace
    assert trace is not None and trace.last_normalize_info is not None and trace.last_load_info is not None
    counts = trace.last_normalize_info.row_counts
    assert (counts["search"], counts["rejected_items"]) == (4, 1)
    assert str(project / DUCKDB_FILE) in str(trace.last_load_info)

    load_days(api, "item", item_ids=["a", "gone"])
    trace = dlt.pipeline(PIPELINE_NAME, destination="duckdb", dataset_name=DATASET).last_trace
    assert trace is not None and trace.last_normalize_info is not None
    assert trace.last_normalize_info.row_counts["item"] == 1


def test_a_load_leaves_the_process_as_it_was(project: Path, api: StacApi) -> None:
    """Also while a window fails, and while another load takes place in another thread."""

    def state() -> Any:
        loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
        kept = {log.name: (log.level, log.filters[:], log.disabled, log.propagate) for log in loggers}
        return kept, logging.root.manager.disable, dict(os.environ), pa.default_memory_pool().backend_name

    api.put(make_item("a"))
    load_days(api)  # which imports all, and lets dlt make its logger
    before = state()
    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(load_days, api, lock_timeout=120) for _ in range(2)]:
            future.result()
    api.fault("/search", status=400, times=None)
    load_days(api, fails=True)
    assert state() == before


# Projects ------------------------------------------------------------------------------------------------


def test_two_projects_on_one_machine_do_not_mix(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, moved = project.parent / "second", project.parent / "moved"
    make_project(second)
    api.put(make_item("a", only_first=1))
    with StacApi(items=[make_item("b", only_second="x")]) as other:
        load_days(api)
        enter_project(second, monkeypatch)
        load_days(other)
        assert [*dataset().search.df()["only_second"]] == ["x"]
        assert "only_first" not in dataset().search.columns

        enter_project(project, monkeypatch)
        assert [*dataset().search.df()["id"]] == ["a"]
        assert dataset().search.arrow()["only_first"].to_pylist() == [1.0]

    shutil.copytree(project, moved)
    (project / DUCKDB_FILE).unlink()
    enter_project(moved, monkeypatch)
    assert [*dataset().search.df()["id"]] == ["a"]
    assert not (project / DUCKDB_FILE).exists(), (
        "the copy does not look at the folder that it was copied from"
    )


def test_no_file_holds_the_token(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt writes the settings that it resolved into its trace; ours must not be among them."""
    api.token = "t0p-secret"
    api.put(make_item("a"))
    section = "[sources.pystac_client_source]"
    (project / ".dlt" / "secrets.toml").write_text(
        f'{section}\nbase_url = "{api.url}"\napi_key = "t0p-secret"\nheaders = {{ X = "hdr-secret" }}\n'
    )
    enter_project(project, monkeypatch)
    load_days(api)
    (project / ".dlt" / "secrets.toml").unlink()
    assert ids() == ["a"]
    written = [path for path in project.parent.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert [path for path in written if b"-secret" in path.read_bytes()] == []


def test_the_same_project_stores_into_postgresql(
    project: Path, api: StacApi, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres_url)
    for id in "ab":
        api.put(make_item(id, gsd=10, title=id))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api)
    api.remove("c1", "a")
    result = load_days(api)
    load_catalog(api, "collections")
    load_catalog(api, "collections")
    with dlt.pipeline(PIPELINE_NAME, destination="postgres", dataset_name=DATASET).sql_client() as client:
        assert client.execute_sql("SELECT id, gsd, title FROM search") == [("b", 10.0, "b")]
        assert client.execute_sql("SELECT document FROM rejected_items") == [(BAD["nan"].decode(),)]
        assert client.execute_sql("SELECT id FROM collections") == [("c1",)]
    assert "postgres" in result.location and "nothing" not in result.location
    assert not (project / DUCKDB_FILE).exists()
