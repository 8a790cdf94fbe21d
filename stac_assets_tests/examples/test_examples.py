"""Each example, run by the very commands of its docstring."""

import ast
import csv
import re
import runpy
import shlex
import textwrap
from collections.abc import Set
from typing import Any

import dagster as dg
import pytest
import yaml

from stac_assets_tests.browser.dagster_dev import DagsterDev
from stac_assets_tests.commanding import SETTING
from stac_assets_tests.commands import BIN
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.examples.conftest import COLLECTION, Shell, put_scene
from stac_assets_tests.reading import POSTGRES_URL, query
from stac_assets_tests.stac_api import StacApi, make_item

EXAMPLES = REPOSITORY / "examples"
DAY = "2024-01-05"
SERVERS = ("dagster dev", "dg dev", "marimo edit")


def docstring(name: str) -> str:
    """What an example says of itself."""
    told = ast.get_docstring(ast.parse((EXAMPLES / name).read_text(encoding="utf-8")))
    assert told, f"{name} does not say what it is"
    return told


def commands(name: str) -> list[str]:
    """The commands of its docstring, which are indented; one may have several lines."""
    code = "\n".join(line for line in docstring(name).splitlines() if line.startswith("    "))
    return re.split(r"(?<!\\)\n", textwrap.dedent(code))


def programs(name: str) -> list[str]:
    """The commands that end by themselves."""
    return [command for command in commands(name) if not command.startswith(SERVERS)]


def server(name: str) -> list[str]:
    """The words of the only command that serves until it is ended."""
    (found,) = [command for command in commands(name) if command.startswith(SERVERS)]
    return shlex.split(found)


def test_each_file_is_run_here_and_says_how() -> None:
    written = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.py")}
    assert written == {
        "component/mirror/definitions.py",
        "definitions.py",
        "dlt_script.py",
        "follow_changes.py",
        "postgres_notebook.py",
    }
    for name in written:
        assert programs(name)
        assert len((EXAMPLES / name).read_text(encoding="utf-8").splitlines()) <= 80


def component_of(clone: Shell, api: StacApi) -> Shell:
    """The component's folder, in which all but the API is as it stands."""
    folder = clone.folder / "examples" / "component"
    defined = folder / "mirror" / "defs" / "earth_search" / "defs.yaml"
    attributes = yaml.safe_load(defined.read_text())
    assert attributes["attributes"].pop("preset") == "earth-search"
    attributes["attributes"]["base_url"] = api.url
    defined.write_text(yaml.safe_dump(attributes))
    return Shell(folder)


def test_the_component_loads_a_day(clone: Shell, scenes: StacApi) -> None:
    shell = component_of(clone, scenes)
    check, launch = programs("component/mirror/definitions.py")
    assert "All definitions loaded successfully" in shell(check)
    shell(launch)
    rows = query("SELECT id FROM earth_search.search", shell.folder / "pystac_client.duckdb")
    assert rows == [{"id": "scene-5"}]


def test_plain_definitions_write_a_file_of_what_was_loaded(clone: Shell, scenes: StacApi) -> None:
    put_scene(scenes, "clear", DAY, clouds=9.5)
    for command in programs("definitions.py"):
        clone(command)
    with (clone.folder / "clear_scenes.csv").open() as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["clear"]


def test_thumbnails_keep_in_step_with_the_mirror(clone: Shell, scenes: StacApi) -> None:
    (command,) = programs("follow_changes.py")

    def pictures() -> dict[str, bytes]:
        """Fetch what is new; all pictures that there are, by their path."""
        clone(command)
        folder = clone.folder / "thumbnails"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpg")}

    def asked() -> list[str]:
        """The pictures that were asked for since the last call."""
        found = [request.path for request in scenes.requests if request.path.startswith("/pictures/")]
        scenes.requests.clear()
        return found

    put_scene(scenes, "a", DAY)
    put_scene(scenes, "b/b", DAY)
    picture = scenes.fault("/pictures", body=b"first", times=None)
    folder = f"{COLLECTION}/{DAY}"
    assert pictures() == {f"{folder}/{name}.jpg": b"first" for name in ("a", "b%2Fb", "scene-5")}
    assert len(asked()) == 3
    picture.body = b"second"
    assert set(pictures().values()) == {b"first"}
    assert asked() == []
    put_scene(scenes, "a", DAY, clouds=50)
    scenes.remove(COLLECTION, "b/b")
    assert pictures() == {f"{folder}/a.jpg": b"second", f"{folder}/scene-5.jpg": b"first"}
    assert asked() == ["/pictures/a.jpg"]


def test_the_dlt_script_fills_a_dataset_of_its_own(clone: Shell, scenes: StacApi) -> None:
    scenes.put(make_item("elsewhere", COLLECTION, "2024-01-02T10:00:00Z"))
    (command,) = programs("dlt_script.py")
    out = clone(command)
    assert "contains no failed jobs" in out
    assert re.search(r"^\d+ +search +5$", out, re.MULTILINE), out
    assert len(query("SELECT id FROM berlin.search")) == 5


def test_the_notebook_reads_postgresql(
    clone: Shell, scenes: StacApi, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(POSTGRES_URL, postgres_url)
    shell = Shell(clone.folder)
    load, run = programs("postgres_notebook.py")
    shell(load)
    assert "4 items on 4 days, within [13.4 52.5 13.4 52.5]" in shell(run)
    assert not (clone.folder / "pystac_client.duckdb").exists()
    # What `marimo edit` shows, made by its own runtime without a browser.
    program, edit, *notebook = server("postgres_notebook.py")
    assert (program, edit) == ("marimo", "edit")
    shell(shlex.join([program, "export", "html", *notebook, "--output", "notebook.html"]))
    shown = (clone.folder / "notebook.html").read_text(encoding="utf-8")
    assert "clouds at most" in shown and "4 items on 4 days" in shown and "scene-4" in shown
    assert "Traceback" not in shown and "scene-5" not in shown


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("definitions.py", "clear_scenes"),
        ("follow_changes.py", "thumbnails"),
        ("component/mirror/definitions.py", "earth_search/search"),
    ],
)
def test_dagster_shows_it(name: str, asset: str, clone: Shell, scenes: StacApi) -> None:
    program, dev, *arguments = server(name)
    assert dev == "dev"
    folder = clone.folder if program == "dagster" else component_of(clone, scenes).folder
    dagster = DagsterDev(folder, arguments, SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL=scenes.url)
    dagster.dagster = str(BIN / program)
    with dagster:
        nodes = dagster.graphql("{ assetNodes { assetKey { path } } }")
    assert asset in {"/".join(node["assetKey"]["path"]) for node in nodes}


def test_only_changes_wake_what_follows_them(
    clone: Shell, scenes: StacApi, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{SETTING}LARGEST_WHOLE_COLLECTION", "0")
    scenes.fault("/pictures", body=b"picture", times=None)
    definitions: dg.Definitions = runpy.run_path(str(clone.folder / "examples" / "follow_changes.py"))["defs"]
    job = definitions.resolve_implicit_global_asset_job_def()
    cursor: Any = None

    def woken_by_a_load(day: str = DAY) -> Set[str | None]:
        """The partitions of `thumbnails` that Dagster requests after a load of one."""
        nonlocal cursor
        loading = job.get_subset(asset_selection={dg.AssetKey("search")})
        assert loading.execute_in_process(instance=instance, partition_key=f"{COLLECTION}|{day}").success
        told = dg.evaluate_automation_conditions(definitions, instance, cursor=cursor)
        cursor = told.cursor
        return told.get_requested_partitions(dg.AssetKey("thumbnails"))

    assert woken_by_a_load() == set()  # what it sees first are versions, not changes
    assert woken_by_a_load() == set()
    assert woken_by_a_load("2024-01-04") == {f"{COLLECTION}|2024-01-04"}
    put_scene(scenes, "a", DAY)
    assert woken_by_a_load() == {f"{COLLECTION}|{DAY}"}
    assert woken_by_a_load() == set()
