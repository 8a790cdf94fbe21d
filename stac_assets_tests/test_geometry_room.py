"""How the geometries of a DuckDB file are stored, and that others read them with DuckDB's own settings."""

from pathlib import Path

import shapely

from stac_assets_tests.loads import load_days, query
from stac_assets_tests.stac_api import StacApi, make_item

STORED = """SELECT DISTINCT segment_type FROM pragma_storage_info('pystac_client_data.search')
WHERE column_name = 'geom' AND segment_type <> 'VALIDITY'"""


def put(api: StacApi, count: int) -> dict[str, shapely.Polygon]:
    """Items with a polygon each."""
    shapes = {f"i{n:03}": shapely.box(n / 10, 40.0, n / 10 + 1.4, 41.0) for n in range(count)}
    for name, shape in shapes.items():
        api.put(make_item(name, extra={"geometry": shapely.geometry.mapping(shape)}))
    return shapes


def test_geometries_are_columns_of_numbers_in_the_file(project: Path, api: StacApi) -> None:
    """DuckDB compresses numbers, and would store a geometry of our small row groups as it came."""
    shapes = put(api, 300)
    load_days(api)
    assert "DOUBLE" in {row["segment_type"] for row in query(STORED)}
    found = {
        row["id"]: shapely.from_wkb(row["wkb"])
        for row in query("SELECT id, ST_AsWKB(geom) AS wkb FROM pystac_client_data.search")
    }
    assert found == shapes


def test_a_table_takes_other_kinds_of_geometries_later(project: Path, api: StacApi) -> None:
    shapes: dict[str, shapely.Geometry] = dict(put(api, 5))
    load_days(api)
    shapes["point"] = shapely.Point(1.5, 2.5)
    api.put(make_item("point", extra={"geometry": {"type": "Point", "coordinates": [1.5, 2.5]}}))
    load_days(api)
    kinds = query("SELECT id, ST_AsWKB(geom) AS wkb FROM pystac_client_data.search")
    assert {row["id"]: shapely.from_wkb(row["wkb"]) for row in kinds} == shapes
