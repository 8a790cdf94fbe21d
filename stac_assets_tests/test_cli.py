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
from stac_assets.cli.progress import Tally
from stac_assets.settings import SETTINGS
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


def test_a_tally_counts_what_the_api_counts() -> None:
    first, second = windows("c1", parse_day("2024-01-01", ""), parse_day("2024-01-02", ""), Granularity.DAILY)
    tally = Tally(2)
    assert (tally.read, tally.total) == (0, None)

    figures = Figures(items=5, duplicates=1, items_owned_elsewhere=2, rejected_items=1, number_matched=12)
    tally.note(first, figures)
    figures.items = 99  # a copy was noted
    assert (tally.read, tally.total, tally.is_total_final) == (9, 12, False)
    assert str(tally).startswith("9 of 12+ items, ")

    tally.note(second, Figures(items=3, pages=1, number_matched=3))
    assert (tally.read, tally.total, tally.is_total_final) == (12, 15, True)
    assert str(tally).startswith("12 of 15 items in 1 page, ")

    tally.note(second, Figures(items=3, pages=2))
    assert tally.total is None
    assert str(tally).startswith("12 items in 2 pages, ")


def test_a_tally_of_a_sample_or_of_named_items() -> None:
    window = windows("c1", parse_day("2024-01-01", ""), parse_day("2024-01-01", ""), Granularity.DAILY)[0]
    sample = Tally(1, max_items=10)
    sample.note(window, Figures(items=2, number_matched=500))
    assert sample.total == 10
    assert Tally(1, expected=4).total == 4


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (999, "999 B"), (17_234, "17.2 kB"), (3.2e9, "3.2 GB"), (5e15, "5,000.0 TB")],
)
def test_sizes(size: float, told: str) -> None:
    assert sized(size) == told


def test_counts() -> None:
    assert [counted(number, "item") for number in (0, 1, 1200)] == ["0 items", "1 item", "1,200 items"]
    assert [counted(number, "row is", "rows are") for number in (1, 2)] == ["1 row is", "2 rows are"]
