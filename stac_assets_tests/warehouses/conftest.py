"""One stand-in for all tests of a session, as the project's destination: `pytest --warehouse=snowflake`."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from stac_assets_tests.conftest import enter_project
from stac_assets_tests.forked import Forker
from stac_assets_tests.reading import DATASET
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.warehouses.stand_in import StandIn

WAREHOUSES = ("bigquery", "snowflake", "redshift", "databricks")
SETTING = "SOURCES__PYSTAC_CLIENT_SOURCE__"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which warehouse it is; each has its module here."""
    parser.addoption("--warehouse", choices=WAREHOUSES, default=WAREHOUSES[0])


@pytest.fixture(scope="session")
def stand_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The stand-in, which runs."""
    name = str(request.config.getoption("warehouse"))
    module = import_module(f"stac_assets_tests.warehouses.{name}")
    with module.started(tmp_path_factory.mktemp(name)) as running:
        yield running


@pytest.fixture
def warehouse(
    stand_in: StandIn, project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """The stand-in without a dataset, as the destination of a project that is configured for `api`."""
    quick = {"BASE_URL": api.url, "BACKOFF": "0.001", "MAX_BACKOFF": "0.002", "MAX_RETRIES": "1"}
    settings = {SETTING + name: value for name, value in quick.items()}
    for name, value in {**stand_in.environment, **settings}.items():
        monkeypatch.setenv(name, value)
    enter_project(project, monkeypatch)
    yield stand_in
    stand_in.reset()
    stand_in.query(f"DROP SCHEMA IF EXISTS {DATASET} CASCADE")


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """Runs loads in processes of their own."""
    with Forker() as running:
        yield running
