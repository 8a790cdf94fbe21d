"""A DuckDB file with the name of a schema in it: DuckDB could not tell what `x.y` is of."""

from pathlib import Path

import duckdb
import pytest

from stac_assets.pipeline.destinations.duckdb import attached
from stac_assets.pipeline.exclusion.waiting import Wait
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import load_catalog, load_days
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item

CREDENTIALS = "DESTINATION__DUCKDB__CREDENTIALS"


def stored_in(file: str, project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load an item into a file of that name."""
    monkeypatch.setenv(CREDENTIALS, file)
    enter_project(project, monkeypatch)
    api.put(make_item("a"))
    load_days(api)


@pytest.mark.parametrize("name", ["stac.duckdb", "STAC.db", "stac.v2.duckdb", ".stac"])
def test_a_file_of_the_views_name_is_refused_before_anything_is_fetched(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"the schema stac.*rename the file") as e:
        stored_in(name, project, api, monkeypatch)
    assert str(project / name) in str(e.value) and "[destination.duckdb]" in str(e.value)
    assert not (project / name).exists() and api.requests == []


def test_so_is_one_that_is_named_after_its_destination(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__DESTINATION_NAME", "stac")
    enter_project(project, monkeypatch)
    with pytest.raises(ConfigurationError, match=r"stac\.duckdb has the name.*`destination_name`"):
        load_days(api)


@pytest.mark.parametrize("name", ["pystac_client_data.v2.duckdb", "PYSTAC_CLIENT_DATA.db"])
def test_and_one_of_the_datasets_name(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="the dataset pystac_client_data has the name of its DuckDB"):
        stored_in(name, project, api, monkeypatch)


@pytest.mark.parametrize(
    "name", ["mystac.duckdb", "stac_.duckdb", "my.stac.duckdb", "memory.duckdb", "no suffix"]
)
def test_any_other_name_will_do(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    stored_in(name, project, api, monkeypatch)
    assert query("SELECT id FROM pystac_client_data.search", project / name) == [{"id": "a"}]


def test_the_loaders_own_connection_reads_the_views_of_a_schema_stac(project: Path) -> None:
    file = project / "mine.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE SCHEMA stac; CREATE VIEW stac.mine AS SELECT 1 AS one")
    with attached(file, Wait(1)) as connection:
        assert connection.execute("SELECT one FROM stac.mine").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("suffix", "value", "file"),
    [
        ("", "mine.duckdb", "mine.duckdb"),
        ("__DATABASE", "mine.duckdb", "mine.duckdb"),
        ("__GLOBAL_CONFIG", '{"threads": 1}', "pystac_client.duckdb"),
        ("__PRAGMAS", '["disable_progress_bar"]', "pystac_client.duckdb"),
    ],
)
def test_credentials_count_where_no_destination_name_is_configured(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, suffix: str, value: str, file: str
) -> None:
    """As in a project folder that is not ours; dlt looks below a destination's name, once it has one."""
    (project / ".dlt" / "config.toml").unlink()
    monkeypatch.setenv(f"{CREDENTIALS}{suffix}", value)
    enter_project(project, monkeypatch)
    api.put(make_item("a"))
    load_days(api)
    load_catalog(api, "client_root")
    assert [path.name for path in project.glob("*.duckdb*")] == [file]
    assert query("SELECT id FROM pystac_client_data.search", project / file) == [{"id": "a"}]
    assert query("SELECT id FROM pystac_client_data.client_root", project / file)


def test_what_is_configured_of_such_a_file_holds(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".dlt" / "config.toml").unlink()
    monkeypatch.setenv(f"{CREDENTIALS}__GLOBAL_CONFIG", '{"no_such_setting": 1}')
    enter_project(project, monkeypatch)
    api.put(make_item("a"))
    with pytest.raises(ConfigurationError, match="no_such_setting"):
        load_days(api)
