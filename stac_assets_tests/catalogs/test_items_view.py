"""The view `stac.items` over all catalogs in one database: what it shows, in DuckDB and in PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stac_assets_tests.items_view import (
    COLUMNS,
    execute,
    first_told,
    mark_version,
    shown,
    types_of_view,
    version,
)
from stac_assets_tests.named import load_named
from stac_assets_tests.reading import POSTGRES_URL, in_postgres, query
from stac_assets_tests.stac_api import StacApi, make_item

NOON = "2024-01-01T12:00:00Z"


@pytest.fixture(params=["duckdb", "postgres"], autouse=True)
def database(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is of both databases."""
    monkeypatch.setenv("PIPELINE__DESTINATION", request.param)
    if in_postgres():
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))


@pytest.fixture
def east() -> Iterator[StacApi]:
    cloudy = make_item("a", datetime=NOON, gsd=10, **{"eo:cloud_cover": 25})  # type: ignore[arg-type]
    with StacApi(items=[cloudy]) as api:
        yield api


@pytest.fixture
def west() -> Iterator[StacApi]:
    with StacApi(items=[make_item("a", datetime=NOON, platform="landsat-9", other="x")]) as api:
        yield api


def test_it_unites_catalogs_of_different_columns(east: StacApi, west: StacApi) -> None:
    load_named(east, "east")
    load_named(west, "west")
    first, second = query("SELECT * FROM stac.items ORDER BY catalog")
    geometries = {} if in_postgres() else {"geom": "GEOMETRY('OGC:CRS84')"}  # this server has no PostGIS
    assert (list(first), list(second)) == ([*COLUMNS, *geometries],) * 2
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    same = {"collection": "c1", "id": "a", "datetime": noon, "bbox_xmin": 10.0, "start_datetime": None}
    assert first.items() >= {**same, "catalog": "east", "eo_cloud_cover": 25.0, "gsd": 10.0}.items()
    assert second.items() >= {**same, "catalog": "west", "platform": "landsat-9"}.items()
    assert (first["platform"], second["eo_cloud_cover"], second["gsd"]) == (None, None, None)
    assert types_of_view() == {
        **dict.fromkeys(COLUMNS, "DOUBLE"),
        **dict.fromkeys(("catalog", "collection", "id", "platform"), "VARCHAR"),
        **dict.fromkeys(("datetime", "start_datetime", "end_datetime"), "TIMESTAMP WITH TIME ZONE"),
        **geometries,
    }


def test_the_unnamed_catalog_is_the_default(east: StacApi, west: StacApi) -> None:
    load_named(east, None)
    load_named(west, "west")
    assert shown() == [("default", "a"), ("west", "a")]


def test_a_catalog_has_its_name_also_where_its_dataset_has_another(east: StacApi, west: StacApi) -> None:
    load_named(east, "east", dataset_name="sentinel data")
    load_named(west, "west", dataset_name="landsat")
    assert shown() == [("east", "a"), ("west", "a")]


def test_a_load_that_adds_a_column_shows_its_values(east: StacApi, west: StacApi) -> None:
    load_named(east, "east")
    load_named(west, "west")
    west.put(make_item("b", datetime=NOON, **{"eo:cloud_cover": 3}))  # type: ignore[arg-type]
    load_named(west, "west")
    assert shown("eo_cloud_cover", "catalog = 'west'") == [(None,), (3.0,)]


def test_it_is_written_where_it_changes_alone(east: StacApi, west: StacApi) -> None:
    load_named(east, "east")
    load_named(west, "west")
    mark_version()
    first = version()
    east.put(make_item("b", unheard_of=1))
    load_named(east, "east")
    load_named(west, "west", "2024-01-02")
    assert version() == first and len(shown()) == 3
    west.put(make_item("b", datetime=NOON, gsd=1))
    load_named(west, "west")
    assert version() != first


@pytest.mark.parametrize("resource", ["collection_items", "item"])
def test_tables_of_other_endpoints_are_not_shown(east: StacApi, resource: str) -> None:
    load_named(east, "east", resource=resource)
    assert query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'stac'") == []


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE west.search",
        "DROP SCHEMA west CASCADE",
        "ALTER TABLE west.search RENAME TO search_of_yesterday",
        "ALTER TABLE west.search DROP COLUMN platform",
        "ALTER TABLE west.search DROP COLUMN bbox_xmin",
        "ALTER TABLE west.search ALTER COLUMN bbox_xmin TYPE bigint",
    ],
)
def test_what_is_changed_by_hand_does_not_break_it_for_ever(
    east: StacApi, west: StacApi, change: str
) -> None:
    load_named(east, "east")
    load_named(west, "west")
    execute(change)
    load_named(east, "east")
    remains = "COLUMN" in change
    assert shown() == [("east", "a"), ("west", "a")][: 1 + remains]
    columns = shown("bbox_xmin, platform", "catalog = 'west'")
    assert columns == (
        [(None if "DROP COLUMN b" in change else 10.0, None if "platform" in change else "landsat-9")]
        if remains
        else []
    )


def test_a_dataset_that_was_dropped_comes_back(east: StacApi, west: StacApi) -> None:
    for again in (False, True):
        load_named(west, "west")
        load_named(east, "east")
        assert shown() == [("east", "a"), ("west", "a")]
        if not again:
            execute("DROP SCHEMA west CASCADE")
            load_named(east, "east")


def test_a_view_that_was_dropped_comes_back(east: StacApi) -> None:
    load_named(east, "east")
    execute("DROP SCHEMA stac CASCADE")
    load_named(east, "east")
    assert shown() == [("east", "a")]


def test_a_table_that_somebody_has_copied_is_not_shown_twice(east: StacApi) -> None:
    load_named(east, "east")
    execute("CREATE SCHEMA backup")
    execute("CREATE TABLE backup.search AS SELECT * FROM east.search")
    execute("COMMENT ON TABLE backup.search IS 'stac-assets: catalog east in east'")
    load_named(east, "east")
    assert shown() == [("east", "a")]


def test_what_else_a_comment_says_stays(east: StacApi) -> None:
    load_named(east, "east")
    for said in ("it''s\nours", "it''s ours, and 100%"):
        execute(f"COMMENT ON TABLE east.search IS '{said}'")
        load_named(east, "east")
        load_named(east, "east")
        found = query(
            "SELECT obj_description('east.search'::regclass) AS comment"
            if in_postgres()
            else "SELECT comment FROM duckdb_tables() WHERE schema_name = 'east' AND table_name = 'search'"
        )
        assert found[0]["comment"] == said.replace("''", "'") + "\nstac-assets: catalog east in east"
        assert shown() == [("east", "a")]


# Columns of other types ----------------------------------------------------------------------------------


def test_a_column_of_another_type_is_nothing_unless_it_can_always_be_read(
    east: StacApi, west: StacApi
) -> None:
    load_named(east, "east")
    east.put(make_item("b", datetime=NOON))
    west.put(make_item("b", datetime=NOON, eo_cloud_cover="none"))
    load_named(west, "west")
    execute("ALTER TABLE west.search ADD COLUMN gsd bigint")
    execute("UPDATE west.search SET gsd = 30")
    load_named(east, "east")
    assert shown("gsd, eo_cloud_cover") == [(10.0, 25.0), (None, None), (30.0, None), (30.0, None)]


def add_geometry(schema: str) -> None:
    """Give a table a geometry, and each row one."""
    kind, point = "GEOMETRY", "'POINT (1 2)'"
    if in_postgres():  # without PostGIS, a type of its name
        kind, point = "public.geometry", "row('POINT (1 2)')"
        if not query("SELECT 1 AS one FROM pg_type WHERE typname = 'geometry'"):
            execute("CREATE TYPE public.geometry AS (wkt text)")
    execute(f"ALTER TABLE {schema}.search ADD COLUMN geom {kind}")
    execute(f"UPDATE {schema}.search SET geom = {point}")


def test_a_geometry_is_shown_once_there_is_one(east: StacApi, west: StacApi) -> None:
    west.put(make_item("b", datetime=NOON))
    load_named(east, "east", geometry="none")
    load_named(west, "west", geometry="none")
    execute("ALTER TABLE west.search ADD COLUMN geom VARCHAR")  # as somebody's own property had one before
    assert list(types_of_view()) == COLUMNS
    if in_postgres():
        execute("CREATE VIEW public.mine AS SELECT id, datetime FROM stac.items")  # it stays with ours
    add_geometry("east")
    load_named(west, "west", geometry="none")
    assert list(types_of_view()) == [*COLUMNS, "geom"]
    assert shown("id", "geom IS NOT NULL") == [("a",)] and len(shown()) == 3
    load_named(east, "east", geometry="none")
    execute("ALTER TABLE west.search DROP COLUMN geom")
    add_geometry("west")
    load_named(east, "east", geometry="none")
    assert shown("id", "geom IS NOT NULL AND catalog = 'west'") == [("a",), ("b",)]
    if in_postgres():
        assert len(query("SELECT * FROM public.mine")) == 3
        execute("DROP VIEW public.mine")
    for schema in ("east", "west"):
        execute(f"ALTER TABLE {schema}.search DROP COLUMN geom")
    load_named(east, "east", geometry="none")
    assert list(types_of_view()) == COLUMNS and len(shown()) == 3


# Where it cannot be made ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made", ["CREATE TABLE stac.items (mine bigint)", "CREATE VIEW stac.items AS SELECT 1 AS mine"]
)
def test_what_somebody_else_has_made_stays_and_the_load_says_so_once(
    east: StacApi, caplog: pytest.LogCaptureFixture, made: str
) -> None:
    load_named(east, "east", resource="collection_items")
    execute("CREATE SCHEMA stac")
    execute(made)
    with first_told(), caplog.at_level("WARNING", "stac_assets"):
        for _ in range(2):
            assert load_named(east, "east").figures.items == 1
    told = [record.getMessage() for record in caplog.records if record.name == "stac_assets"]
    (line,) = [each for each in told if "PostGIS" not in each]
    assert line.startswith("the rows are stored, but the view stac.items over all catalogs is as it was (")
    assert list(query("SELECT count(mine) AS n FROM stac.items")[0]) == ["n"]
    assert query("SELECT id FROM east.search") == [{"id": "a"}]
    execute(f"DROP {made.split()[1]} stac.items")
    load_named(east, "east")
    assert shown() == [("east", "a")]
