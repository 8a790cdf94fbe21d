"""`stac_assets.geodataframe`: stored items as a GeoDataFrame, by one query of what is wanted."""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely

from stac_assets import geodataframe
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.geometry.conftest import Shapes
from stac_assets_tests.geometry.shapes import ACROSS, NO_SHAPES, SHAPES, put
from stac_assets_tests.loads import load_days, settings_for
from stac_assets_tests.stac_api import StacApi, make_item

SECOND = "2024-01-02"
BERLIN = [13.0, 52.3, 13.8, 52.7]
FIJI = [178.0, -20.0, -178.0, 5.0]


def boxed(id: str, shape: str, **more: Any) -> dict[str, Any]:
    """An item whose box is that of its geometry."""
    found = shapely.from_geojson(json.dumps(SHAPES[shape])).bounds
    return make_item(id, extra={"geometry": SHAPES[shape], "bbox": list(found)}, **more)


def frame_of(api: StacApi, *arguments: Any, **others: Any) -> Any:
    """What somebody calls; the project's settings lack the API alone."""
    frame = geodataframe(*arguments, base_url=api.url, **others)
    return frame.set_index("id", drop=False)


def filled(api: StacApi, **settings: Any) -> None:
    """Three days of two collections."""
    api.put(boxed("point", "point", **{"eo:cloud_cover": 5}))
    api.put(boxed("heights", "heights", datetime=f"{SECOND}T00:00:00Z", **{"eo:cloud_cover": 50}))
    api.put(boxed("line", "lines", collection="c2", datetime="2024-01-03T23:59:59Z"))
    load_days(api, collections=["c1", "c2"], last="2024-01-03", **settings)


@pytest.mark.parametrize("geometry", ["native", "none"])
def test_a_frame_has_the_geometries_and_their_system(shapes: Shapes, api: StacApi, geometry: str) -> None:
    put(api, SHAPES)
    put(api, NO_SHAPES, SECOND)
    api.put(make_item("null", extra={"geometry": None}))
    load_days(api, last=SECOND, geometry=geometry)
    frame = frame_of(api)
    assert len(frame) == len(SHAPES) + len(NO_SHAPES) + 1
    assert (frame.crs, frame.active_geometry_name) == ("OGC:CRS84", "geom")
    wanted = {name: shapely.from_geojson(json.dumps(shape)) for name, shape in SHAPES.items()}
    assert {name: frame.geom[name].wkt for name in SHAPES} == {n: s.wkt for n, s in wanted.items()}
    assert {name: frame.geom[name] for name in [*NO_SHAPES, "null"]} == dict.fromkeys([*NO_SHAPES, "null"])
    assert not {"geometry", "properties", "assets", "_partition_key", "_dlt_load_id"} & set(frame.columns)


def test_columns_are_those_that_are_wanted(shapes: Shapes, api: StacApi) -> None:
    filled(api)
    frame = frame_of(api, columns=["id", "datetime", "assets", "eo_cloud_cover"])
    assert list(frame.columns) == ["id", "datetime", "assets", "eo_cloud_cover", "geom"]
    assert frame["datetime"]["heights"] == pd.Timestamp(f"{SECOND}T00:00:00Z")
    assert str(frame["datetime"].dtype).endswith("UTC]")
    assert str(frame["eo_cloud_cover"].dtype) == "float64"
    with pytest.raises(ConfigurationError, match=r"search has no column nope; it has assets, bbox"):
        frame_of(api, columns=["id", "nope"])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"collections": "c2"}, ["line"]),
        ({"collections": ["c1", "it's"]}, ["heights", "point"]),
        ({"collections": []}, []),
        ({"collections": (name for name in ["c2"])}, ["line"]),
        ({"collections": (name for name in ())}, []),
        ({"collections": "*"}, ["heights", "line", "point"]),
        ({"start": SECOND}, ["heights", "line"]),
        ({"end": SECOND}, ["heights", "point"]),
        ({"start": SECOND, "end": SECOND}, ["heights"]),
        ({"start": SECOND, "end": "9999-12-31"}, ["heights", "line"]),
        ({"bbox": BERLIN}, ["heights", "point"]),
        ({"bbox": [13.0, 52.3, 0.0, 13.8, 52.7, 100.0], "collections": "c2"}, []),
        ({"where": "eo_cloud_cover < 10 OR id LIKE 'l%'"}, ["line", "point"]),
        ({"where": "id = 'line' -- or another"}, ["line"]),
        ({"where": "id = 'line' OR id = 'point'", "bbox": BERLIN}, ["point"]),
    ],
)
def test_rows_are_those_that_are_wanted(project: Path, api: StacApi, asked: Any, found: list[str]) -> None:
    filled(api)
    frame = frame_of(api, **asked)
    assert sorted(frame.index) == found
    assert frame.crs == "OGC:CRS84"


@pytest.mark.parametrize(
    "asked", [{"bbox": BERLIN, "start": "2024-01-01", "end": SECOND, "collections": "c1"}]
)
def test_filters_work_in_files_too(shapes: Shapes, api: StacApi, asked: Any) -> None:
    filled(api)
    assert sorted(frame_of(api, **asked).index) == ["heights", "point"]
    assert len(frame_of(api, where="id = 'no such'")) == 0


def test_boxes_across_the_antimeridian_are_found(project: Path, api: StacApi) -> None:
    across = {"type": "Polygon", "coordinates": [ACROSS]}
    api.put(make_item("across", extra={"geometry": across, "bbox": [179.0, 1.0, -179.0, 2.0]}))
    api.put(boxed("point", "point"))
    load_days(api)
    asked = {
        "within": FIJI,
        "east of it": [179.5, 0, 180, 5],
        "west": [-180, 0, -179.5, 5],
        "none": [0, 0, 9, 5],
    }
    found = {name: list(frame_of(api, bbox=bbox).index) for name, bbox in asked.items()}
    assert found == {"within": ["across"], "east of it": ["across"], "west": ["across"], "none": []}


def test_a_table_of_items_that_were_looked_up(project: Path, api: StacApi) -> None:
    filled(api)
    load_days(api, "item", item_ids=["point"])
    assert list(frame_of(api, "item").index) == ["point"]


def test_what_cannot_be_is_said(project: Path, api: StacApi) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no table search in .* yet: load it first"):
        frame_of(api)
    filled(api)
    for wrong, told in [
        ({"table": "collections"}, "table is 'collections'; expected one of"),
        ({"bbox": [1, 2, 3]}, "expected west, south, east and north"),
        ({"bbox": [1, float("nan"), 3, 4]}, "expected west, south, east and north"),
        ({"columns": "id"}, "expected a list of names"),
        ({"start": "yesterday"}, "start"),
        ({"colums": ["id"]}, "colums"),
    ]:
        with pytest.raises((ConfigurationError, TypeError), match=told):
            frame_of(api, **wrong)
    with pytest.raises(ConfigurationError, match="there is no table item in"):
        frame_of(api, "item")


def test_without_geopandas_it_is_said_how_to_get_it(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'stac-assets\[geo\]'"):
        frame_of(api)


def test_the_api_is_not_asked(project: Path, api: StacApi) -> None:
    filled(api)
    assert settings_for(api).base_url == api.url
    api.reset()
    frame_of(api)
    assert api.requests == []
