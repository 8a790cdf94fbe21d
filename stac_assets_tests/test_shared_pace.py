"""The limit that processes of a machine share: a file for each host, which may be gone or of no use."""

import logging
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyrate_limiter import RateItem, SQLiteBucket

from stac_assets.stac.errors import Cancelled
from stac_assets.stac.http.shared_pace import SharedPace
from stac_assets.stac.http.transport import Transport
from stac_assets_tests.asking import options_for
from stac_assets_tests.commanding import environment
from stac_assets_tests.stac_api import StacApi

NEVER = 0.001
"""Requests a second: the next one would be after this test."""


def pace(folder: Path, host: str = "a.example", limit: float = NEVER) -> SharedPace:
    return SharedPace(lambda: folder, host, limit)


def test_who_comes_second_waits_and_another_host_does_not(tmp_path: Path) -> None:
    first, second = pace(tmp_path / "new" / "folder"), pace(tmp_path / "new" / "folder")
    assert first.delay() == 0
    assert 0 < second.delay() <= 1050 and 0 < first.delay() <= 1050
    assert pace(tmp_path / "new" / "folder", "b.example").delay() == 0
    assert pace(tmp_path / "elsewhere").delay() == 0


@pytest.mark.parametrize("limit", [0.0001, 0.3, 1.0, 2.5, 5.0, 19.0, 20.0, 333.3, 1_000_000.0])
def test_a_limit_is_never_exceeded(tmp_path: Path, limit: float) -> None:
    shared = pace(tmp_path, limit=limit)
    assert shared.delay() == 0
    rate = shared._rate  # pyright: ignore[reportPrivateUsage]
    assert rate.limit * 1000 / rate.interval <= limit
    assert rate.limit == 1 or rate.interval <= 101  # evenly, as far as a clock of milliseconds tells
    assert rate.limit * 1000 / rate.interval >= limit * 0.93


def test_of_many_threads_one_begins(tmp_path: Path) -> None:
    shared, others = pace(tmp_path), pace(tmp_path)
    gate = threading.Barrier(8)

    def ask(number: int) -> float:
        gate.wait(10)
        return (shared if number % 2 else others).delay()

    with ThreadPoolExecutor(8) as pool:
        delays = list(pool.map(ask, range(8)))
    assert sum(delay == 0 for delay in delays) == 1


def test_a_clock_that_was_put_back_stops_nobody_for_long(tmp_path: Path) -> None:
    shared = pace(tmp_path, limit=1000.0)
    assert shared.delay() == 0
    (file,) = tmp_path.glob("*.sqlite")
    rate = shared._rate  # pyright: ignore[reportPrivateUsage]
    table = f"at_{rate.limit}_in_{rate.interval}_ms"
    with sqlite3.connect(file) as database:
        hour_ahead = "UPDATE {0} SET item_timestamp = item_timestamp + 3600000"
        database.execute(hour_ahead.format(table))
    bucket = SQLiteBucket.init_from_file([rate], table, str(file), use_file_lock=True)
    for _ in range(rate.limit):
        bucket.put(RateItem("", bucket.now() + 3_600_000))
    assert 0 < shared.delay() <= rate.interval / 1000
    assert shared.delay() == 0


@pytest.mark.parametrize("fault", ["a file in place of the folder", "no database"])
def test_a_file_of_no_use_is_told_once_and_stops_nobody(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "paces"
    if fault == "no database":
        assert pace(folder).delay() == 0
        for file in folder.glob("*.sqlite*"):
            file.write_bytes(b"no database at all" * 100)
    else:
        folder.write_text("")
    with caplog.at_level(logging.WARNING, "stac_assets"):
        shared = pace(folder)
        assert [shared.delay() for _ in range(3)] == [0, 0, 0]
    assert caplog.text.count("requests_per_second is kept by this process alone") == 1


def test_who_is_stopped_waits_no_longer(project: Path, api: StacApi) -> None:
    stop = threading.Event()
    transport = Transport(options_for(api, requests_per_second=NEVER), stop)
    transport.get(api.url)
    stop.set()
    with pytest.raises(Cancelled):
        transport.get(api.url)


def test_without_a_limit_nothing_is_imported_and_no_file_written(project: Path, api: StacApi) -> None:
    code = (
        "import sys\n"
        "from stac_assets.settings import read_settings\n"
        "from stac_assets.stac.api import StacApi\n"
        "StacApi(read_settings().api).conformance()\n"
        "print('pyrate_limiter' in sys.modules)\n"
    )
    for limit, imported in ((None, "False"), ("5", "True")):
        given = {} if limit is None else {"SOURCES__PYSTAC_CLIENT_SOURCE__REQUESTS_PER_SECOND": limit}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=project,
            env=environment(api, **given),
            capture_output=True,
            text=True,
        )
        assert done.stdout == f"{imported}\n", done.stderr
        written = list((project.parent / "dlt-data").rglob("*.sqlite"))
        assert len(written) == (0 if limit is None else 1)
