"""The view over all catalogs in PostgreSQL: it hinders nobody, needs few rights, and uses the indexes."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import dlt
import psycopg2
import pytest

from stac_assets import pystac_client_source
from stac_assets.pipeline.destinations import postgres_view
from stac_assets.pipeline.exclusion.advisory_lock import key_of
from stac_assets_tests.concurrency.postgres import ask
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.forked import Forker
from stac_assets_tests.items_view import COLUMNS, execute, first_told, shown, types_of_view
from stac_assets_tests.named import load_elsewhere, load_named
from stac_assets_tests.reading import POSTGRES_URL, query
from stac_assets_tests.stac_api import StacApi, make_item

NOON = "2024-01-01T12:00:00Z"


@pytest.fixture(autouse=True)
def in_postgresql(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, postgres_url)


@pytest.fixture
def west() -> Iterator[StacApi]:
    with StacApi(items=[make_item("w", datetime=NOON, platform="landsat-9")]) as api:
        yield api


# It hinders nobody ---------------------------------------------------------------------------------------


def test_dlt_may_drop_a_table_of_it_and_make_another(
    api: StacApi, west: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(make_item("a", datetime=NOON, gsd=10))
    load_named(api, "east")
    load_named(west, "west")
    api.put(make_item("a", datetime=NOON, platform="sentinel-2"))
    source = pystac_client_source(
        base_url=api.url, collections=["c1"], start_date="2024-01-01", end_date="2024-01-01"
    )
    pipeline = dlt.pipeline("east", destination="postgres", dataset_name="east")
    pipeline.run(source.with_resources("search"), refresh="drop_resources")
    assert [row["gsd"] for row in query("SELECT * FROM east.search") if "gsd" in row] == []
    load_named(west, "west")
    assert shown("catalog, id") == [("west", "w")], "only a load of ours says whose table it is"
    load_named(api, "east")
    assert shown("catalog, platform, gsd") == [("east", "sentinel-2", None), ("west", "landsat-9", None)]


def test_dlt_may_drop_a_dataset_and_a_load_makes_it_again(api: StacApi, west: StacApi) -> None:
    api.put(make_item("a", datetime=NOON))
    load_named(api, "east")
    load_named(west, "west")
    with dlt.pipeline("east", destination="postgres", dataset_name="east").sql_client() as client:
        client.drop_dataset()
    load_named(west, "west")
    assert shown() == [("west", "w")]
    load_named(api, "east")
    assert shown() == [("east", "a"), ("west", "w")]


def test_a_load_waits_for_no_reader_of_the_view(api: StacApi, west: StacApi) -> None:
    """One whose transaction is open, as notebooks leave it, keeps others from replacing a view."""
    load_named(west, "west")
    with closing(psycopg2.connect(os.environ[POSTGRES_URL])) as notebook, notebook.cursor() as cursor:
        cursor.execute("SELECT * FROM stac.items")
        api.put(make_item("a", datetime=NOON))
        load_named(api, "east")
        cursor.execute("SELECT catalog FROM stac.items ORDER BY 1")
        assert cursor.fetchall() == [("east",), ("west",)]


def test_who_holds_its_lock_delays_a_load_for_a_while(
    api: StacApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres_view, "PATIENCE", "10ms")
    api.put(make_item("a", datetime=NOON))
    with closing(psycopg2.connect(os.environ[POSTGRES_URL])) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (key_of("stac.items"),))
        with first_told():
            assert load_named(api, "east").figures.items == 1
    assert "stac.items over all catalogs is as it was (canceling statement due to lock timeout" in caplog.text
    load_named(api, "east")
    assert shown() == [("east", "a")]


def test_conditions_reach_the_tables_and_their_indexes(api: StacApi, west: StacApi) -> None:
    api.put(make_item("a", datetime=NOON))
    load_named(api, "east")
    load_named(west, "west")
    for dataset in ("east", "west"):
        execute(
            f"INSERT INTO {dataset}.search (id, collection, _partition_key, _dlt_load_id) "
            "SELECT 'i' || n, 'c1', 'c1|2000-01-01', '1' FROM generate_series(1, 20000) AS n"
        )
        execute(f"ANALYZE {dataset}.search")

    def plan(where: str) -> str:
        return "\n".join(
            row["QUERY PLAN"] for row in query(f"EXPLAIN SELECT * FROM stac.items WHERE {where}")
        )

    by_id = plan("id = 'i77'")
    assert by_id.count("search_id_index") == 2 and "Seq Scan" not in by_id, by_id
    of_one = plan("catalog = 'west' AND bbox_xmin > 200")
    assert of_one.count("Scan") == 1 and "bbox_xmin >" in of_one, of_one


# Rights --------------------------------------------------------------------------------------------------


def url_of(role: str) -> str:
    """Where a role connects; it is made if there is none, and may do nothing."""
    if not query(f"SELECT 1 AS one FROM pg_roles WHERE rolname = '{role}'"):
        execute(f"CREATE ROLE {role} LOGIN")
    user = query("SELECT current_user AS name")[0]["name"]
    return os.environ[POSTGRES_URL].replace(f"//{user}:", f"//{role}:", 1)


@contextmanager
def loading_as(role: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loads of a role which owns the schemas of the dataset `east`, and may make no other."""
    url = url_of(role)
    for schema in ("east", "east__staging"):
        execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}")
    with monkeypatch.context() as patch:
        patch.setenv(POSTGRES_URL, url)
        enter_project(project, patch)
        yield
    enter_project(project, monkeypatch)


def test_who_may_make_no_schema_is_told_once_what_to_do(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__GEOMETRY", "none")  # of which it would tell too
    api.put(make_item("a", datetime=NOON))
    with loading_as("loader", project, monkeypatch), first_told(), caplog.at_level("WARNING", "stac_assets"):
        for _ in range(3):
            assert load_named(api, "east").figures.items == 1
    (line,) = [record.getMessage() for record in caplog.records if record.name == "stac_assets"]
    assert "the rows are stored" in line and "permission denied for database" in line
    _, _, advice = line.partition("make it possible: ")
    assert advice == 'CREATE SCHEMA stac AUTHORIZATION "loader")'
    execute(advice[:-1])
    with loading_as("loader", project, monkeypatch):
        load_named(api, "east")
        assert shown() == [("east", "a")]


def test_what_one_may_not_show_another_load_shows(
    project: Path, api: StacApi, west: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(make_item("a", datetime=NOON))
    with loading_as("loader", project, monkeypatch):
        load_named(api, "east")
    load_named(west, "west")
    assert shown() == [("east", "a"), ("west", "w")]


def test_who_may_read_the_tables_may_read_it(
    project: Path, api: StacApi, west: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_named(west, "west")
    reader = url_of("reader")
    execute("GRANT USAGE ON SCHEMA stac, west TO reader")
    execute("GRANT SELECT ON stac.items TO reader")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(reader, "SELECT id FROM stac.items")
    execute("GRANT SELECT ON west.search TO reader")
    assert ask(reader, "SELECT id FROM stac.items") == [("w",)]
    execute("CREATE TYPE public.geometry AS (wkt text)")
    execute("ALTER TABLE west.search ADD COLUMN geom public.geometry")
    load_named(west, "west")
    assert list(types_of_view()) == [*COLUMNS, "geom"]
    assert ask(reader, "SELECT id FROM stac.items") == [("w",)], "what was granted stays"


def test_a_table_that_the_loader_may_not_read_is_shown_to_those_who_may(
    project: Path, api: StacApi, west: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_named(west, "west")
    execute("DROP SCHEMA stac CASCADE")
    url_of("loader")
    execute("CREATE SCHEMA stac AUTHORIZATION loader")
    api.put(make_item("a", datetime=NOON))
    with loading_as("loader", project, monkeypatch):
        load_named(api, "east")
    assert shown() == [("east", "a"), ("west", "w")]


# Two at once ---------------------------------------------------------------------------------------------


def test_two_processes_that_load_two_catalogs_show_both(
    postgres_url: str, west: StacApi, api: StacApi
) -> None:
    api.put(make_item("a", datetime=NOON, gsd=10))
    with ExitStack() as forkers:
        calls: list[Any] = [
            forkers.enter_context(Forker()).start(load_elsewhere, url=each.url, name=name)
            for each, name in ((api, "east"), (west, "west"))
        ]
        assert [call.ended().raised for call in calls] == ["", ""]
    assert shown("catalog, id, gsd, platform") == [
        ("east", "a", 10.0, None),
        ("west", "w", None, "landsat-9"),
    ]
