"""PostgreSQL without PostGIS: no column `geom`, and one warning that says why."""

import logging
from pathlib import Path

import pytest
import shapely

from stac_assets import geodataframe
from stac_assets_tests.commanding import Run
from stac_assets_tests.geometry.shapes import NO_SHAPES, SHAPES, put
from stac_assets_tests.loads import items, load_days, rows
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi

WHY = "this PostgreSQL database has no PostGIS"


@pytest.fixture(autouse=True)
def in_postgresql(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, postgres_url)


def told(caplog: pytest.LogCaptureFixture) -> int:
    """How often it was said since this was called last."""
    found = [record for record in caplog.records if WHY in record.getMessage()]
    caplog.clear()
    return len(found)


def test_there_is_no_column_and_the_first_rows_say_why(
    api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    put(api, {"point": SHAPES["point"], "text": NO_SHAPES["text"]})
    with caplog.at_level(logging.WARNING):
        result = load_days(api)
        assert told(caplog) == 1
        load_days(api)
        assert told(caplog) == 0
    assert result.misfits == {}
    assert all("geom" not in row for row in rows())
    assert items()["c1", "point"]["geometry"] == SHAPES["point"]


def test_nothing_is_said_where_no_geometries_are_wanted(
    api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    put(api, {"point": SHAPES["point"]})
    with caplog.at_level(logging.WARNING):
        load_days(api, geometry="none")
    assert told(caplog) == 0


def test_there_is_nothing_to_fill(api: StacApi, run: Run) -> None:
    put(api, {"point": SHAPES["point"]})
    load_days(api)
    said = run("backfill-geometry")
    assert said.status != 0
    assert "has no column geom to fill" in said.err and "Nothing was changed" in said.err


def test_a_frame_is_made_of_geojson(api: StacApi) -> None:
    put(api, {"point": SHAPES["point"], "heights": SHAPES["heights"], "text": NO_SHAPES["text"]})
    load_days(api)
    frame = geodataframe(base_url=api.url, columns=["id", "properties"]).set_index("id")
    assert frame.crs == "OGC:CRS84"
    assert frame.geom["point"] == shapely.Point(13.4, 52.5)
    assert frame.geom["heights"].has_z and frame.geom["text"] is None
