"""The view `stac.items` of a DuckDB file, wherever that is and however it is opened."""

from pathlib import Path

import duckdb
import pytest

from stac_assets_tests.conftest import enter_project
from stac_assets_tests.items_view import shown
from stac_assets_tests.named import load_named
from stac_assets_tests.reading import DUCKDB_FILE
from stac_assets_tests.stac_api import StacApi, make_item


@pytest.fixture
def east(api: StacApi) -> StacApi:
    api.put(make_item("a"))
    return api


def test_it_is_in_the_file_whatever_is_made_the_database_of_the_connection(
    project: Path, east: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DATABASE": str(DUCKDB_FILE), "STATEMENTS": '["USE memory"]'}.items():
        monkeypatch.setenv(f"DESTINATION__DUCKDB__CREDENTIALS__{name}", value)
    enter_project(project, monkeypatch)
    load_named(east, "east")
    assert shown() == [("east", "a")]


def test_a_file_may_be_renamed_and_attached(east: StacApi, project: Path) -> None:
    load_named(east, "east")
    load_named(east, "west")
    (project / DUCKDB_FILE).rename(project / "elsewhere.db")
    with duckdb.connect(str(project / "elsewhere.db"), read_only=True) as connection:
        assert connection.sql("SELECT catalog FROM stac.items ORDER BY 1").fetchall() == [
            ("east",),
            ("west",),
        ]
    with duckdb.connect() as connection:
        connection.execute("ATTACH 'elsewhere.db' AS mine (READ_ONLY)")
        assert connection.sql("SELECT count(*) FROM mine.stac.items").fetchall() == [(2,)]
