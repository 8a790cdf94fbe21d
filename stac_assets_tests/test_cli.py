"""The command `stac-assets`: its flags, Ctrl-C, the dashboard, and what progress says."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from stac_assets.cli.console import sized
from stac_assets.cli.flags import settings_given
from stac_assets.cli.main import build_parser, main
from stac_assets.cli.tally import Tally
from stac_assets.cli.time_left import told
from stac_assets.settings import SETTINGS
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.spool import Spool
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Granularity, parse_day, windows
from stac_assets.stac.wording import counted
from stac_assets_tests.commanding import (
    MODULE,
    Run,
    day_items,
    environment,
    fill,
    run_in,
)
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.loads import DUCKDB_FILE, query
from stac_assets_tests.stac_api import StacApi

# The command line ---------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from stac_assets.cli.main import build_parser; build_parser().format_help();"
        "print({'dlt', 'duckdb', 'dagster', 'requests', 'msgspec', 'rich', 'pyarrow', 'pydantic'}"
        " & set(sys.modules))"
    )
    assert run_in(REPOSITORY, dict(os.environ), sys.executable, "-c", code).strip() == "set()"


def test_a_load_of_an_empty_day_imports_no_library_that_it_has_no_rows_for(
    project: Path, full: StacApi
) -> None:
    code = (
        "import sys; from stac_assets.cli.main import main; main(sys.argv[1:]);"
        "print({'pandas', 'sqlalchemy', 'numpy', 'pyarrow'} & set(sys.modules))"
    )
    days = ("--start", "1999-01-01", "--end", "1999-01-01")
    command = (sys.executable, "-c", code, "load", "--base-url", full.url, "--collection", "c1", *days)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for _ in ("the first load makes the tables", "the second finds them"):
        assert run_in(project, environment, *command).splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fetch"],
        ["load", "--resource", "items"],
        ["load", "--start", "2024-13-01"],
        ["load", "--start", "yesterday"],
        ["load", "--granularity", "hourly"],
        ["load", "--max-items", "0"],
        ["load", "--base-url", "earth-search"],
        ["load", "--id", "a"],
        ["check", "--end", "2024-1-1"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: stac-assets" in capsys.readouterr().err


SETTING_FLAGS = {
    "load": {
        "--base-url": "base_url",
        "--preset": "preset",
        "--collection": "collections",
        "--start": "start_date",
        "--end": "end_date",
        "--granularity": "granularity",
        "--destination": "destination",
        "--max-items": "max_items",
    },
    "check": {
        "--base-url": "base_url",
        "--preset": "preset",
        "--collection": "collections",
        "--start": "start_date",
        "--end": "end_date",
    },
}


@pytest.mark.parametrize("command", SETTING_FLAGS)
def test_flags_say_of_a_setting_what_the_model_says(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    told = re.split(r"\n  (?=-)", capsys.readouterr().out)
    for flag, name in SETTING_FLAGS[command].items():
        setting = SETTINGS[name]
        (text,) = [text for text in told if text.startswith(f"{flag} ")]
        assert setting.sentence[1:].rstrip(".").replace("`", "'") in text
        assert f"or else {setting.default})" in text if setting.default else "as configured)" in text
        assert flag == "--collection" or all(choice in text for choice in setting.choices)


def test_flags_are_the_settings_of_a_command() -> None:
    week = ["--start", "2024-01-01", "--end", "2024-01-07", "--collection", "a", "--collection", "b"]
    given = settings_given(build_parser().parse_args(["load", *week, "--max-items", "3"]))
    expected = dict.fromkeys(SETTING_FLAGS["load"].values())
    days = {"start_date": date(2024, 1, 1), "end_date": date(2024, 1, 7)}
    assert given == {**expected, **days, "collections": ["a", "b"], "max_items": 3}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out.startswith("stac-assets ")


# Ctrl-C -------------------------------------------------------------------------------------------


@contextmanager
def loading(folder: Path, api: StacApi) -> Iterator[subprocess.Popen[str]]:
    """A load in another process, which has begun to ask for items and hears Ctrl-C."""
    process = subprocess.Popen(
        [*MODULE, "load", "--end", "2024-01-02"],
        cwd=folder,
        env=environment(api),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 60
        while not any(request.path == "/search" for request in api.requests):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_stops_a_load_and_says_that_nothing_was_stored(project: Path, api: StacApi) -> None:
    fill(api, day_items(1, 2))
    api.fault("/search", times=None, drip=0.2)
    with loading(project, api) as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "error: interrupted while search was being fetched; nothing was stored of it" in err
    assert "Traceback" not in err
    assert not list((project / ".dlt" / "runs").iterdir())
    tables = query("SELECT table_name FROM duckdb_tables()") if DUCKDB_FILE.exists() else []
    assert tables == []


def test_a_second_ctrl_c_does_not_wait_for_a_silent_server(project: Path, api: StacApi) -> None:
    fill(api, day_items(1, 2))
    api.fault("/search", times=None, delay=50)
    with loading(project, api) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
    assert process.returncode == 130


# show ---------------------------------------------------------------------------------------------


def test_show_before_anything_was_loaded(run: Run) -> None:
    said = run("show", "--headless")
    assert said.status == 1
    assert "Run `stac-assets load` first" in said.err


def test_show_names_the_extra_that_it_needs(run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "marimo", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "dlt._workspace.helpers.dashboard.runner", raising=False)
    fill(api, day_items(1, 1))
    assert run("load", "--end", "2024-01-01").status == 0
    said = run("show", "--headless")
    assert said.status == 1
    assert "marimo" in said.err
    assert "pip install 'stac-assets[dashboard]' (in a clone: pip install" in said.err


def test_show_serves_the_dashboard_on_this_machine_only(run: Run, api: StacApi, project: Path) -> None:
    pytest.importorskip("marimo")
    pytest.importorskip("ibis")
    fill(api, day_items(1, 1))
    assert run("load", "--end", "2024-01-01").status == 0
    command = [*MODULE, "show", "--headless", "--port", "27189"]
    dashboard = subprocess.Popen(command, cwd=project, env=environment(api), stdin=subprocess.DEVNULL)
    try:
        assert "dlt" in eventually("http://127.0.0.1:27189/", dashboard)
    finally:
        dashboard.terminate()
        dashboard.wait(20)


def eventually(url: str, process: subprocess.Popen[bytes]) -> str:
    """The page at `url`, as soon as it is there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.URLError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)


# What a progress display says ---------------------------------------------------------------------


def fetched(collection: str, first: int, last: int) -> list[FetchedWindow]:
    """Windows of a collection, one of each day."""
    begin, end = (parse_day(f"2024-01-{day:02}", "") for day in (first, last))
    its = windows(collection, begin, end, Granularity.DAILY)
    return [FetchedWindow(window, Spool(Path(), "")) for window in its]


def test_a_tally_counts_what_the_api_counts() -> None:
    first, second = its = fetched("c1", 1, 2)
    tally = Tally([each.window for each in its])
    assert str(tally).startswith("0 items, ")

    tally.begun([first])
    figures = Figures(items=5, duplicates=1, items_owned_elsewhere=2, rejected_items=1, number_matched=12)
    tally.page(first.window, figures)
    assert str(tally).startswith("9 of 12+ items, ")
    assert tally.row("c1").fraction == 9 / 12 / 2  # of two windows

    tally.begun([second])
    second.figures = Figures(items=3, pages=1, number_matched=3)
    tally.page(second.window, second.figures)
    assert str(tally).startswith("12 of 15 items in 1 page, ")
    assert tally.row("c1").fraction == 12 / 15  # as soon as all are counted, items tell more than windows
    tally.ended([second])
    first.figures, first.error = figures, StacError("no")
    tally.ended([first])
    total = tally.total()
    assert (total.done, total.failed, total.read, tally.collections_over) == (1, 1, 12, 1)
    tally.begun([first])  # it is asked for once more
    assert (tally.total().failed, tally.total().read, tally.collections_over) == (0, 3, 0)
    tally.ended([first])
    assert tally.row("c1").is_over


def test_a_tally_keeps_the_count_of_an_answer_that_was_too_long() -> None:
    one, other = fetched("c1", 1, 31), fetched("c2", 1, 31)
    tally = Tally([each.window for each in (*one, *other)])
    tally.begun([*one, *other])
    tally.page(one[0].window, Figures(items=200, pages=1))
    assert (tally.under_way(), tally.collections_together, tally.total().read) == ([], 2, 200)
    tally.given_back([*one, *other], 5_000)
    tally.begun(one)
    tally.page(one[0].window, Figures(items=200, pages=1))
    tally.begun(one)  # it is read by another plan
    tally.given_back(one, 4_000)
    assert (tally.total().read, tally.total().expected) == (0, 5_000)
    tally.begun(one[:1])
    tally.page(one[0].window, Figures(items=1_000, pages=5))
    row, total = tally.row("c1"), tally.total()
    assert (row.expected, row.fraction, total.expected, total.fraction) == (4_000, 1 / 4, 5_000, 1 / 5)
    assert tally.under_way() == ["c1"]


def test_a_tally_of_an_api_that_does_not_count_goes_by_windows() -> None:
    its = fetched("c1", 1, 4)
    tally = Tally([each.window for each in its])
    for each in its[:3]:
        tally.begun([each])
        each.figures = Figures(items=7, pages=1)
        tally.ended([each])
    row = tally.row("c1")
    assert (row.read, row.expected, row.fraction) == (21, None, 3 / 4)
    assert str(tally).startswith("21 items in 3 pages, ")


def test_a_tally_of_a_sample_or_of_named_items() -> None:
    [only] = fetched("c1", 1, 1)
    sample = Tally([only.window], max_items=10)
    sample.begun([only])
    sample.page(only.window, Figures(items=2, number_matched=500))
    assert sample.total().expected == 10
    assert Tally([only.window], {"c1": 4}).total().expected == 4


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "not known"), (0.2, "0:00:01"), (599, "0:09:59"), (612, "0:10:20"), (86_399, "24:00:00")],
)
def test_the_time_that_is_left(seconds: float | None, said: str) -> None:
    assert told(seconds) == said


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (999, "999 B"), (17_234, "17.2 kB"), (3.2e9, "3.2 GB"), (5e15, "5,000.0 TB")],
)
def test_sizes(size: float, told: str) -> None:
    assert sized(size) == told


def test_counts() -> None:
    assert [counted(number, "item") for number in (0, 1, 1200)] == ["0 items", "1 item", "1,200 items"]
    assert [counted(number, "row is", "rows are") for number in (1, 2)] == ["1 row is", "2 rows are"]
