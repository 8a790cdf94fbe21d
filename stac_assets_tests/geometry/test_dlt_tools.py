"""dlt's own tools beside the column `geom`: its datasets, and somebody's own script of the same dataset."""

import json
from pathlib import Path
from typing import Any

import dlt
import pytest
import shapely
from dlt.pipeline.pipeline import Pipeline

from stac_assets.source import pystac_client_source
from stac_assets.source.rows import item_from_row
from stac_assets_tests.destinations.lake import FORMATS, Lake, configured
from stac_assets_tests.geometry.shapes import NO_SHAPES, SHAPES, put
from stac_assets_tests.loads import DATASET, IMPATIENT, column_types, items, load_days, query, storage_for
from stac_assets_tests.reading import DUCKDB_FILE
from stac_assets_tests.stac_api import StacApi

SECOND = "2024-01-02"
SENT: dict[str, Any] = {"point": SHAPES["point"], "heights": SHAPES["heights"], "text": NO_SHAPES["text"]}
TYPE = "GEOMETRY('OGC:CRS84')"


def pipeline_of(file: Path = DUCKDB_FILE) -> Pipeline:
    """The pipeline of the documentation."""
    destination = dlt.destinations.duckdb(str(file))
    return dlt.pipeline("pystac_client_pipeline", destination=destination, dataset_name=DATASET)


def run_script(api: StacApi, first: str = "2024-01-01", last: str = "2024-01-01", **settings: Any) -> None:
    """What somebody's own script does."""
    days = {"collections": ["c1"], "start_date": first, "end_date": last, "largest_whole_collection": 0}
    source = pystac_client_source(api.url, **{**IMPATIENT, **days, **settings})
    pipeline_of().run(source.with_resources("search")).raise_on_failed_jobs()


def shape_of(value: Any) -> Any:
    """The geometry that a tool of dlt's gives of a DuckDB file."""
    return shapely.from_wkb(bytes(value))


def test_datasets_have_the_column_beside_the_others(project: Path, api: StacApi) -> None:
    put(api, SENT)
    load_days(api)
    dataset = pipeline_of().dataset()
    frame = dataset.search.df().set_index("id", drop=False)
    assert shape_of(frame["geom"]["point"]) == shapely.Point(13.4, 52.5)
    assert frame["geom"].isna()["text"]
    read = {row["id"]: item_from_row(row)["geometry"] for row in frame.to_dict("records")}
    assert read == SENT
    table = dataset.search.arrow()
    found = dict(zip(table["id"].to_pylist(), table["geom"].to_pylist(), strict=True))
    assert shape_of(found["point"]) == shapely.Point(13.4, 52.5) and found["text"] is None
    frame = dataset("SELECT id, geom FROM search").df()
    assert frame is not None
    chosen = frame.set_index("id")["geom"]
    assert shape_of(chosen["heights"]).has_z
    boxes = dataset("SELECT id FROM search WHERE geom IS NOT NULL ORDER BY id").fetchall()
    assert boxes == [("heights",), ("point",)]
    assert dict(dataset.row_counts().fetchall())["search"] == 3


def test_rows_of_all_columns_are_items(project: Path, api: StacApi) -> None:
    put(api, SENT)
    load_days(api)
    assert {id: item["geometry"] for (_, id), item in items().items()} == SENT


@pytest.mark.parametrize("form", FORMATS)
def test_datasets_of_files_have_it(
    form: str, project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = configured(Lake(form, (project / "lake").as_uri()), monkeypatch)
    put(api, SENT)
    load_days(api)
    assert {row["id"]: item_from_row(row)["geometry"] for row in lake.rows()} == SENT
    pipeline = storage_for(api).pipeline(
        project / "reading"
    )  # dlt's own of Delta wants an extension of DuckDB
    if form == "parquet":
        pipeline = dlt.pipeline("pystac_client_pipeline", destination="filesystem", dataset_name=DATASET)
    frame = pipeline.dataset().search.df().set_index("id")
    assert shape_of(frame["geom"]["point"]) == shapely.Point(13.4, 52.5)
    table = pipeline.dataset()("SELECT id, geom FROM search").arrow()
    assert table is not None and table.num_rows == 3


def test_a_script_loads_into_what_a_load_has_filled(project: Path, api: StacApi) -> None:
    put(api, SENT)
    load_days(api)
    put(api, {"line": SHAPES["line"]}, SECOND)
    put(api, {"polygon": SHAPES["polygon"]})
    run_script(api, last=SECOND)
    assert column_types()["geom"] == TYPE
    assert {id: item["geometry"] for (_, id), item in items().items()} == {
        **SENT,
        "line": SHAPES["line"],
        "polygon": SHAPES["polygon"],
    }
    load_days(api, last=SECOND)
    assert stored() == {
        "point": json_wkt("point"),
        "heights": json_wkt("heights"),
        "line": json_wkt("line"),
        "polygon": json_wkt("polygon"),
        "text": None,
    }


def test_a_load_goes_on_where_a_script_began(project: Path, api: StacApi) -> None:
    put(api, SENT)
    run_script(api)
    put(api, {"line": SHAPES["line"]}, SECOND)
    load_days(api, last=SECOND)
    assert column_types()["geom"] == TYPE
    wanted = {name: json_wkt(name) for name in ("point", "heights", "line")}
    assert stored() == {**wanted, "text": None}


def stored() -> dict[str, str | None]:
    """The geometries of the table as WKT, by id."""
    found = query(f"SELECT id, ST_AsWKB(geom) AS geom FROM {DATASET}.search")
    return {row["id"]: row["geom"] and shapely.from_wkb(row["geom"]).wkt for row in found}


def json_wkt(name: str) -> str:
    """A geometry as WKT."""
    return shapely.from_geojson(json.dumps(SHAPES[name])).wkt
