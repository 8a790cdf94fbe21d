"""The demo, as `make demo` runs it: a real STAC API by others, nine assets through Dagster, tables."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stac_assets.demo.catalog import COLLECTIONS
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.browser.dagster_dev import bare_environment, free_port, see_ended, until
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.loads import DUCKDB_FILE, query

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """What stands between fences in the README, and in the page on queries where there is one."""
    queries = REPOSITORY / "docs" / "query.md"
    text = README + (queries.read_text(encoding="utf-8") if queries.exists() else "")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


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
        assert re.search(rf"pystac_client_data\.{name} +│ +[1-9]\d* │ first run", first)
    assert "How cloudy" in first and "make ui" in first and "connect('.demo/pystac_client.duckdb')" in first
    counts = query(
        "SELECT collection, count(*) AS items FROM pystac_client_data.search GROUP BY ALL",
        folder / DUCKDB_FILE,
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


def test_every_command_and_query_of_the_readme_works_on_the_sample_api(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with running(folder, "--serve") as said:
        assert "  cd demo\n" in said("README.md")
        assert not (folder / DUCKDB_FILE).exists()
        environment = bare_environment(folder)
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

        def run(*command: str) -> str:
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        commands = re.findall(
            r"^(?:stac-assets check|stac-assets load|dagster asset materialize)\b.*", README, re.M
        )
        assert len(commands) >= 3
        told = "".join(run("sh", "-c", command) for command in commands)
        assert len(re.findall(r"^│ \w+ +│ yes +│", told, re.M)) == len(ENDPOINTS)
    questions = [question for block in blocks("sql") for question in block.split(";") if question.strip()]
    assert questions and all(query(question, folder / DUCKDB_FILE) for question in questions)
    (cell,) = [code for code in blocks("python") if "import geopandas" in code]
    items = query("SELECT id FROM pystac_client_data.search", folder / DUCKDB_FILE)
    assert run(sys.executable, "-c", cell).startswith(f"{len(items)} [")


def test_the_ui_comes_without_a_note_on_another_program(tmp_path: Path) -> None:
    with running(tmp_path / "demo", "--ui") as said:
        assert "superseded" not in said("Serving dagster-webserver")
