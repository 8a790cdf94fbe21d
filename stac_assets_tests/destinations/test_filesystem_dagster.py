"""The nine assets and their checks, materialized into files."""

import dagster as dg
import pytest

from stac_assets.orchestration.checks import checks_of
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.destinations.lake import Lake, core
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import Runs

pytest_plugins = ["stac_assets_tests.destinations.lakes"]
DAY = "c1|2024-01-01"


@pytest.mark.parametrize("lake", ["delta-s3", "parquet-local"], indirect=True)
def test_every_asset_passes_its_checks(lake: Lake, instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a", gsd=10))
    runs = Runs(api, instance)
    for name in ENDPOINTS:
        partition = DAY if name in ITEM_TABLES else "c1" if name == "collection" else None
        for _ in range(2 if name == "search" else 1):
            result = runs(name, partition)
            assert result.success
            found = result.get_asset_check_evaluations()
            assert [evaluation.check_name for evaluation in found] == list(checks_of(ENDPOINTS[name]))
            assert [evaluation.description for evaluation in found if not evaluation.passed] == []
        assert lake.rows(name), name


@pytest.mark.parametrize("lake", ["delta-local", "parquet-s3"], indirect=True)
def test_a_range_of_partitions(lake: Lake, instance: dg.DagsterInstance, api: StacApi) -> None:
    for day in (1, 2, 3):
        api.put(make_item(f"i{day}", datetime=f"2024-01-0{day}T12:00:00Z"))
    result = Runs(api, instance)("search", "c1|2024-01-01", "c1|2024-01-03")
    assert result.success
    before = lake.rows()
    api.remove("c1", "i2")
    assert Runs(api, instance)("search", "c1|2024-01-02").success
    assert core(lake.rows()) == core([row for row in before if row["id"] != "i2"])


@pytest.mark.parametrize("lake", ["delta-local"], indirect=True)
def test_an_item_in_two_partitions_is_found(lake: Lake, instance: dg.DagsterInstance, api: StacApi) -> None:
    api.put(make_item("a", datetime="2024-01-01T12:00:00Z"))
    assert Runs(api, instance)("search", DAY).success
    api.put(make_item("a", datetime="2024-01-02T12:00:00Z"))
    result = Runs(api, instance)("search", "c1|2024-01-02")
    failed = {each.check_name for each in result.get_asset_check_evaluations() if not each.passed}
    assert failed == {"unique_items"}
