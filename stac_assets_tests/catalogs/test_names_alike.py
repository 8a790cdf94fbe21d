"""Catalogs whose names are alike: each keeps what it has, whatever is loaded of another."""

from pathlib import Path

import pytest

from stac_assets_tests.named import load_named
from stac_assets_tests.reading import POSTGRES_URL, in_postgres, query
from stac_assets_tests.stac_api import StacApi, make_item


@pytest.fixture(params=["duckdb", "postgres"], autouse=True)
def database(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is of both databases."""
    monkeypatch.setenv("PIPELINE__DESTINATION", request.param)
    if in_postgres():
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))


@pytest.mark.parametrize("other", ["east_staging", "east_"])
def test_what_is_loaded_of_a_catalog_leaves_others_alone(other: str) -> None:
    """dlt empties the schema in which it stages rows, and would write a last `_` as an `x`."""
    names = (other, "eastx", "east")
    for name in names:
        with StacApi(items=[make_item(name)]) as server:
            load_named(server, name)
            load_named(server, name, resource="collections")
    for name in names:
        assert [row["id"] for row in query(f"SELECT id FROM {name}.search")] == [name]
        assert len(query(f"SELECT id FROM {name}.collections")) == 1
    assert {row["catalog"] for row in query("SELECT catalog FROM stac.items")} == set(names)
