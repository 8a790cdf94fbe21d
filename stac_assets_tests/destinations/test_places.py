"""Where rows lie: a file, a folder or a lake on this machine, however it is named, or a server."""

import json
import shutil
from pathlib import Path

import pytest

from stac_assets.pipeline.queries import place_of
from stac_assets.stac.errors import ConfigurationError
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


CREDENTIALS = "DESTINATION__DUCKDB__CREDENTIALS"


def test_what_is_configured_of_a_connection_holds_where_rows_are_stored(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is seen by a statement, which is executed once: another time, its table would be there."""
    seen = "CREATE TABLE main.seen AS SELECT current_setting('{}') AS value"
    for name, setting, of_connection in (
        ("threads", "1", '{"threads": 1}'),
        ("preserve_insertion_order", False, '{"preserve_insertion_order": false}'),
        ("temp_directory", "elsewhere", '{"temp_directory": "elsewhere"}'),
    ):
        shutil.rmtree(project / "pystac_client.duckdb", ignore_errors=True)
        (project / "pystac_client.duckdb").unlink(missing_ok=True)
        variables = {
            f"{CREDENTIALS}__DATABASE": "pystac_client.duckdb",
            f"{CREDENTIALS}__EXTENSIONS": '["json"]',
            f"{CREDENTIALS}__GLOBAL_CONFIG": of_connection,
            f"{CREDENTIALS}__LOCAL_CONFIG": '{"schema": "main"}',
            f"{CREDENTIALS}__PRAGMAS": '["disable_progress_bar"]',
            f"{CREDENTIALS}__STATEMENTS": f"[{json.dumps(seen.format(name))}]",
        }
        configure(project, monkeypatch, variables)
        api.put(make_item("a"))
        result = load_days(api)
        assert result.figures.items == 1 and ids() == ["a"]
        ((found,),) = [tuple(row.values()) for row in query("SELECT value FROM main.seen")]
        assert str(found) == str(setting)
        made = query("SELECT table_schema FROM information_schema.tables WHERE table_name = 'search'")
        assert made == [{"table_schema": "pystac_client_data"}]


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("EXTENSIONS", '["no_such_extension"]', r"extensions: no_such_extension\)"),
        ("GLOBAL_CONFIG", '{"no_such_setting": 1}', r"global_config: no_such_setting\)"),
        ("STATEMENTS", "[\"SELECT 's3cret' FROM nowhere\"]", r"statements, number 1\)"),
        ("PRAGMAS", '["no_such_pragma"]', r"pragmas or local_config\)"),
        ("LOCAL_CONFIG", '{"no_such_setting": 1}', r"pragmas or local_config\)"),
    ],
)
def test_what_duckdb_refuses_of_a_connection_is_named(
    project: Path, api: StacApi, option: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, monkeypatch, {f"{CREDENTIALS}__{option}": value})
    api.put(make_item("a"))
    with pytest.raises(ConfigurationError, match=rf"\[destination.duckdb.credentials\].*{told}") as raised:
        load_days(api)
    assert "s3cret" not in str(raised.value)


def test_what_is_refused_of_a_session_names_the_destination(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {"DESTINATION_TYPE": "duckdb", "CREDENTIALS__DATABASE": "some.duckdb"}
    mine["CREDENTIALS__PRAGMAS"] = '["no_such_pragma"]'
    variables = {f"DESTINATION__MINE__{name}": value for name, value in mine.items()}
    configure(project, monkeypatch, {"PIPELINE__DESTINATION": "mine", **variables})
    api.put(make_item("a"))
    with pytest.raises(ConfigurationError, match=r"\[destination\.mine\.credentials\] says \(pragmas or"):
        load_days(api)
