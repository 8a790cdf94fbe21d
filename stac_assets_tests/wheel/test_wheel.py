"""What somebody does who has the wheel alone: look at presets, begin a project, type what it prints."""

import re
import subprocess
import tomllib
from datetime import date
from pathlib import Path

import pytest

from stac_assets.cli.new_project import FILES
from stac_assets.stac.windows import Granularity
from stac_assets_tests.browser.dagster_dev import DagsterDev
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.stac_api import StacApi, make_item


@pytest.fixture
def dense(api: StacApi) -> StacApi:
    api.extensions = ("sortby",)
    for day in range(1, 4):
        api.put(make_item(f"a{day}", "c1", f"2023-05-{day:02}T10:00:00Z"))
    return api


def shell(command: str, folder: Path, user: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=user, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_data_and_no_tests(names: list[str]) -> None:
    assert len([name for name in names if re.fullmatch(r"stac_assets/presets/[\w-]+\.toml", name)]) >= 16
    assert {f"stac_assets/cli/project/{name}" for name in FILES.values()} <= set(names)
    assert not [name for name in names if name.startswith(("stac_assets_tests", "benchmarks"))]


def first_partition(folder: Path) -> str:
    """The key of the partition with c1's first day."""
    settings = tomllib.loads((folder / ".dlt" / "config.toml").read_text())["sources"]["pystac_client_source"]
    first = date.fromisoformat(settings["start_date"])
    return f"c1|{Granularity(settings['granularity']).floor(first)}"


def test_a_project_begins_without_a_clone(
    dense: StacApi, bin: Path, user: dict[str, str], tmp_path: Path
) -> None:
    assert "swisstopo  https://data.geo.admin.ch" in shell("stac-assets presets", tmp_path, user)
    out = shell(f"stac-assets init 'my project' --base-url {dense.url}", tmp_path, user)
    first, second = (line.strip() for line in out.partition("Next:\n")[2].splitlines())
    assert first.startswith("cd 'my project' && stac-assets load --collection c1")
    assert second == "cd 'my project' && dagster dev"
    shell(first, tmp_path, user)
    assert (tmp_path / "my project" / "pystac_client.duckdb").is_file()
    dagster = DagsterDev(tmp_path / "my project", **user)
    dagster.dagster = str(bin / "dagster")
    with dagster:
        run_id = dagster.launch("search", first_partition(tmp_path / "my project"))
        assert dagster.ended(run_id) == "SUCCESS"


def test_the_notebook_comes_with_the_wheel(user: dict[str, str], tmp_path: Path) -> None:
    shell("stac-assets explore --to own.py", tmp_path, user)
    assert (tmp_path / "own.py").read_bytes() == (REPOSITORY / "notebooks" / "explore.py").read_bytes()
    asked = ["stac-assets", "explore", "--headless"]
    done = subprocess.run(asked, cwd=tmp_path, env=user, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'stac-assets[explore]'" in done.stderr and "Traceback" not in done.stderr


def test_what_is_not_installed_is_told_as_pip_takes_it(
    dense: StacApi, user: dict[str, str], tmp_path: Path
) -> None:
    shell(f"stac-assets init new --base-url {dense.url}", tmp_path, user)
    config = tmp_path / "new" / ".dlt" / "config.toml"
    text = config.read_text().replace('destination = "duckdb"', 'destination = "filesystem"')
    config.write_text(f'{text}\n[destination.filesystem]\nbucket_url = "lake"\n')
    command = ["stac-assets", "load", "--start", "2023-05-01", "--end", "2023-05-01"]
    done = subprocess.run(command, cwd=tmp_path / "new", env=user, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'stac-assets[delta]'" in done.stderr and "Traceback" not in done.stderr
