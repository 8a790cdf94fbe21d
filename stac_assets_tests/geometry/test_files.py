"""The column `geom` of tables as files: WKB, which plain readers of Parquet take for geometries."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import shapely

from stac_assets.source.rows import item_from_row
from stac_assets_tests.destinations.lake import FORMATS, Lake, configured
from stac_assets_tests.geometry.shapes import NO_OBJECTS, NO_SHAPES, SHAPES, put, put_deep
from stac_assets_tests.loads import DATASET, load_days
from stac_assets_tests.stac_api import StacApi, make_item


@pytest.fixture(params=FORMATS)
def lake(request: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty folder, which the project in the current folder is configured to load into."""
    return configured(Lake(request.param, (project / "lake").as_uri()), monkeypatch)


@pytest.fixture
def parquet(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the files of `search` in a Hive layout, which is the project's destination."""
    configured(Lake("parquet", (project / "lake").as_uri()), monkeypatch)
    return project / "lake" / DATASET / "search"


def shapes_of(lake: Lake, table: str = "search") -> dict[str, Any]:
    """The geometries of a table by id, of whatever the reader gives for them."""
    found = {row["id"]: row["geom"] for row in lake.rows(table)}
    return {id: None if geom is None else shapely.from_wkb(bytes(geom)) for id, geom in found.items()}


@pytest.mark.parametrize("table", ["search", "collection_items"])
def test_geometries_are_as_they_were_sent(lake: Lake, api: StacApi, table: str) -> None:
    put(api, SHAPES)
    assert load_days(api, table).misfits == {}
    wanted = {name: shapely.from_geojson(json.dumps(shape)) for name, shape in SHAPES.items()}
    found = shapes_of(lake, table)
    assert {name: shape.wkt for name, shape in found.items()} == {n: s.wkt for n, s in wanted.items()}
    assert all(shapely.equals_identical(found[name], shape) for name, shape in wanted.items())


def test_what_is_no_geometry_is_null_and_counted(lake: Lake, api: StacApi) -> None:
    put(api, NO_SHAPES)
    put_deep(api, 60)
    api.put(make_item("null", extra={"geometry": None}))
    api.put(make_item("good", extra={"geometry": SHAPES["point"]}))
    result = load_days(api)
    assert result.misfits == {"geometry": len(NO_SHAPES) - len(NO_OBJECTS) + 1}
    found = shapes_of(lake)
    assert found.pop("good") == shapely.Point(13.4, 52.5)
    assert found == dict.fromkeys([*NO_SHAPES, "deep", "null"])
    sent = {row["id"]: item_from_row(row)["geometry"] for row in lake.rows() if row["id"] in NO_SHAPES}
    assert sent == NO_SHAPES


def test_items_that_are_looked_up_have_it_too(lake: Lake, api: StacApi) -> None:
    put(api, {"point": SHAPES["point"], "heights": SHAPES["heights"], "text": NO_SHAPES["text"]})
    result = load_days(api, "item", item_ids=["point", "heights", "text"])
    found = shapes_of(lake, "item")
    assert found["point"] == shapely.Point(13.4, 52.5)
    assert shapely.get_coordinate_dimension(found["heights"]) == 3
    assert found["text"] is None
    assert result.misfits == {"geometry": 1}


def test_geometries_that_are_not_wanted_are_not_stored(lake: Lake, api: StacApi) -> None:
    put(api, {"point": SHAPES["point"], "text": NO_SHAPES["text"]})
    assert load_days(api, geometry="none").misfits == {}
    assert all("geom" not in row for row in lake.rows())


def test_a_property_of_that_name_keeps_its_value(lake: Lake, api: StacApi) -> None:
    api.put(make_item("a", geom="what the API says", extra={"geometry": SHAPES["point"]}))
    load_days(api)
    assert shapes_of(lake) == {"a": shapely.Point(13.4, 52.5)}
    (row,) = lake.rows()
    assert item_from_row(row)["properties"]["geom"] == "what the API says"


def test_duckdb_reads_geometries(parquet: Path, api: StacApi) -> None:
    put(api, {name: SHAPES[name] for name in ("point", "heights", "lines")})
    load_days(api)
    with duckdb.connect() as database:
        found = database.execute(
            "SELECT id, typeof(geom), ST_AsText(geom) FROM read_parquet($files, hive_partitioning = true) "
            "WHERE geom && 'POLYGON((13 52, 14 52, 14 53, 13 53, 13 52))'::GEOMETRY('OGC:CRS84') ORDER BY id",
            {"files": f"{parquet}/**/*.parquet"},
        ).fetchall()
    assert [(id, kind) for id, kind, _ in found] == [
        (id, "GEOMETRY('OGC:CRS84')") for id in ("heights", "point")
    ]
    assert found[1][2] == "POINT (13.4 52.5)"


def test_geopandas_reads_geometries(parquet: Path, api: StacApi) -> None:
    geopandas = pytest.importorskip("geopandas", reason="pip install 'stac-assets[geo]'")
    put(api, SHAPES)
    api.put(make_item("null", extra={"geometry": None}))
    load_days(api)
    frame = geopandas.read_parquet(parquet).set_index("id")
    assert frame.active_geometry_name == "geom"
    assert frame.crs == "OGC:CRS84"
    assert frame.geom["point"] == shapely.Point(13.4, 52.5)
    assert frame.geom["null"] is None


def test_the_footer_is_that_of_geoparquet(parquet: Path, api: StacApi) -> None:
    put(api, {"point": SHAPES["point"]})
    load_days(api)
    (file,) = parquet.rglob("*.parquet")
    footer = json.loads(pq.read_metadata(file).metadata[b"geo"])
    assert footer["version"] == "1.1.0" and footer["primary_column"] == "geom"
    assert footer["columns"]["geom"]["encoding"] == "WKB"
    load_days(api, geometry="none")
    (file,) = parquet.rglob("*.parquet")
    assert pq.read_table(file)["geom"].to_pylist() == [None]
