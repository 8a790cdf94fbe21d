"""Fixtures: a project whose tables are in DuckDB, PostgreSQL or Delta, loaded or not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stac_assets_tests.explore.published import BARE, FIRST, FULL, LAST, LONG, full_item, publish
from stac_assets_tests.loads import DATASET, load_days
from stac_assets_tests.reading import POSTGRES_URL, query, query_postgres
from stac_assets_tests.stac_api import StacApi

SETTING = "SOURCES__PYSTAC_CLIENT_SOURCE__"
TABLES = ("search", "item_changes")
Load = Callable[[], None]


@dataclass(frozen=True)
class Place:
    """Where the tables are, and how they are asked by somebody who knows nothing of this project.

    Args:
        name: of the destination.
    """

    name: str

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query of the tables `search` and `item_changes`."""
        named = sql.format(**{table: f"{DATASET}.{table}" for table in TABLES})
        match self.name:
            case "duckdb":
                return [tuple(row.values()) for row in query(named)]
            case "postgres":
                return [tuple(row.values()) for row in query_postgres(named)]
            case _:
                from deltalake import DeltaTable

                with duckdb.connect() as connection:
                    for table in TABLES:
                        found = DeltaTable(f"lake/{DATASET}/{table}").to_pyarrow_table()
                        connection.register(table, found)
                    return connection.execute(sql.format(**{table: table for table in TABLES})).fetchall()


@pytest.fixture(params=["duckdb", "postgres", "delta"])
def place(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Each destination, once as that of the project."""
    if request.param == "postgres":
        monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))
    elif request.param == "delta":
        pytest.importorskip("deltalake", reason="the extra 'delta' is not installed")
        monkeypatch.setenv("PIPELINE__DESTINATION", "filesystem")
        monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(project / "lake"))
    return Place(request.param)


def load_published(api: StacApi) -> None:
    """Load all that the API has."""
    load_days(api, "search", (FULL, BARE, LONG), FIRST, LAST, granularity="monthly")


@pytest.fixture
def loaded(place: Place, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The destination after two loads: in the second an item was changed, and one is gone."""
    monkeypatch.setenv(SETTING + "BASE_URL", api.url)
    publish(api)
    load_published(api)
    api.put(full_item(3, platform="north"))
    api.remove(FULL, full_item(4)["id"])
    load_published(api)
    return place
