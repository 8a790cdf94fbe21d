"""The Python face: what `stac_assets` exports, and that importing it does nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stac_assets
from stac_assets import build_definitions, item_from_row, load, pystac_client_source
from stac_assets.pipeline.load_result import WindowsFailed
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.loads import QUICK, ids, items
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

WATCHED = """
import logging, os, sys

def state():
    loggers = {name: logging.getLogger(name) for name in ["", *logging.root.manager.loggerDict]}
    kept = {name: (it.level, it.filters[:], it.handlers[:], it.propagate) for name, it in loggers.items()}
    changed = {name: what for name, what in kept.items() if what != (0, [], [], True)}
    return changed, logging.root.manager.disable

before, environment, modules = state(), dict(os.environ), set(sys.modules)
"""
FOREIGN = """
[sources.pystac_client_source]
xyzzy = 1

[pipeline]
destination = 7
"""


def run(folder: Path, *lines: str) -> str:
    code = "\n".join([WATCHED, *lines])
    command = [sys.executable, "-c", code]
    environment = {"PATH": "", "PYTHONPATH": str(REPOSITORY), "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    """Somebody's own project, whose configuration holds what is none of our settings."""
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(FOREIGN)
    return tmp_path


def test_the_package_itself_imports_nothing_heavy(guest: Path) -> None:
    heavy = "{'dlt', 'dagster', 'duckdb', 'pyarrow', 'pydantic', 'requests', 'msgspec', 'pystac_client'}"
    assert run(guest, "import stac_assets", f"print({heavy} & set(sys.modules))") == "set()\n"


@pytest.mark.parametrize("module", ["stac_assets", "stac_assets.settings", "stac_assets.catalog"])
def test_an_import_reads_nothing_says_nothing_and_changes_nothing(guest: Path, module: str) -> None:
    said = run(
        guest,
        f"import {module}",
        "assert state() == before, state()",
        "assert dict(os.environ) == environment",
        "assert 'dlt' not in sys.modules",
    )
    assert said == ""
    assert sorted(path.name for path in guest.rglob("*")) == [".dlt", "config.toml"]


@pytest.mark.parametrize("name", ["load", "pystac_client_source", "item_from_row"])
def test_a_foreign_key_breaks_a_call_and_no_import(guest: Path, name: str) -> None:
    said = run(guest, f"from stac_assets import {name}", "assert dict(os.environ) == environment")
    assert said == ""
    if name != "item_from_row":
        refused = f"try: {name}()\nexcept ValueError as error: print(error)"
        assert "unknown setting 'xyzzy'" in run(guest, f"from stac_assets import {name}", refused)


def test_what_is_exported_is_there() -> None:
    assert set(stac_assets.__all__) <= set(dir(stac_assets))
    assert all(callable(it) for it in (build_definitions, item_from_row, load, pystac_client_source))
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = stac_assets.no_such_name


# load ---------------------------------------------------------------------------------------------


def two_days(api: StacApi) -> dict[str, Any]:
    days = {"start": "2024-01-01", "end": "2024-01-02"}
    return {"base_url": api.url, "collections": ["c1"], **days, **QUICK}


def test_load_makes_a_table_exact(project: Path, api: StacApi) -> None:
    sent = [make_item(f"i{day}", datetime=f"2024-01-0{day}T12:00:00Z") for day in (1, 2, 3)]
    for item in sent:
        api.put(item)
    chosen = two_days(api)
    result = load("search", **chosen)
    assert (result.figures.items, len(result.windows), result.failed) == (2, 2, [])
    told = f"2 items in 2 partitions, search → {Path('pystac_client.duckdb').absolute()}"
    assert repr(result) == f"<LoadResult: {told}>"
    assert items() == {("c1", item["id"]): item for item in sent[:2]}

    api.remove("c1", "i1")
    load(**chosen)
    assert ids() == ["i2"]


def test_items_are_those_that_are_named_or_else_those_that_search_holds(project: Path, api: StacApi) -> None:
    for day in (1, 2):
        api.put(make_item(f"i{day}", datetime=f"2024-01-0{day}T12:00:00Z"))
    chosen = two_days(api)
    with pytest.raises(ConfigurationError, match="load `search` first, or name items"):
        load("item", **chosen)
    load("item", ids=["i2"], **chosen)
    assert ids("item") == ["i2"]
    load(**chosen)
    load("item", **chosen)
    assert ids("item") == ["i1", "i2"]


def test_a_window_that_fails_raises_and_the_others_are_stored(project: Path, api: StacApi) -> None:
    for day in (1, 2):
        api.put(make_item(f"i{day}", datetime=f"2024-01-0{day}T12:00:00Z"))

    def second_day(request: Request) -> bool:
        return str((request.body or {}).get("datetime", "")).startswith("2024-01-02")

    api.fault(second_day, status=400, times=None)
    with pytest.raises(WindowsFailed, match="c1, 2024-01-02"):
        load(**two_days(api))
    assert ids() == ["i1"]


def test_what_cannot_be_loaded_is_named(project: Path, api: StacApi) -> None:
    with pytest.raises(ConfigurationError, match="resource is 'items'; expected one of client_root"):
        load("items")
    with pytest.raises(ConfigurationError, match="there is no day from 2124-01-01 to today"):
        load(start="2124-01-01", base_url=api.url)
    with pytest.raises(ConfigurationError, match="'page_sice' in argument; did you mean 'page_size'"):
        load(page_sice=1)
    assert api.requests == []
