"""Disks that fill up, folders that cannot be written, databases that go away, two runs at once.

Each time the error says what, where and what to do; the table is as it was; the next run needs no hand. That
a run can be killed at any moment is proven in `soak`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest

from stac_assets.pipeline.errors import StoreFailed
from stac_assets.pipeline.folders import run_folder
from stac_assets_tests.forked import Forker
from stac_assets_tests.hardship import (
    Said,
    load_on_small_disk,
    load_read_only,
    load_small_files,
    make_run_folders,
    may_mount,
)
from stac_assets_tests.loads import DATASET, DUCKDB_FILE, QUICK, items, load_days
from stac_assets_tests.proxy import Proxy
from stac_assets_tests.stac_api import StacApi, make_item

SETTING = "SOURCES__PYSTAC_CLIENT_SOURCE__"


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as server:
        yield server


@pytest.fixture
def configured(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is configured for `api`, so that the command needs no flags."""
    for name, value in {**QUICK, "base_url": api.url, "collections": "c1", "lock_timeout": 60}.items():
        monkeypatch.setenv(SETTING + name.upper(), str(value))
    return project


@pytest.fixture
def mounting(forker: Forker) -> None:
    if not forker.run(may_mount).returned:
        pytest.skip("this process may not mount")


def publish(api: StacApi, version: int, count: int = 20, size: int = 10) -> list[dict[str, Any]]:
    """Let the API have `count` items of a version, of about `size` bytes each that cannot be compressed."""
    random = Random(version)
    published = [make_item(f"i{n}", v=version, text=random.randbytes(size // 2).hex()) for n in range(count)]
    api.clear()
    for item in published:
        api.put(item)
    return published


def held() -> list[dict[str, Any]]:
    """The items that the table holds, in the order of their numbers."""
    found = items()
    return [found["c1", f"i{n}"] for n in range(len(found))]


def runs_left(project: Path) -> list[Path]:
    return list((project / ".dlt" / "runs").iterdir())


def the_error(said: Said) -> str:
    """What the command said last, which must be its one error, and short."""
    status, told = said
    assert status == 1, told
    assert "Traceback" not in told
    *before, error = told.strip().splitlines()
    assert error.startswith("error: ") and not any(line.startswith("error: ") for line in before), told
    assert len(before) < 10, told
    return error


# Disks and folders --------------------------------------------------------------------------------------


def test_a_full_disk_in_the_pipeline_folder(
    configured: Path, api: StacApi, forker: Forker, mounting: None
) -> None:
    publish(api, 1)
    load_days(api)
    publish(api, 2, count=500, size=2000)
    ended = forker.run(load_on_small_disk, where=".dlt", size="400k", file=str(DUCKDB_FILE))
    assert ended.status == 0, ended.raised
    on_full, held_then, with_room, held_now = ended.returned
    error = the_error(on_full)
    assert error.startswith("error: a working file") and f"{configured / '.dlt' / 'runs'}: " in error
    assert "No space left on device" in error and "Nothing was stored" in error
    assert held_then == [1]
    assert with_room[0] == 0, with_room[1]
    assert held_now == [2]


def test_a_full_disk_under_the_database(
    configured: Path, api: StacApi, forker: Forker, mounting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "data/some.duckdb")
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "2")
    publish(api, 1)
    load_days(api)
    publish(api, 2, count=500, size=2000)
    ended = forker.run(load_on_small_disk, where="data", size="3m", file="data/some.duckdb")
    assert ended.status == 0, ended.raised
    on_full, held_then, with_room, held_now = ended.returned
    error = the_error(on_full)
    assert "some.duckdb" in error and "No space left on device" in error and "old rows or its new" in error
    assert held_then in ([1], [2]), "its old rows or its new ones"
    assert with_room[0] == 0, with_room[1]
    assert held_now == [2]


def test_a_file_that_may_not_grow(configured: Path, api: StacApi, forker: Forker) -> None:
    new = publish(api, 1, count=500, size=2000)
    ended = forker.run(load_small_files, size=100_000)
    error = the_error(ended.returned)
    assert "too large" in error and "Nothing was stored" in error
    assert runs_left(configured) == []
    load_days(api)
    assert held() == new


@pytest.mark.parametrize("where", [".", str(DUCKDB_FILE)])
def test_a_project_that_cannot_be_written(
    configured: Path, api: StacApi, forker: Forker, mounting: None, where: str
) -> None:
    old = publish(api, 1)
    load_days(api)
    new = publish(api, 2)
    error = the_error(forker.run(load_read_only, where=where).returned)
    assert "Read-only file system" in error and str(configured) in error and "Nothing was stored" in error
    assert held() == old
    load_days(api)
    assert held() == new


def test_rows_are_stored_though_dlts_own_folder_cannot_be_written(
    project: Path, api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    new = publish(api, 1)
    (project / ".dlt" / "pipelines").write_text("a file where a folder should be")
    load_days(api)
    assert held() == new
    assert "the rows are stored" in caplog.text and str(project / ".dlt" / "pipelines") in caplog.text


# A database that goes away ------------------------------------------------------------------------------


class Remote(NamedTuple):
    """A PostgreSQL database behind a proxy that hangs up."""

    proxy: Proxy
    url: str

    def held(self) -> list[dict[str, Any]]:
        """The properties of the items, in the order of their ids; asked behind the proxy's back."""
        with psycopg2.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT properties::text FROM {DATASET}.search ORDER BY id")
            return [json.loads(row[0]) for row in cursor.fetchall()]


@pytest.fixture
def remote(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    where = urlsplit(postgres_url)
    folder = parse_qs(where.query)["host"][0]
    with Proxy(f"{folder}/.s.PGSQL.{where.port or 5432}") as proxy:
        monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
        monkeypatch.setenv(
            "DESTINATION__POSTGRES__CREDENTIALS",
            f"postgresql://postgres:any@127.0.0.1:{proxy.port}{where.path}",
        )
        yield Remote(proxy, postgres_url)


def properties_of(published: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item["properties"] for item in sorted(published, key=lambda item: item["id"])]


def test_a_database_that_is_away_from_the_start(project: Path, api: StacApi, remote: Remote) -> None:
    new = publish(api, 1)
    remote.proxy.is_away = True
    with pytest.raises(StoreFailed, match=r"postgres, dataset .* was lost .*127\.0\.0\.1.*Nothing"):
        load_days(api)
    assert [request for request in api.requests if request.path == "/search"] == [], "nothing was fetched"
    remote.proxy.is_away = False
    load_days(api)
    assert remote.held() == properties_of(new)


EMPTIED = f'DELETE FROM "{DATASET}"."search"'.encode()
FILLED = f'COPY "{DATASET}"."search"'.encode()


@pytest.mark.parametrize(
    ("words", "answer_only"),
    [([EMPTIED], False), ([FILLED], False), ([FILLED, b"COMMIT"], False), ([FILLED, b"COMMIT"], True)],
    ids=["deleting", "copying", "committing", "committed"],
)
def test_a_database_that_hangs_up_once_is_asked_again(
    project: Path, api: StacApi, remote: Remote, words: list[bytes], answer_only: bool
) -> None:
    publish(api, 1)
    load_days(api)
    new = publish(api, 2, count=15)
    remote.proxy.cut(words, answer_only=answer_only)
    load_days(api)
    assert remote.proxy.cuts == 1
    assert remote.held() == properties_of(new)


@pytest.mark.parametrize("word", [EMPTIED, FILLED], ids=["deleting", "copying"])
def test_a_database_that_goes_away_in_mid_load_and_comes_back(
    project: Path, api: StacApi, remote: Remote, monkeypatch: pytest.MonkeyPatch, word: bytes
) -> None:
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "2")
    old = publish(api, 1)
    load_days(api)
    new = publish(api, 2, count=15)
    remote.proxy.cut([word], for_good=True)
    with pytest.raises(StoreFailed, match=r"postgres.* was lost \(.*closed.*old rows or its new ones"):
        load_days(api)
    assert remote.proxy.cuts == 1
    assert remote.held() == properties_of(old)
    assert runs_left(project) == []

    remote.proxy.is_away = False
    load_days(api)
    assert remote.held() == properties_of(new)


# Two at once --------------------------------------------------------------------------------------------


def test_two_runs_of_one_partition_at_once(configured: Path, api: StacApi, forker: Forker) -> None:
    publish(api, 1)
    load_days(api)
    new = publish(api, 2)
    other = forker.start(load_days, api=api.url, lock_timeout=60)
    load_days(api, lock_timeout=60)
    ended = other.ended()
    assert ended.status == 0, ended.raised
    assert held() == new
    assert runs_left(configured) == []


def test_the_folder_of_a_run_is_its_own(project: Path, tmp_path: Path) -> None:
    parent = tmp_path / "runs"
    abandoned = parent / "abandoned"
    abandoned.mkdir(parents=True)
    (abandoned / "a file").touch()
    with run_folder(parent) as first:
        assert not abandoned.exists()
        with run_folder(parent) as second:
            assert first.exists() and second.exists() and first != second
        assert first.exists() and not second.exists()
    assert not first.exists()


def test_two_hosts_that_share_a_project_leave_each_other_their_folders(
    project: Path, tmp_path: Path, forker: Forker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock of this machine keeps the other host from looking for folders that crashed runs left."""
    asked = {"parent": str(tmp_path / "runs"), "number": 500}
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("DLT_DATA_DIR", str(tmp_path / "another host"))
        other = forker.start(make_run_folders, **asked)
    make_run_folders(**asked)
    ended = other.ended()
    assert ended.status == 0, ended.raised
    assert list((tmp_path / "runs").iterdir()) == []
