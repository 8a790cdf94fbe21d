"""What the format cannot hold of items: told in docs/geoparquet.md, and never a failed export."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from stac_assets.export.result import Exported
from stac_assets_tests.geoparquet.exporting import export, scene
from stac_assets_tests.loads import items, load_days
from stac_assets_tests.stac_api import RawItem, StacApi


def exported(api: StacApi, project: Path, *documents: Any) -> tuple[Exported, pa.Table]:
    """What an export of items says, and the file."""
    for item in documents:
        api.put(item)
    load_days(api)
    sent = len(documents)
    done = export(api, project / "out")
    table = pq.read_table(project / "out/c1/2024-01-01.parquet")
    assert table.num_rows == done.items == sent == len(items())
    return done, table.sort_by("id")


def test_null_and_absent_are_one(api: StacApi, project: Path) -> None:
    _, table = exported(api, project, scene(1, gsd=None), scene(2), scene(3, gsd=10))
    assert table["gsd"].to_pylist() == [None, None, 10]


def test_values_of_several_types_are_text(api: StacApi, project: Path) -> None:
    mixed = [scene(1, odd=1), scene(2, odd="one"), scene(3, odd=[1, {"a": 2}]), scene(4, list=[1, "x", None])]
    done, table = exported(api, project, *mixed)
    assert table["odd"].to_pylist() == ["1", "one", '[1,{"a":2}]', None]
    assert table["list"].to_pylist()[3] == ["1", "x", None]
    assert done.notes()["properties_as_text"] == "1: odd"


def test_times_are_instants_to_the_microsecond(api: StacApi, project: Path) -> None:
    api_times: dict[str, Any] = {"expires": "2024-02-01T00:00:00+01:00", "published": "some day"}
    _, table = exported(api, project, scene(1, updated="2024-01-01T10:00:00.123456789+02:00", **api_times))
    assert table["updated"][0].as_py().isoformat() == "2024-01-01T08:00:00.123456+00:00"
    assert table["expires"][0].as_py().isoformat() == "2024-01-31T23:00:00+00:00"
    assert table["published"][0].as_py() is None


def test_times_beyond_the_calendar_are_null(api: StacApi, project: Path) -> None:
    far: dict[str, Any] = {"expires": "infinity", "published": "99999-01-01T00:00:00Z"}
    _, table = exported(api, project, scene(1, **far), scene(2, expires="9999-12-31T23:59:59Z"))
    assert table["published"].to_pylist() == [None, None]
    assert [time and time.year for time in table["expires"].to_pylist()] == [None, 9999]


@pytest.mark.parametrize("opening, closing", [('{"a":', "}"), ("[", "]")], ids=["objects", "lists"])
@pytest.mark.parametrize("levels", [15, 100, 400])
def test_what_lies_deep_is_text(api: StacApi, project: Path, opening: str, closing: str, levels: int) -> None:
    text = json.dumps(scene(1, deep=0)).replace('"deep": 0', f'"deep": {opening * levels}1{closing * levels}')
    at = datetime(2024, 1, 1, 10, tzinfo=UTC)
    _, table = exported(api, project, RawItem(text.encode(), "c1", at, at), scene(2))
    found, depth = table["deep"][0].as_py(), 0
    while isinstance(found, dict | list):
        found, depth = found["a"] if isinstance(found, dict) else found[0], depth + 1
    below = levels - depth
    assert found == (f"{opening * below}1{closing * below}" if below else 1) and depth >= 15


def test_a_property_with_the_name_of_a_member_is_left_out(api: StacApi, project: Path) -> None:
    item = {**scene(1, assets="none", geometry=5, title="inner"), "title": "outer"}
    done, table = exported(api, project, item)
    assert done.notes()["properties_left_out"] == "3: assets, geometry, title"
    assert table["title"].to_pylist() == ["outer"] and table["type"].to_pylist() == ["Feature"]


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Nonsense"},
        {"type": "Point", "coordinates": ["a", "b"]},
    ],
    ids=["null", "empty", "short ring", "unknown", "text"],
)
def test_items_without_a_geometry_are_rows_and_named(api: StacApi, project: Path, geometry: Any) -> None:
    done, table = exported(api, project, {**scene(1), "geometry": geometry}, scene(2))
    assert done.notes()["without_geometry"] == "1: scene-1-1"
    assert table["geometry"].is_null().to_pylist() == [True, False]


def test_empty_parts_of_a_geometry_are_left_out(api: StacApi, project: Path) -> None:
    square = [[[0, 0], [1, 0], [1, 1], [0, 0]]]
    parts = {"type": "MultiPolygon", "coordinates": [[], square]}
    _, table = exported(api, project, {**scene(1), "geometry": parts})
    (found,) = shapely.from_wkb(table["geometry"].to_pylist())
    assert found.equals(shapely.MultiPolygon([shapely.Polygon(square[0])])) and len(found.geoms) == 1


def test_a_box_that_is_lacking_is_that_of_the_geometry(api: StacApi, project: Path) -> None:
    lacking = {key: value for key, value in scene(1).items() if key != "bbox"}
    _, table = exported(api, project, lacking, {**scene(2), "bbox": None}, {**scene(3), "bbox": ["a"]})
    assert table["bbox"].to_pylist() == [{"xmin": 13, "ymin": 52, "xmax": 14, "ymax": 53}] * 3


def test_boxes_have_heights_where_all_have_them(api: StacApi, project: Path) -> None:
    high = {"bbox": [13, 52, -5, 14, 53, 100]}
    _, table = exported(api, project, {**scene(1), **high}, {**scene(2), **high})
    assert table["bbox"][0].as_py() == {
        "xmin": 13,
        "ymin": 52,
        "zmin": -5,
        "xmax": 14,
        "ymax": 53,
        "zmax": 100,
    }
    _, table = exported(api, project, scene(3), {**scene(1), **high}, {**scene(2), **high})
    assert [set(box) for box in table["bbox"].to_pylist()] == [{"xmin", "ymin", "xmax", "ymax"}] * 3


def test_items_without_assets_links_or_extensions(api: StacApi, project: Path) -> None:
    bare = {**scene(1), "assets": {}, "links": []}
    for name in ("stac_extensions", "stac_version"):
        bare.pop(name, None)
    _, table = exported(api, project, bare, {**scene(2), "assets": None, "links": "none"})
    assert "assets" not in table.column_names
    assert table["links"].to_pylist() == [[], []] and table["stac_extensions"].to_pylist() == [[], []]


@pytest.mark.parametrize(
    "assets",
    [None, {}, {"red": {}}, {"red": None}, {"red": {"title": "Red"}}, {"red": "red.tif"}, {"red": [1]}],
    ids=["null", "no assets", "an empty one", "a null", "without href", "text", "a list"],
)
def test_an_item_without_true_assets_takes_none_from_others(
    api: StacApi, project: Path, assets: dict[str, Any]
) -> None:
    _, table = exported(api, project, scene(1), {**scene(2), "assets": assets})
    wanted = table["assets"][0].as_py()["red"]
    assert wanted["href"] == "https://data.example.com/1/red.tif" and wanted["roles"] == ["data"]
    assert table["assets"][1].as_py() == {"red": None}


def test_links_and_mapped_assets_without_an_href_are_left_out(api: StacApi, project: Path) -> None:
    asset, link = {"href": "a.tif"}, {"rel": "self", "href": "https://example.com"}
    bare = {**scene(99), "assets": None, "links": [link, {"rel": "self"}, {"href": "x"}, None, "x"]}
    named = [
        {**scene(n), "assets": {f"{n}a.tif": asset, f"{n}b.tif": asset, f"{n}.txt": {"title": "none"}}}
        for n in range(10, 35)
    ]
    _, table = exported(api, project, bare, *named)
    assert [len(assets) for assets in table["assets"].to_pylist()] == [2] * 25 + [0]
    assert table["links"].to_pylist()[-1] == [{**link, "title": None, "type": None}]


def test_empty_objects_and_links_that_are_none_take_nothing_from_others(api: StacApi, project: Path) -> None:
    link = {"rel": "self", "href": "https://example.com", "method": "POST"}
    full: dict[str, Any] = {"storage": {"tier": "hot", "more": {"a": 1}}}
    _, table = exported(
        api,
        project,
        {**scene(1, 1, 13.0, **full), "links": [link], "other": {"a": 1}},
        {**scene(2, 1, 13.0, storage={}), "links": ["none"], "other": {}},
        scene(3, 1, 13.0, storage={"more": {}}),
    )
    assert table["storage"][0].as_py() == full["storage"] and table["other"][0].as_py() == {"a": 1}
    assert table["links"][0].as_py() == [{**link, "title": None, "type": None}]


def test_geometries_in_other_coordinates_are_wkb_in_items_and_assets(api: StacApi, project: Path) -> None:
    point = {"type": "Point", "coordinates": [500000, 4649776]}
    one = scene(1, 1, 13.0, **{"proj:geometry": point})
    one["assets"]["red"]["proj:geometry"] = point
    _, table = exported(api, project, one, scene(2))
    found = [table["proj:geometry"], pa.chunked_array([asset["red"] for asset in [*_flat(table["assets"])]])]
    assert shapely.from_wkb(found[0][0].as_py()).x == 500000
    assert table["assets"][0].as_py()["red"]["proj:geometry"] == found[0][0].as_py()
    assert found[0][1].as_py() is None


def _flat(assets: pa.ChunkedArray) -> Any:
    for chunk in assets.chunks:
        yield {"red": chunk.field("red")}


def test_names_that_differ_in_case_alone_are_two(api: StacApi, project: Path) -> None:
    item = scene(1, B=1, b="one")
    item["assets"] = {"SCL": {"href": "a"}, "scl": {"href": "b", "B": 1, "b": 2}}
    _, table = exported(api, project, item)
    assert (table["B"][0].as_py(), table["b"][0].as_py()) == (1, "one")
    assert table["assets"][0].as_py()["scl"]["b"] == 2


def test_odd_names_and_texts(api: StacApi, project: Path) -> None:
    odd: dict[str, Any] = {'a"b': 1, "a'b": 2, "": 3, "ü.x y": 4, "$path": 5}
    item = scene(1, **odd, text='q"\\\n\t☃')
    item["assets"] = {name or "none": {"href": name, name or "x": 1} for name in odd}
    _, table = exported(api, project, item)
    assert [table[name][0].as_py() for name in odd] == [1, 2, 3, 4, 5]
    assert table["text"][0].as_py() == 'q"\\\n\t☃'
    assert table["assets"][0].as_py()['a"b']['a"b'] == 1


def test_numbers_that_no_column_holds_are_doubles_or_null(api: StacApi, project: Path) -> None:
    text = json.dumps(scene(1, huge=0, big=0, small=-1)).encode()
    text = text.replace(b'"huge": 0', b'"huge": %d' % 10**30)
    text = text.replace(b'"big": 0', b'"big": %d' % (2**64 - 1))
    at = datetime(2024, 1, 1, 10, tzinfo=UTC)
    _, table = exported(api, project, RawItem(text, "c1", at, at))
    assert (table["huge"][0].as_py(), table["small"][0].as_py()) == (1e30, -1)
    assert table["big"][0].as_py() is None
