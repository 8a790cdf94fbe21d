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
from stac_assets_tests.loads import DUCKDB_FILE, query
from stac_assets_tests.pages import BLOCKS, Block

PAGES = ("README.md", "docs/query.md")


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
    assert (
        "How cloudy" in first
        and "make ui" in first
        and "connect('.demo/pystac_client.duckdb', read_only=True)" in first
    )
    counts = query(
        "SELECT collection, count(*) AS items FROM pystac_client_data.search GROUP BY ALL",
        folder / DUCKDB_FILE,
    )
    assert {row["collection"] for row in counts} == set(COLLECTIONS)
    assert sum(row["items"] for row in counts) >= 3000
    assert [path.name for path in tmp_path.iterdir()] == [".demo"]
    second = demo(folder, port, folder)
    assert (
        f"stac-assets demo --ui --folder {folder}" in second
        and "connect('pystac_client.duckdb', read_only=True)" in second
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


def test_the_code_of_readme_and_queries_runs_in_the_folder_as_it_stands(tmp_path: Path) -> None:
    """Every block that a reader would run: commands, Python, SQL, from top to bottom."""
    folder = tmp_path / "demo"
    with running(folder, "--serve") as said:
        assert "  cd demo\n" in said("README.md")
        assert not (folder / DUCKDB_FILE).exists()
        told = {block: run(folder, block) for block in BLOCKS if block.page in PAGES}
        (answer,) = [text for block, text in told.items() if block.text.startswith("stac-assets check")]
        assert len(re.findall(r"^\w+  +yes  ", answer, re.M)) == len(ENDPOINTS)
        (count,) = query("SELECT count(*) AS items FROM pystac_client_data.search", folder / DUCKDB_FILE)
        some, footprints = [text for block, text in told.items() if block.kind == "python notebook"]
        assert some[:1].isdigit()
        assert count["items"] > 100 and footprints.startswith(f"{count['items']} [")


def run(folder: Path, block: Block) -> str:
    """What a block says; SQL must have an answer, and what is only shown, such as settings, says nothing."""
    if block.kind == "sql":
        questions = [question for question in block.text.split(";") if question.strip()]
        assert all(query(question, folder / DUCKDB_FILE) for question in questions)
        return ""
    language, _, rest = block.kind.partition(" ")
    if language not in ("sh", "python") or rest == "parsed":
        return ""
    environment = bare_environment(folder)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    program = [sys.executable, "-c"] if language == "python" else ["sh", "-ec"]
    done = subprocess.run(
        [*program, block.text], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_ui_comes_without_a_note_on_another_program(tmp_path: Path) -> None:
    with running(tmp_path / "demo", "--ui") as said:
        assert "superseded" not in said("Serving dagster-webserver")
