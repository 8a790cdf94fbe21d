"""What dlt's own commands and its dashboard give of a loaded project, as docs/query.md tells."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from stac_assets.cli.main import main
from stac_assets_tests.browser.dagster_dev import free_port
from stac_assets_tests.commands import BIN
from stac_assets_tests.pages import table
from stac_assets_tests.reading import in_postgres
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_cli import eventually

CATALOGS = {None: ("pystac_client_pipeline", "pystac_client_data"), "dea": ("dea", "dea")}
"""The names of the pipeline and the dataset of a catalog, by its own."""
NAMES = pytest.mark.parametrize("name", CATALOGS)


@pytest.fixture
def loaded(project: Path, api: StacApi, name: str | None) -> Path:
    """A project folder from which two items were loaded, of a catalog with or without a name."""
    if in_postgres():
        pytest.skip("the lines that are looked for are those of a DuckDB file")
    for id in "ab":
        api.put(make_item(id, "c1", "2024-01-01T10:00:00Z"))
    day = ("--collection", "c1", "--start", "2024-01-01", "--end", "2024-01-01")
    of = () if name is None else ("--catalog", name)
    assert main(["load", "--base-url", api.url, *day, *of]) == 0
    return project


def dlt(folder: Path, *words: str) -> tuple[int, str]:
    """How `dlt pipeline …` ends, and what it prints."""
    done = subprocess.run(
        [BIN / "dlt", "pipeline", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


@NAMES
def test_what_dlt_tells_of_a_load(loaded: Path, name: str | None) -> None:
    pipeline, dataset = CATALOGS[name]
    tested: set[str] = set()

    def told(operation: str, *flags: str) -> str:
        status, out = dlt(loaded, pipeline, operation, *flags)
        assert status == 0, out
        tested.add(f"`dlt pipeline NAME {operation}`")
        return out

    info = told("info")
    for line in (f"dataset_name: {dataset}", "destination_type: dlt.destinations.duckdb"):
        assert line in info.splitlines()
    assert f"initial_cwd: {loaded}" in info and "search with 1 table(s)" in info
    assert re.search(r"Has 1 completed load packages with following load ids:\n\d+\.\d+", info)

    trace = told("trace")
    assert "- search: 2 row(s)\n" in trace and "contains no failed jobs" in trace
    assert re.search(r"Step load COMPLETED in [\d.]+ seconds", trace)
    assert f"duckdb:///{loaded}/pystac_client.duckdb" in trace

    schema = told("schema")
    assert "\n  search:\n    columns:\n      id:\n        data_type: text\n" in schema
    assert "description: Identifier of the item, unique within its collection" in schema
    assert "search{" in told("schema", "--format", "mermaid")

    assert told("show").strip() == "WARNING: Install dlt[hub] for workspace dashboard and mcp support"
    status, out = dlt(loaded, "--list-pipelines")
    assert status == 0 and f"\n{pipeline} (last run:" in out
    of_folder = dlt(loaded, "--pipelines-dir", ".dlt/pipelines", pipeline, "info")
    assert of_folder[0] == 0 and f"dataset_name: {dataset}" in of_folder[1]

    rows = {row["what to type"] for row in table("docs/query.md", "what to type")}
    assert rows == tested | {"`stac-assets show`"}


@pytest.mark.parametrize("name", ["dea"])
def test_the_dashboard_of_a_named_catalog(loaded: Path, name: str) -> None:
    pytest.importorskip("marimo")
    port = str(free_port())
    command = [BIN / "stac-assets", "show", "--catalog", name, "--headless", "--port", port]
    env = {**os.environ, f"SOURCES__PYSTAC_CLIENT_SOURCE__CATALOGS__{name.upper()}__PRESET": "dea"}
    dashboard = subprocess.Popen(
        command, cwd=loaded, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        assert "dlt" in eventually(f"http://127.0.0.1:{port}/", dashboard)
    finally:
        dashboard.terminate()
        out, _ = dashboard.communicate(timeout=20)
    assert out.decode().startswith(f"dlt's dashboard of {name}: http://127.0.0.1:{port} ")
