"""The demo, as `make demo` runs it: a real STAC API by others, nine assets through Dagster, tables."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stac_assets.demo.catalog import COLLECTIONS
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.browser.dagster_dev import bare_environment, free_port, see_ended, until
from stac_assets_tests.conftest import make_project
from stac_assets_tests.loads import query


def command(folder: Path, port: int, *arguments: str) -> list[str]:
    demo = [sys.executable, "-m", "stac_assets.cli.main", "demo"]
    return [*demo, "--folder", str(folder), "--port", str(port), *arguments]


def demo(folder: Path, port: int, start: Path) -> str:
    environment = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run(
        command(folder, port), cwd=start, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_loads_everything_and_a_second_one_changes_no_row(tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / ".demo"
    first = demo(folder, port, tmp_path)
    for name in ENDPOINTS:
        assert re.search(rf"pystac_client_data\.{name} .*first run", first)
    assert "How cloudy" in first and "make ui" in first and "connect('.demo/pystac_client.duckdb')" in first
    counts = query(
        "SELECT collection, count(*) AS items FROM pystac_client_data.search GROUP BY ALL",
        folder / "pystac_client.duckdb",
    )
    assert {row["collection"] for row in counts} == set(COLLECTIONS)
    assert sum(row["items"] for row in counts) >= 3000
    assert [path.name for path in tmp_path.iterdir()] == [".demo"]
    second = demo(folder, port, folder)
    assert (
        f"stac-assets demo --ui --folder {folder}" in second and "connect('pystac_client.duckdb')" in second
    )
    assert second.count("no row changed") == len(ENDPOINTS)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Callable[[str], str]]:
    """A demo until it is interrupted; what it gives waits for a text, and returns all that was said."""
    log = folder.parent / "demo.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(folder, free_port(), *arguments),
            cwd=folder.parent,
            env=bare_environment(folder.parent),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(text: str) -> str:
        until(lambda: text in log.read_text() or process.poll() is not None, f"{text!r} in the log")
        assert text in log.read_text(), log.read_text()
        return log.read_text()

    try:
        yield said
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        see_ended(process)


def test_the_sample_api_alone_is_loaded_by_the_settings_that_it_prints(tmp_path: Path) -> None:
    project = tmp_path / "project"
    make_project(project)
    with running(tmp_path / "demo", "--serve") as said:
        lines = said("PIPELINE__DATASET_NAME").splitlines()
        exports = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
        settings = dict(line.split("=", 1) for line in exports)
        load = [sys.executable, "-m", "stac_assets.cli.main", "load", "--resource", "collections"]
        subprocess.run(load, cwd=project, env={**bare_environment(project), **settings}, check=True)
    stored = query("SELECT id FROM demo.collections", project / "pystac_client.duckdb")
    assert {row["id"] for row in stored} == set(COLLECTIONS)
    assert not (tmp_path / "demo" / "pystac_client.duckdb").exists()


def test_the_ui_comes_without_a_note_on_another_program(tmp_path: Path) -> None:
    with running(tmp_path / "demo", "--ui") as said:
        assert "superseded" not in said("Serving dagster-webserver")
