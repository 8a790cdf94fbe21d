"""The README's own code, as it stands there, in a project folder."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from stac_assets.settings import SECTION, SETTINGS, read_settings
from stac_assets_tests.conftest import REPOSITORY, enter_project
from stac_assets_tests.loads import load_days, query
from stac_assets_tests.readme import README, block, blocks
from stac_assets_tests.stac_api import StacApi, make_item


@pytest.fixture
def earth_search(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> StacApi:
    """An API that the project's environment names, with the collection that the README speaks of."""
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL", api.url)
    for number, day in enumerate((1, 1, 2, 3)):
        item = make_item(
            f"scene-{day}-{number}", collection="sentinel-2-l2a", datetime=f"2024-01-0{day}T10:00:00Z"
        )
        item["properties"]["eo:cloud_cover"] = 4.5
        item["assets"] = {"red": {"href": f"https://data.example.com/{day}/red.tif"}}
        api.put(item)
    return api


def run(project: Path, code: str) -> str:
    script = project / "script.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=project,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_dlt_script_and_the_notebook_cell_run(project: Path, earth_search: StacApi) -> None:
    out = run(project, block("python", "# pystac_client_pipeline.py"))
    assert "contains no failed jobs" in out
    rows = query("SELECT id FROM pystac_client_data.search")
    assert {row["id"].split("-")[1] for row in rows} == {"1", "2"}
    out = run(project, block("python", "# notebook cell"))
    assert out.startswith(f"{len(rows)} [")


def test_the_sql_answers(project: Path, earth_search: StacApi) -> None:
    load_days(earth_search, collections="sentinel-2-l2a", last="2024-01-03")
    questions = [text for text in block("sql", "-- cloud cover").split(";") if text.strip()]
    _cloudy, hrefs, per_day = (query(question) for question in questions)
    assert {row["href"] for row in hrefs} == {f"https://data.example.com/{day}/red.tif" for day in (1, 2, 3)}
    assert sum(row["count_star()"] for row in per_day) == len(hrefs)


def test_the_command_for_the_limit_of_an_api(project: Path) -> None:
    shutil.copy(REPOSITORY / "dagster.yaml", project)
    (command,) = re.findall(r"`(DAGSTER_HOME=\$PWD dagster instance concurrency set .*?)`", README)
    assert command.replace("<host> N", "earth-search.aws.element84.com 2") in (
        REPOSITORY / "dagster.yaml"
    ).read_text(encoding="utf-8")
    bin = Path(sys.executable).parent
    for typed, told in (
        (command.replace("<host> N", "127.0.0.1 2"), "Set concurrency limit for stac-api/127.0.0.1 to 2"),
        ("DAGSTER_HOME=$PWD dagster instance concurrency get --all", '"stac-api/127.0.0.1": 0 / 2'),
    ):
        done = subprocess.run(
            ["sh", "-c", typed],
            cwd=project,
            env={**os.environ, "PATH": f"{bin}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert told in done.stdout, done.stderr


def test_definitions_are_merged(project: Path, earth_search: StacApi) -> None:
    (project / "definitions.py").write_text(block("python", "# definitions.py"), encoding="utf-8")
    out = run(
        project,
        "from definitions import defs\n"
        "assert {'items_job', 'catalog_job'} <= {job.name for job in defs.jobs}\n"
        "graph = defs.resolve_asset_graph()\n"
        "print([key.to_user_string() for node in graph.asset_nodes if node.key.path == ['report']"
        " for key in node.parent_keys], len(graph.get_all_asset_keys()))",
    )
    assert out == "['search'] 11\n"


def test_a_narrowed_search_is_a_setting(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    text = block("toml", "# One region")
    (project / ".dlt" / "config.toml").write_text(text.replace("# filter", "filter"), encoding="utf-8")
    enter_project(project, monkeypatch)
    found = read_settings(base_url=api.url).narrowing
    assert found.bbox == (13.0, 52.3, 13.8, 52.7)
    assert found.query == {"eo:cloud_cover": {"lt": 20}}
    assert found.filter == "eo:cloud_cover < 20"


@pytest.mark.parametrize("value", ['["naip", "dem"]', "naip,dem"])
def test_a_list_in_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert f"`{value}`" in README
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__COLLECTIONS", value)
    assert read_settings().named_collections == ("naip", "dem")


@pytest.mark.parametrize("name", ["# Earth Search", "# Planetary Computer"])
def test_the_configurations_are_settings(project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (project / ".dlt" / "config.toml").write_text(block("toml", name), encoding="utf-8")
    enter_project(project, monkeypatch)
    settings = read_settings()
    assert settings.base_url in block("toml", name)
    assert settings.named_collections
    assert SECTION in block("toml", name)


def test_every_setting_is_in_the_table() -> None:
    table = README[README.index("| setting | default |") : README.index("## Query it")]
    named = set(re.findall(r"`([a-z_]+)`", table))
    assert {name for name, setting in SETTINGS.items() if setting.is_ours} - named == {"credentials"}


def test_every_piece_of_configuration_is_toml() -> None:
    found = blocks("toml")
    assert len(found) >= 6
    for text in found:
        assert tomllib.loads(text)
