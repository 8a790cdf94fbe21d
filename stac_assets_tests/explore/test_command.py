"""What somebody types: the command, the notebook as a script, and the notebook for Jupyter."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stac_assets import load
from stac_assets.cli import explore
from stac_assets_tests.browser.dagster_dev import free_port, until
from stac_assets_tests.commanding import MODULE, Run, runner
from stac_assets_tests.commands import BIN
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.explore.conftest import SETTING, Place
from stac_assets_tests.explore.page import answers
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.terminal import in_terminal

NOTEBOOK = REPOSITORY / "notebooks" / "explore.py"
AS_JUPYTER = """
import json, sys
cells = json.load(open(sys.argv[1]))["cells"]
names = {"__name__": "__main__"}
for cell in cells:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), names)
print(names["totals"].to_dict(), len(names["shown"]), names["chosen"].value)
"""
"""The cells one after the other, in a Python that no marimo has started."""


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], project: Path) -> Run:
    return runner(capsys)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_as_a_script_it_counts_what_the_table_holds(loaded: Place) -> None:
    done = run(sys.executable, NOTEBOOK)
    assert done.returncode == 0, done.stderr
    ((items,),) = loaded.ask("SELECT count(*) FROM {search}")
    ((full,),) = loaded.ask("SELECT count(*) FROM {search} WHERE collection = 'full'")
    assert f": {items} items of default, in 3 collections,\nfrom 2023-12 to 2024-03.\n" in done.stdout
    assert f"full: {full} items on {full} days,\n{full} footprints, 12 newest items, 50 last" in done.stdout


@pytest.mark.parametrize("place", ["duckdb"], indirect=True)
def test_a_user_of_jupyter_gets_it_with_the_same_cells(loaded: Place, said: Run, project: Path) -> None:
    assert said("explore", "--to", "explore.py").status == 0
    assert Path("explore.py").read_bytes() == NOTEBOOK.read_bytes()
    exported = run(BIN / "marimo", "export", "ipynb", "explore.py", "-o", "explore.ipynb")
    assert exported.returncode == 0, exported.stderr
    assert json.loads(Path("explore.ipynb").read_text())["nbformat"] == 4
    done = run(sys.executable, "-c", AS_JUPYTER, "explore.ipynb")
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout
        == "{'full': 59, 'bare': 5, 'long': 3} 12 ['eo:cloud_cover', 'platform', 'gsd', 's2:degraded']\n"
    )


def test_it_is_a_notebook_that_marimo_finds_no_fault_with() -> None:
    done = run(BIN / "marimo", "check", "--strict", NOTEBOOK)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_notebook_of_ones_own_is_not_overwritten(said: Run) -> None:
    Path("own.py").write_text("mine")
    told = said("explore", "--to", "own.py")
    assert (told.status, Path("own.py").read_text()) == (1, "mine")
    assert "own.py is there already" in told.err


def test_what_is_not_installed_is_told(said: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(explore, "find_spec", lambda name: None if name == "altair" else found(name))
    told = said("explore", "--headless")
    assert told.status == 1
    assert "the notebook needs altair; install them: pip install 'stac-assets[explore]'" in told.err


def test_a_catalog_that_is_not_configured_is_told(said: Run) -> None:
    told = said("explore", "--catalog", "west")
    assert told.status == 1
    assert "west" in told.err and "Traceback" not in told.err


def test_a_script_shows_the_catalog_that_is_named(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("east", "west"):
        monkeypatch.setenv(f"{SETTING}CATALOGS__{name.upper()}__BASE_URL", api.url)
    api.put(make_item("a"))
    load("search", catalog="east", collections=["c1"], start="2024-01-01", end="2024-01-01")
    shown, empty = (run(sys.executable, NOTEBOOK, "--catalog", name) for name in ("east", "west"))
    assert (shown.returncode, empty.returncode) == (0, 1), shown.stderr
    assert "1 items of east, in 1 collections," in shown.stdout
    assert "Load some: stac-assets load --catalog west" in empty.stderr


def test_a_database_that_is_not_there_is_told_without_its_password(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, "postgresql://reader:s3cret@127.0.0.1:1/items")
    done = run(sys.executable, NOTEBOOK)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "127.0.0.1" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_before_anything_was_loaded_a_script_says_so(place: Place) -> None:
    done = run(sys.executable, NOTEBOOK)
    assert done.returncode == 1
    assert done.stderr.startswith("error: There are no items in") and "stac-assets load" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("place", ["duckdb"], indirect=True)
@pytest.mark.parametrize("name", ["explore", "show"])
@pytest.mark.usefixtures("loaded")
def test_ctrl_c_ends_a_server_of_marimo_without_a_word(name: str, project: Path) -> None:
    port = free_port()
    command = [*MODULE, name, "--headless", "--port", str(port)]
    with in_terminal(project, dict(os.environ), *command, columns=120) as terminal:
        terminal.until(lambda text: "(Ctrl-C ends it)" in text)
        until(lambda: answers(f"http://127.0.0.1:{port}"), name)
        terminal.press_ctrl_c()
        terminal.end()
        first, *more = terminal.screen.text.splitlines()
    assert first.endswith("(Ctrl-C ends it)") and more in ([], ["^C"])
