"""Where rows lie: a file, a folder or a lake on this machine, however it is named, or a server."""

from pathlib import Path

import pytest

from stac_assets.pipeline.queries import place_of
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import catalog_for, ids, load_days
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item

pytestmark = pytest.mark.usefixtures("no_network")

Variables = dict[str, str]
URL = "http://127.0.0.1"
MINE: Variables = {"PIPELINE__DESTINATION": "mine", "DESTINATION__MINE__DESTINATION_TYPE": "duckdb"}
LAKE: Variables = {"PIPELINE__DESTINATION": "ducklake"}
FILES: Variables = {"PIPELINE__DESTINATION": "filesystem"}
KEYS = {
    "DESTINATION__FILESYSTEM__CREDENTIALS__AWS_ACCESS_KEY_ID": "none",
    "DESTINATION__FILESYSTEM__CREDENTIALS__AWS_SECRET_ACCESS_KEY": "none",
}
SERVER = "postgresql://loader:no-password@db.example.com:5432/stac"


def configure(project: Path, monkeypatch: pytest.MonkeyPatch, variables: Variables) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    enter_project(project, monkeypatch)


@pytest.mark.parametrize(
    ("variables", "is_local"),
    [
        ({}, True),
        ({"DESTINATION__DUCKDB__CREDENTIALS": "mine.duckdb"}, True),
        ({"DESTINATION__DUCKDB__DESTINATION_NAME": "mine"}, True),
        (MINE, True),
        ({**FILES, "DESTINATION__FILESYSTEM__BUCKET_URL": "lake"}, True),
        ({**FILES, "DESTINATION__FILESYSTEM__BUCKET_URL": "file:///lake"}, True),
        ({**FILES, **KEYS, "DESTINATION__FILESYSTEM__BUCKET_URL": "s3://lake"}, False),
        (LAKE, True),
        ({**LAKE, "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG": "sqlite:///lake.sqlite"}, True),
        ({**LAKE, "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG": SERVER}, True),
        ({"PIPELINE__DESTINATION": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": SERVER}, False),
    ],
)
def test_what_lies_on_this_machine_is_known(
    project: Path, monkeypatch: pytest.MonkeyPatch, variables: Variables, is_local: bool
) -> None:
    configure(project, monkeypatch, variables)
    place = place_of(catalog_for(URL))
    assert place.is_local == is_local
    assert "no-password" not in f"{place} {place.location}"


@pytest.mark.parametrize(
    ("variables", "file"),
    [
        (MINE, "mine.duckdb"),
        ({"DESTINATION__DUCKDB__DESTINATION_NAME": "mine"}, "mine.duckdb"),
        ({"DESTINATION__DUCKDB__CREDENTIALS": "mine.db"}, "mine.db"),
        ({"DESTINATION__DUCKDB__CREDENTIALS": "duckdb:///mine.db"}, "mine.db"),
        ({"DESTINATION__DUCKDB__CREDENTIALS__DATABASE": "mine.db"}, "mine.db"),
    ],
)
def test_a_duckdb_file_is_the_same_destination_however_it_is_named(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, variables: Variables, file: str
) -> None:
    """Rows go there without a staging table, and the file compresses text."""
    configure(project, monkeypatch, variables)
    for id in "ab":
        api.put(make_item(id))
    result = load_days(api)
    api.remove("c1", "b")
    load_days(api)
    assert result.location == str(project / file) and [p.name for p in project.glob("*.d*b*")] == [file]
    (project / file).rename(project / "pystac_client.duckdb")
    assert ids() == ["a"]
    made = query("SELECT table_schema FROM information_schema.tables WHERE table_name = 'search'")
    assert made == [{"table_schema": "pystac_client_data"}]


def test_what_dlt_is_to_do_with_a_duckdb_file_is_left_to_dlt(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, monkeypatch, {"DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG": '{"threads": 1}'})
    api.put(make_item("a"))
    load_days(api)
    assert ids() == ["a"]
    made = query("SELECT table_schema FROM information_schema.tables WHERE table_name = 'search'")
    assert {"table_schema": "pystac_client_data_staging"} in made
