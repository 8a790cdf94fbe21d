"""Geometries on which readers of exported files would fail, each beside an ordinary one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import rustac
import shapely
import stac_geoparquet.arrow

from stac_assets_tests.geoparquet.exporting import export, scene
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi

RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
POINT, HIGH_POINT = ({"type": "Point", "coordinates": position} for position in ([1, 2], [3, 4, 5]))
PARTS = {"type": "MultiPolygon", "coordinates": [[], [RING]]}
EMPTY = {"type": "Polygon", "coordinates": []}


def _collection(*geometries: dict[str, Any]) -> dict[str, Any]:
    return {"type": "GeometryCollection", "geometries": list(geometries)}


SHAPES = {
    "nested": (
        _collection(POINT, _collection(_collection(POINT), EMPTY)),
        "GEOMETRYCOLLECTION (POINT (1 2), POINT (1 2))",
    ),
    "empty part below": (
        _collection(POINT, PARTS),
        "GEOMETRYCOLLECTION (POINT (1 2), MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0))))",
    ),
    "some heights": (
        {"type": "Polygon", "coordinates": [[[*RING[0], 5], *RING[1:3], [*RING[3], 5]]]},
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
    ),
    "parts with heights": (_collection(POINT, HIGH_POINT), "GEOMETRYCOLLECTION (POINT (1 2), POINT (3 4))"),
    "heights": (HIGH_POINT, "POINT Z (3 4 5)"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_keeps_readers_from_a_file(api: StacApi, project: Path, name: str) -> None:
    sent, wanted = SHAPES[name]
    api.put({**scene(1), "geometry": sent})
    api.put(scene(2))
    load_days(api)
    export(api, project / "out")
    file = project / "out/c1/2024-01-01.parquet"
    table = pq.read_table(file)
    written: Any = shapely.from_wkb(table.sort_by("id")["geometry"].to_pylist())
    assert [shape.wkt for shape in written] == [
        wanted,
        shapely.from_geojson(json.dumps(scene(2)["geometry"])).wkt,
    ]

    async def read() -> Any:
        return await rustac.read(str(file))

    assert len(asyncio.run(read())["features"]) == 2
    if sent["type"] != "GeometryCollection":
        assert len(list(stac_geoparquet.arrow.stac_table_to_items(table))) == 2
