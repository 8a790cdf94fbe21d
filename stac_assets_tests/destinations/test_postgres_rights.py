"""A PostgreSQL role that may make no schemas: it loads where they are, and else learns what is to be run."""

import logging
import re
from pathlib import Path

import pytest

from stac_assets.pipeline.errors import StoreFailed
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.destinations.test_postgres_view import url_of
from stac_assets_tests.items_view import execute, first_told
from stac_assets_tests.loads import DATASET, ids, load_days
from stac_assets_tests.pages import block
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi, make_item

STAGING = f"{DATASET}_staging"


@pytest.fixture
def administer(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of who may do everything; loads are those of the role `loader`, which may do nothing yet."""
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, postgres_url)
    monkeypatch.setenv(POSTGRES_URL, url_of("loader"))
    enter_project(project, monkeypatch)
    return postgres_url


def run(administer: str, statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(POSTGRES_URL, administer)
        execute(statement)


def test_what_an_administrator_has_to_run_is_said_before_anything_is_asked_for(
    api: StacApi, administer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(make_item("a"))
    with pytest.raises(StoreFailed, match="the role loader lacks rights") as raised:
        load_days(api)
    assert api.requests == []
    found = re.search(r"has to run: (.+?)\. Nothing was fetched", str(raised.value))
    assert found and found[1].count("CREATE SCHEMA") == 2
    first, second = found[1].split("; ")
    run(administer, first, monkeypatch)
    with pytest.raises(StoreFailed) as raised:
        load_days(api)
    assert f"has to run: {second}." in str(raised.value)
    run(administer, second, monkeypatch)
    load_days(api)
    assert ids() == ["a"]


def test_the_statements_of_the_page_are_all_that_is_needed(
    api: StacApi, administer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(administer, block("docs/destinations.md", "sql rights"), monkeypatch)
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__GEOMETRY", "none")  # of which it would tell too
    api.put(make_item("a"))
    with first_told(), caplog.at_level(logging.WARNING, "stac_assets"):
        for _ in range(2):
            load_days(api)
    assert ids() == ["a"] and [r.getMessage() for r in caplog.records if r.name == "stac_assets"] == []


def test_schemas_may_be_somebody_elses(
    api: StacApi, administer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the view over all catalogs, for which there is no schema, is told of once and fails nothing."""
    for schema in (DATASET, STAGING):
        run(administer, f"CREATE SCHEMA {schema}", monkeypatch)
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__GEOMETRY", "none")  # of which it would tell too
    api.put(make_item("a"))
    with pytest.raises(StoreFailed) as raised:
        load_days(api)
    granted = re.search(r"has to run: (.+?)\. Nothing", str(raised.value))
    assert granted and granted[1].count("GRANT USAGE, CREATE ON SCHEMA") == 2
    run(administer, granted[1], monkeypatch)
    with first_told(), caplog.at_level(logging.WARNING, "stac_assets"):
        for _ in range(2):
            load_days(api)
    assert ids() == ["a"]
    (line,) = [record.getMessage() for record in caplog.records if record.name == "stac_assets"]
    assert 'CREATE SCHEMA stac AUTHORIZATION "loader"' in line
