"""The column `geom` of a DuckDB file, whose core type needs no extension."""

import json
import logging
from pathlib import Path
from typing import Any

import duckdb
import pytest
import shapely

from stac_assets import item_from_row
from stac_assets_tests.asking import some_items
from stac_assets_tests.geometry.shapes import NO_OBJECTS, NO_SHAPES, SHAPES, put, put_deep
from stac_assets_tests.loads import DUCKDB_FILE, column_types, items, load_days, query, rows
from stac_assets_tests.reading import DATASET
from stac_assets_tests.stac_api import StacApi, make_item

BERLIN = "'POLYGON((13 52.3, 13.8 52.3, 13.8 52.7, 13 52.7, 13 52.3))'::GEOMETRY('OGC:CRS84')"
NO_EXTENSIONS: dict[str, Any] = {"autoload_known_extensions": False, "autoinstall_known_extensions": False}
TYPE = "GEOMETRY('OGC:CRS84')"


def shapes_of(table: str = "search") -> dict[str, Any]:
    """The geometries of a table by id, each as GeoJSON means it, and None where it holds none."""
    found = query(f"SELECT id, ST_AsWKB(geom) AS geom FROM {DATASET}.{table}")
    assert len({row["id"] for row in found}) == len(found)
    return {row["id"]: None if row["geom"] is None else shapely.from_wkb(row["geom"]) for row in found}


@pytest.mark.parametrize("table", ["search", "collection_items"])
def test_geometries_are_as_they_were_sent(project: Path, api: StacApi, table: str) -> None:
    put(api, SHAPES)
    result = load_days(api, table)
    assert result.misfits == {}
    assert column_types(table)["geom"] == TYPE
    wanted = {name: shapely.from_geojson(json.dumps(shape)) for name, shape in SHAPES.items()}
    found = shapes_of(table)
    assert {name: shape.wkt for name, shape in found.items()} == {n: s.wkt for n, s in wanted.items()}
    assert all(shapely.equals_identical(found[name], shape) for name, shape in wanted.items())


def test_what_is_no_geometry_is_null_and_counted(project: Path, api: StacApi) -> None:
    put(api, NO_SHAPES)
    api.put(make_item("null", extra={"geometry": None}))
    without = make_item("without")
    del without["geometry"]
    api.put(without)
    api.put(make_item("good", extra={"geometry": SHAPES["point"]}))
    result = load_days(api)
    assert result.misfits == {"geometry": len(NO_SHAPES) - len(NO_OBJECTS)}
    sent = {item: document["geometry"] for (_, item), document in items().items() if item != "without"}
    assert sent == {**NO_SHAPES, "null": None, "good": SHAPES["point"]}
    found = shapes_of()
    assert found.pop("good") == shapely.Point(13.4, 52.5)
    assert found == dict.fromkeys([*NO_SHAPES, "null", "without"])


@pytest.mark.parametrize("levels", [10, 100, 500, 100_000])
def test_a_geometry_of_any_depth_fails_no_load(project: Path, api: StacApi, levels: int) -> None:
    put(api, {"point": SHAPES["point"]})
    put_deep(api, levels)
    result = load_days(api)
    found = shapes_of()
    assert found.pop("point") == shapely.Point(13.4, 52.5)
    if levels > 100:  # Python's own parser reads none of so many, so that the document cannot be a row
        assert found == {} and len(rows("rejected_items")) == 1
    elif levels > 10:
        assert (found, result.misfits) == ({"deep": None}, {"geometry": 1})
    else:
        assert shapely.get_num_geometries(found["deep"]) == 1 and not result.misfits


def test_items_that_are_looked_up_have_it_too(project: Path, api: StacApi) -> None:
    put(api, {"point": SHAPES["point"], "heights": SHAPES["heights"], "text": NO_SHAPES["text"]})
    result = load_days(api, "item", item_ids=["point", "heights", "text"])
    assert column_types("item")["geom"] == TYPE
    found = shapes_of("item")
    assert found["point"] == shapely.Point(13.4, 52.5)
    assert shapely.get_coordinate_dimension(found["heights"]) == 3
    assert found["text"] is None
    assert result.misfits == {"geometry": 1}


def test_boxes_are_compared_without_any_extension(project: Path, api: StacApi) -> None:
    put(api, {name: SHAPES[name] for name in ("point", "polygon", "lines", "both sides of the antimeridian")})
    load_days(api)
    with duckdb.connect(str(DUCKDB_FILE), read_only=True, config=NO_EXTENSIONS) as database:
        for question in (f"geom && {BERLIN}", f"ST_Intersects_Extent(geom, {BERLIN})"):
            found = database.execute(
                f"SELECT id FROM {DATASET}.search WHERE {question} ORDER BY id"
            ).fetchall()
            assert found == [("point",), ("polygon",)], question
        loaded = database.execute("SELECT extension_name FROM duckdb_extensions() WHERE loaded").fetchall()
    assert ("spatial",) not in loaded


def test_two_loads_in_a_row_are_the_same(project: Path, api: StacApi) -> None:
    for item in some_items(12):
        api.put(item)
    load_days(api)
    first = shapes_of()
    load_days(api)
    assert shapes_of() == first and None not in first.values()


def test_somebodys_own_column_of_that_name_is_left_alone(
    project: Path, api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    put(api, {"point": SHAPES["point"]})
    load_days(api, geometry="none")
    with duckdb.connect(str(DUCKDB_FILE)) as database:
        database.execute(f"ALTER TABLE {DATASET}.search ADD COLUMN geom VARCHAR DEFAULT 'mine'")
    put(api, {"line": SHAPES["line"]}, "2024-01-02")
    with caplog.at_level(logging.WARNING):
        load_days(api, last="2024-01-02")
    assert column_types()["geom"] == "VARCHAR"
    assert set(items()) == {("c1", "point"), ("c1", "line")}
    assert "the column geom of search is VARCHAR, and so no geometries are stored: rename" in caplog.text


def test_a_property_of_that_name_keeps_its_value(project: Path, api: StacApi) -> None:
    api.put(make_item("a", geom="what the API says", extra={"geometry": SHAPES["point"]}))
    load_days(api)
    assert shapes_of() == {"a": shapely.Point(13.4, 52.5)}
    (row,) = rows()
    assert json.loads(row["properties"])["geom"] == "what the API says"
    assert item_from_row(row)["properties"]["geom"] == "what the API says"


def test_geometries_that_are_not_wanted_are_not_stored(project: Path, api: StacApi) -> None:
    put(api, {"point": SHAPES["point"], "text": NO_SHAPES["text"]})
    result = load_days(api, geometry="none")
    assert "geom" not in column_types()
    assert result.misfits == {}


def test_a_column_that_was_dropped_by_hand_comes_back(project: Path, api: StacApi) -> None:
    put(api, {"point": SHAPES["point"]})
    load_days(api)
    with duckdb.connect(str(DUCKDB_FILE)) as database:
        database.execute(f"ALTER TABLE {DATASET}.search DROP COLUMN geom")
    load_days(api)
    assert column_types()["geom"] == TYPE
    assert shapes_of() == {"point": shapely.Point(13.4, 52.5)}


def test_the_view_over_all_catalogs_shows_it(project: Path, api: StacApi) -> None:
    put(api, {"point": SHAPES["point"]})
    load_days(api)
    (row,) = query(
        f"SELECT id, ST_AsText(geom) AS text, typeof(geom) AS kind FROM stac.items WHERE geom && {BERLIN}"
    )
    assert row == {"id": "point", "text": "POINT (13.4 52.5)", "kind": TYPE}
