"""The view `search_geo`, which a load makes, as far as a stand-in knows the warehouse's geometries."""

import logging

import pytest

from stac_assets.pipeline.destinations import geo_view
from stac_assets_tests.loads import load_days
from stac_assets_tests.reading import DATASET
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.warehouses.stand_in import StandIn

FAILED = "the rows are stored, but the view search_geo is as it was"

KNOWING = ("redshift",)
"""The warehouses whose stand-ins have a function that makes geometries of GeoJSON."""


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geo_view, "told", set())


def test_a_view_follows_its_table_or_says_why_not(
    warehouse: StandIn, api: StacApi, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    api.put(make_item("a"))
    with caplog.at_level(logging.WARNING):
        load_days(api)
        api.put(make_item("b", datetime="2024-01-02T12:00:00Z", gsd=10))
        load_days(api, first="2024-01-02")
    failed = [record for record in caplog.records if FAILED in record.getMessage()]
    assert len(warehouse.query(f"SELECT id FROM {DATASET}.search")) == 2
    if failed:
        assert request.config.getoption("warehouse") not in KNOWING
        assert len(failed) == 1, "each cause is told once"
        pytest.skip(failed[0].getMessage())
    found = warehouse.query(f"SELECT id, gsd FROM {DATASET}.search_geo ORDER BY id")
    assert [row["id"] for row in found] == ["a", "b"]


def test_no_view_is_made_where_no_geometries_are_wanted(warehouse: StandIn, api: StacApi) -> None:
    api.put(make_item("a"))
    load_days(api, geometry="none")
    with pytest.raises(Exception, match=r"(?i)search_geo"):
        warehouse.query(f"SELECT id FROM {DATASET}.search_geo")
