"""Fixtures of the MCP server: a project whose environment names the API."""

from pathlib import Path

import pytest

from stac_assets_tests.commanding import SETTING
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi

SETTINGS = {
    "COLLECTIONS": '["c1", "c2"]',
    "END_DATE": "2024-01-10",
    "LOCK_TIMEOUT": "0.2",
    "MAX_RETRIES": "0",
}


@pytest.fixture
def mirrored(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> StacApi:
    """The API of the project's unnamed catalog, of ten days and two collections."""
    for name, value in {**SETTINGS, "BASE_URL": api.url}.items():
        monkeypatch.setenv(SETTING + name, value)
    return api


@pytest.fixture(params=["duckdb", "postgres", "delta", "parquet"])
def destination(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the project stores."""
    if request.param == "postgres":
        monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))
    elif request.param != "duckdb":
        lake = project / "lake"
        place = str(lake) if request.param == "delta" else lake.as_uri()
        monkeypatch.setenv("PIPELINE__DESTINATION", "filesystem")
        monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", place)
        monkeypatch.setenv(SETTING + "TABLE_FORMAT", request.param)
    enter_project(project, monkeypatch)
    return request.param
