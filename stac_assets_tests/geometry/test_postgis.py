"""The column `geom` of PostgreSQL, where PostGIS is there."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from stac_assets import geodataframe
from stac_assets.source.rows import item_from_row
from stac_assets_tests.commanding import Run
from stac_assets_tests.geometry.shapes import NO_OBJECTS, NO_SHAPES, SHAPES, put, put_deep
from stac_assets_tests.items_view import execute
from stac_assets_tests.loads import load_days
from stac_assets_tests.pgstac.database import find_postgres, postgres
from stac_assets_tests.reading import DATASET, POSTGRES_URL, query_postgres
from stac_assets_tests.stac_api import StacApi, make_item

SECOND = "2024-01-02"


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """Debian's PostgreSQL with PostGIS; skips where it is not installed."""
    pytest.importorskip("psycopg2", reason="dlt's PostgreSQL destination needs psycopg2")
    programs = find_postgres()
    if programs is None:
        pytest.skip("there is no PostgreSQL with PostGIS (Debian: postgresql-postgis)")
    with postgres(programs) as variables:
        yield variables


@pytest.fixture(autouse=True, params=["public", "PostGIS here"])
def postgis(
    request: Any, server: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """An empty database with PostGIS in some schema, into which the project in the current folder loads."""
    url = f"postgresql://{server['PGUSER']}:unused@{server['PGHOST']}:{server['PGPORT']}"
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, f"{url}/postgres")
    name = f"t{abs(hash(tmp_path)):x}"
    execute(f"CREATE DATABASE {name}")
    monkeypatch.setenv(POSTGRES_URL, f"{url}/{name}")
    execute(f'CREATE SCHEMA IF NOT EXISTS "{request.param}"')
    execute(f'CREATE EXTENSION postgis SCHEMA "{request.param}"')
    return request.param


def shapes_of(table: str = "search") -> dict[str, Any]:
    """The geometries of a table by id, and None where it holds none."""
    found = query_postgres(f"SELECT id, geom::text FROM {DATASET}.{table}")  # hexadecimal EWKB
    assert len({row["id"] for row in found}) == len(found)
    return {row["id"]: row["geom"] and shapely.from_wkb(row["geom"]) for row in found}


def kind(table: str = "search") -> list[str]:
    """The type of the column."""
    found = query_postgres(
        "SELECT format_type(atttypid, atttypmod) AS kind FROM pg_attribute "
        f"WHERE attrelid = '{DATASET}.{table}'::regclass AND attname = 'geom' AND NOT attisdropped"
    )
    return [row["kind"].rpartition(".")[2] for row in found]


def indexes(table: str = "search") -> list[str]:
    """How the indexes of the column are made."""
    found = query_postgres(
        f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{DATASET}' AND tablename = '{table}'"
    )
    made = (row["indexdef"].rpartition(" USING ")[2] for row in found)
    return [how for how in made if "(geom)" in how]


@pytest.mark.parametrize("table", ["search", "collection_items"])
def test_geometries_are_as_they_were_sent_without_heights(api: StacApi, table: str) -> None:
    put(api, SHAPES)
    assert load_days(api, table).misfits == {}
    assert kind(table) == ["geometry(Geometry,4326)"]
    assert indexes(table) == ["gist (geom)"]
    sent = {name: shapely.from_geojson(json.dumps(shape)) for name, shape in SHAPES.items()}
    found = shapes_of(table)
    wanted = {name: shapely.force_2d(shape).wkt for name, shape in sent.items()}
    assert {name: shape.wkt for name, shape in found.items()} == wanted
    assert {shapely.get_srid(shape) for shape in found.values()} == {4326}


def test_what_is_no_geometry_is_null_and_counted(api: StacApi) -> None:
    put(api, NO_SHAPES)
    put_deep(api, 60)
    api.put(make_item("null", extra={"geometry": None}))
    api.put(make_item("good", extra={"geometry": SHAPES["point"]}))
    result = load_days(api)
    assert result.misfits == {"geometry": len(NO_SHAPES) - len(NO_OBJECTS) + 1}
    found = shapes_of()
    assert found.pop("good") == shapely.Point(13.4, 52.5)
    assert found == dict.fromkeys([*NO_SHAPES, "deep", "null"])
    stored = {row["id"]: item_from_row(row) for row in query_postgres(f"SELECT * FROM {DATASET}.search")}
    assert {id: item["geometry"] for id, item in stored.items() if id in NO_SHAPES} == NO_SHAPES


def test_items_that_are_looked_up_have_it_too(api: StacApi) -> None:
    put(api, {"point": SHAPES["point"], "heights": SHAPES["heights"], "text": NO_SHAPES["text"]})
    result = load_days(api, "item", item_ids=["point", "heights", "text"])
    found = shapes_of("item")
    assert found["point"] == shapely.Point(13.4, 52.5)
    assert not found["heights"].has_z and found["text"] is None
    assert (result.misfits, kind("item"), indexes("item")) == (
        {"geometry": 1},
        ["geometry(Geometry,4326)"],
        ["gist (geom)"],
    )


def test_postgis_finds_what_intersects(api: StacApi, postgis: str) -> None:
    put(api, {name: SHAPES[name] for name in ("point", "polygon", "lines")})
    load_days(api)
    box = f'"{postgis}".ST_MakeEnvelope(13, 52.3, 13.8, 52.7, 4326)'
    found = query_postgres(
        f'SET search_path = "{postgis}"; '
        f"SELECT id FROM {DATASET}.search WHERE geom && {box} AND ST_Intersects(geom, {box}) ORDER BY id"
    )
    assert [row["id"] for row in found] == ["point", "polygon"]
    shown = query_postgres("SELECT id, geom::text FROM stac.items WHERE id = 'point'")
    assert [shapely.from_wkb(row["geom"]) for row in shown] == [shapely.Point(13.4, 52.5)]


def test_a_table_of_an_earlier_version_is_filled(
    api: StacApi, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(api, {"point": SHAPES["point"], "text": NO_SHAPES["text"]})
    put(api, {"heights": SHAPES["heights"]}, SECOND)
    load_days(api, last=SECOND, geometry="none")
    assert kind() == []
    load_days(api)
    point = shapely.Point(13.4, 52.5)
    assert shapes_of() == {"point": point, "text": None, "heights": None}
    said = run("backfill-geometry")
    left = "1 have GeoJSON of which no geometry can be made"
    assert said.out.splitlines() == [f"search: 1 geometry filled, {left}"]
    found = shapes_of()
    assert found["point"] == point and found["text"] is None
    assert not found["heights"].has_z
    assert run("backfill-geometry").out.splitlines() == [f"search: 0 geometries filled, {left}"]
    assert (shapes_of(), indexes()) == (found, ["gist (geom)"])


def test_somebodys_own_column_of_that_name_is_left_alone(
    api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    put(api, {"point": SHAPES["point"]})
    load_days(api, geometry="none")
    execute(f"ALTER TABLE {DATASET}.search ADD COLUMN geom text DEFAULT 'mine'")
    put(api, {"line": SHAPES["line"]}, SECOND)
    with caplog.at_level(logging.WARNING):
        load_days(api, last=SECOND)
    assert kind() == ["text"] and indexes() == []
    stored = query_postgres(f"SELECT id, geom FROM {DATASET}.search")
    assert {row["id"]: row["geom"] for row in stored} == {"point": "mine", "line": "mine"}
    assert "the column geom of search is text, and so no geometries are stored: rename" in caplog.text


def test_a_column_that_was_dropped_by_hand_comes_back(api: StacApi) -> None:
    put(api, {"point": SHAPES["point"]})
    load_days(api)
    execute("DROP VIEW stac.items")
    execute(f"ALTER TABLE {DATASET}.search DROP COLUMN geom")
    load_days(api)
    assert (kind(), indexes()) == (["geometry(Geometry,4326)"], ["gist (geom)"])
    assert shapes_of() == {"point": shapely.Point(13.4, 52.5)}


def test_postgis_that_comes_later_is_used(
    api: StacApi, postgis: str, caplog: pytest.LogCaptureFixture
) -> None:
    execute("DROP EXTENSION postgis")
    put(api, {"point": SHAPES["point"]})
    with caplog.at_level(logging.WARNING):
        load_days(api)
    assert kind() == [] and "has no PostGIS" in caplog.text
    execute(f'CREATE EXTENSION postgis SCHEMA "{postgis}"')
    load_days(api)
    assert (kind(), indexes()) == (["geometry(Geometry,4326)"], ["gist (geom)"])
    assert shapes_of() == {"point": shapely.Point(13.4, 52.5)}


def test_a_frame_has_the_geometries_and_their_system(api: StacApi) -> None:
    put(api, {"point": SHAPES["point"], "heights": SHAPES["heights"], "text": NO_SHAPES["text"]})
    load_days(api)
    frame = geodataframe(base_url=api.url, columns=["id", "datetime", "created"]).set_index("id")
    assert (frame.crs, str(frame["datetime"].dtype)[-4:], str(frame["created"].dtype)[-4:]) == (
        "OGC:CRS84",
        *["UTC]"] * 2,
    )
    assert frame.geom["point"] == shapely.Point(13.4, 52.5)
    assert not frame.geom["heights"].has_z and frame.geom["text"] is None
    chosen = geodataframe(base_url=api.url, where="id LIKE 'p%'", start="2024-01-01", end="2024-01-01")
    assert list(chosen["id"]) == ["point"]
    assert len(geodataframe(base_url=api.url, collections="it's none")) == 0
