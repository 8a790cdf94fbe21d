"""Every block of code of the documentation: run as it stands there, or parsed where it needs what we lack."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stac_assets.catalog import read_catalogs
from stac_assets.settings import SECTION, read_settings
from stac_assets_tests.commands import BIN, check_commands
from stac_assets_tests.conftest import REPOSITORY, enter_project
from stac_assets_tests.loads import load_days, query
from stac_assets_tests.pages import BLOCKS, Block, block
from stac_assets_tests.stac_api import StacApi, make_item

COLLECTIONS = ("sentinel-2-l2a", "landsat-c2-l2")
BERLIN = {"geometry": {"type": "Point", "coordinates": [13.4, 52.5]}, "bbox": [13.4, 52.5, 13.4, 52.5]}


@pytest.fixture
def earth_search(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> StacApi:
    """An API that the project's environment names, with the collections that the pages speak of."""
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL", api.url)
    shutil.copy(REPOSITORY / "dagster.yaml", project)
    for collection in COLLECTIONS:
        for number, day in enumerate((1, 1, 2, 3, 5)):
            item = make_item(f"scene-{day}-{number}", collection, f"2024-01-0{day}T10:00:00Z", extra=BERLIN)
            item["properties"]["eo:cloud_cover"] = 4.5
            item["assets"] = {"red": {"href": f"https://data.example.com/{day}/red.tif"}}
            api.put(item)
    return api


def run(project: Path, *command: str) -> str:
    """What a command prints, in the project folder, with the commands of this environment."""
    done = subprocess.run(
        command,
        cwd=project,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_python(project: Path, code: str) -> str:
    """What a script prints."""
    script = project / "script.py"
    script.write_text(code, encoding="utf-8")
    return run(project, sys.executable, script.name)


MERGED = """
from definitions import defs

assert {"items_job", "catalog_job"} <= {job.name for job in defs.jobs}
graph = defs.resolve_asset_graph()
(report,) = [node for node in graph.asset_nodes if node.key.path == ["report"]]
print(sorted(key.to_user_string() for key in report.parent_keys), len(graph.get_all_asset_keys()))
"""


class Reader:
    """Somebody who has loaded the first days of 2024 and now does what a page says.

    Args:
        project: their folder.
        api: what their environment names.
        monkeypatch: of the test.
    """

    def __init__(self, project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = project
        self.api = api
        self._monkeypatch = monkeypatch

    def _load(self) -> None:
        load_days(self.api, collections=COLLECTIONS, last="2024-01-05")

    def _configured(self, name: str, text: str) -> dict[str, Any]:
        (self.project / ".dlt" / name).write_text(text, encoding="utf-8")
        enter_project(self.project, self._monkeypatch)
        return tomllib.loads(text)

    def shell(self, text: str) -> None:
        """Every command succeeds."""
        self._load()
        self._run(text)

    def _run(self, text: str) -> str:
        return run(self.project, "bash", "-euo", "pipefail", "-c", text)

    def loads(self, text: str) -> None:
        """The first command loads a week, the second one of its days again."""
        load, materialize = text.splitlines()
        self._run(load)
        assert len(query("SELECT id FROM pystac_client_data.search")) == 5
        self.api.remove("sentinel-2-l2a", "scene-5-4")
        self._run(materialize)
        assert len(query("SELECT id FROM pystac_client_data.search")) == 4

    def pool(self, text: str) -> None:
        """The limit of a pool is set."""
        out = self._run(text)
        assert "Set concurrency limit for stac-api/earth-search.aws.element84.com to 2" in out
        assert '"stac-api/earth-search.aws.element84.com": 0 / 2' in out

    def exports(self, text: str) -> None:
        """Settings have the values of the environment."""
        for line in text.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self._monkeypatch.setenv(name, value.strip("'"))
            assert read_settings().named_collections == ("naip", "dem")
        assert read_settings().query == {"eo:cloud_cover": {"lt": 20}}

    def config(self, text: str) -> None:
        """Every setting has the value that the file gives it."""
        self._monkeypatch.delenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL")
        given = self._configured("config.toml", text)
        settings = read_settings()
        for name, value in _section(given).items():
            found = getattr(settings, name)
            assert found in (value, tuple(value) if isinstance(value, list) else None) or str(found) == value
        for name, value in given.get("pipeline", {}).items():
            assert getattr(settings, name) == value

    def secrets(self, text: str) -> None:
        """The API's credentials are found; a destination's are resolved by `destinations/`."""
        self._monkeypatch.delenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL")  # no stranger
        given = _section(self._configured("secrets.toml", text.replace("…", "s3cret")))
        credentials = read_settings().credentials
        signing = given.get("credentials", {})
        assert read_settings().api_key == given.get("api_key", signing.get("api_key"))
        for name in {"api_key_header", "username", "password"} & signing.keys():
            assert getattr(credentials, name) == signing[name]
        if "token_url" in signing:
            assert credentials.oauth is not None and credentials.oauth.token_url == signing["token_url"]

    def script(self, text: str) -> None:
        """The script runs, and prints something."""
        self._load()
        assert run_python(self.project, text)

    def of_exported(self, text: str) -> None:
        """The script reads what the commands of the page have written."""
        self._load()
        self._run(block("docs/geoparquet.md", "sh"))
        out = run_python(self.project, text)
        assert out.startswith("5 OGC:CRS84") and "https://data.example.com/5/red.tif" in out

    def statements(self, text: str) -> None:
        """The module can be imported."""
        run_python(self.project, text)

    def pipeline(self, text: str) -> None:
        """The script loads two days."""
        assert "contains no failed jobs" in run_python(self.project, text)
        rows = query("SELECT id FROM pystac_client_data.search")
        assert {row["id"].split("-")[1] for row in rows} == {"1", "2"}

    def notebook(self, text: str) -> None:
        """The cell prints how many items there are, and where."""
        self._load()
        assert run_python(self.project, text).startswith("10 [13.4 52.5")

    def definitions(self, text: str) -> None:
        """Dagster has what the module adds, downstream of ours."""
        (self.project / "definitions.py").write_text(text, encoding="utf-8")
        out = run_python(self.project, MERGED)
        assert out == "['search'] 11\n"

    def followed(self, text: str) -> None:
        """Dagster loads the file; what it does in a run is tested by `changes/`."""
        (self.project / "follows.py").write_text(text, encoding="utf-8")
        run(self.project, "dagster", "definitions", "validate", "-f", "follows.py")

    def sql(self, text: str) -> None:
        """Every statement answers with rows."""
        self._load()
        clear, hrefs, per_day = (query(each) for each in text.split(";") if each.strip())
        assert len(clear) == 10 and {row["eo_cloud_cover"] for row in clear} == {4.5}
        assert {row["href"] for row in hrefs} == {
            f"https://data.example.com/{n}/red.tif" for n in (1, 2, 3, 5)
        }
        assert sum(row["count_star()"] for row in per_day) == 10

    def geometries(self, text: str) -> None:
        """It answers with the footprints of all items."""
        self._load()
        found = query(text)
        assert len(found) == 10 and all(row["footprint"].startswith("POINT (13.4 52.5") for row in found)

    def changes(self, text: str) -> None:
        """It answers with the changes of a first load, of which no item has moved."""
        self._load()
        found = query(text)
        assert found == [] if "from_day" in text else [row["change"] for row in found] == ["added"]

    def of_catalogs(self, text: str) -> None:
        """It answers with rows of the only catalog that there is."""
        self._load()
        rows = query(text)
        assert {row["catalog"] for row in rows} == {"default"}
        assert sum(row.get("items", 1) for row in rows) == 10

    def run_config(self, text: str) -> None:
        """Dagster takes it as the configuration of a run of `item`."""
        import dagster as dg

        from stac_assets.definitions import defs

        job = defs.resolve_implicit_global_asset_job_def()
        selected = job.get_subset(asset_selection={dg.AssetKey("item")})
        assert dg.validate_run_config(selected, yaml.safe_load(text))

    def catalogs(self, text: str) -> None:
        """Each catalog has the values of its own section, and those that they have in common."""
        given = _section(self._configured("config.toml", text))
        named = given.pop("catalogs")
        self._monkeypatch.delenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL")
        assert {catalog.name for catalog in read_catalogs()} == set(named)
        for catalog in read_catalogs():
            for name, value in {**given, **named[catalog.name]}.items():
                found = getattr(catalog.settings, name)
                assert found == (tuple(value) if isinstance(value, list) else value) or str(found) == value

    def catalog_secrets(self, text: str) -> None:
        """The key is that of the catalog whose section it stands in, which a preset names."""
        self._configured("config.toml", block("docs/catalogs.md", "toml catalogs"))
        ((name, given),) = _section(self._configured("secrets.toml", text.replace("…", "s3cret")))[
            "catalogs"
        ].items()
        keys = {catalog.name: catalog.settings.api_key for catalog in read_catalogs()}
        assert keys == {**dict.fromkeys(keys), name: given["api_key"]}

    def exported_catalogs(self, text: str) -> None:
        """The environment alone makes a catalog."""
        for line in text.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self._monkeypatch.setenv(name, value)
        (catalog,) = read_catalogs()
        assert catalog.name == "dea" and len(catalog.settings.named_collections) == 2

    def merged_catalogs(self, text: str) -> None:
        """Dagster has both catalogs, and what is downstream of them."""
        (self.project / "definitions.py").write_text(text, encoding="utf-8")
        out = run_python(self.project, MERGED.replace('"items_job", "catalog_job"', '"east_items_job"'))
        assert out == "['east/search', 'west/search'] 21\n"

    def compiled(self, text: str) -> None:
        """Python takes it; `destinations/` runs it."""
        compile(text, "page", "exec")

    def registers(self, text: str) -> None:
        """A new project has this very file."""
        assert text == (REPOSITORY / "stac_assets" / "cli" / "project" / "mcp.json").read_text(
            encoding="utf-8"
        )

    def nothing(self, text: str) -> None:
        """It is not code, or is run by the tests of `changes/`, `component/` or `destinations/`."""


def _section(given: dict[str, Any]) -> dict[str, Any]:
    for name in SECTION.split("."):
        given = given.get(name, {})
    return given


KINDS: dict[str, Callable[[Reader, str], None]] = {
    "python": Reader.script,
    "python definitions": Reader.definitions,
    "json registers": Reader.registers,
    "python component": Reader.nothing,
    "python catalogs": Reader.merged_catalogs,
    "python delta": Reader.compiled,
    "python exported": Reader.of_exported,
    "python follows": Reader.followed,
    "python import": Reader.statements,
    "python notebook": Reader.notebook,
    "python pipeline": Reader.pipeline,
    "sh": Reader.shell,
    "sh component": Reader.nothing,
    "sh component launch": Reader.nothing,
    "sh export": Reader.exports,
    "sh export catalogs": Reader.exported_catalogs,
    "sh load": Reader.loads,
    "sh parsed": lambda _, text: check_commands(text),
    "sh pool": Reader.pool,
    "sql": Reader.sql,
    "sql geometries": Reader.geometries,
    "sql catalogs": Reader.of_catalogs,
    "sql changes": Reader.changes,
    "sql parquet": Reader.nothing,
    "sql rights": Reader.nothing,
    "text": Reader.nothing,
    "toml": Reader.config,
    "toml catalogs": Reader.catalogs,
    "toml secrets catalogs": Reader.catalog_secrets,
    "toml secrets": Reader.secrets,
    "yaml component": Reader.nothing,
    "yaml run": Reader.run_config,
}
"""How a block is tested, by what stands behind its opening fence."""


@pytest.mark.parametrize("found", BLOCKS, ids=str)
def test_a_block(found: Block, project: Path, earth_search: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    KINDS[found.kind](Reader(project, earth_search, monkeypatch), found.text)


def test_a_narrowed_search_is_a_setting(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    text = block("docs/configuration.md", "toml", "# One region")
    (project / ".dlt" / "config.toml").write_text(text.replace("# filter", "filter"), encoding="utf-8")
    enter_project(project, monkeypatch)
    found = read_settings(base_url=api.url).narrowing
    assert found.bbox == (13.0, 52.3, 13.8, 52.7)
    assert found.query == {"eo:cloud_cover": {"lt": 20}}
    assert found.filter == "eo:cloud_cover < 20"
