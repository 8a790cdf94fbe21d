"""The asset `stac_geoparquet`: there where the setting is, with the partitions of `search`."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.catalog import Catalog
from stac_assets.definitions import build_definitions
from stac_assets_tests.geoparquet.exporting import ids_in, names, scene
from stac_assets_tests.loads import settings_for
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.test_dagster import DAYS, Runs, failure, told

FIRST, LAST = "c1|2024-01-01", "c1|2024-01-03"


@pytest.fixture
def runs(api: StacApi, project: Path, instance: dg.DagsterInstance) -> Runs:
    """Runs of a catalog with the asset, and items of two days."""
    for day in (1, 3):
        api.put(scene(1, day))
    return Runs(api, instance, geoparquet_url=str(project / "out"))


def outcome(result: dg.ExecuteInProcessResult) -> dict[str | None, dict[str, Any]]:
    assert result.success
    return told(result)


def test_it_is_there_where_the_setting_is(api: StacApi, project: Path) -> None:
    without = build_definitions(settings_for(api, **DAYS)).resolve_all_asset_specs()
    assert all(spec.key.path[-1] != "stac_geoparquet" for spec in without)
    settings = settings_for(api, geoparquet_url="out", **DAYS)
    specs = {s.key.to_user_string(): s for s in build_definitions(settings).resolve_all_asset_specs()}
    ours, search = specs["stac_geoparquet"], specs["search"]
    assert [dep.asset_key for dep in ours.deps] == [search.key]
    assert ours.partitions_def == search.partitions_def
    named = build_definitions(Catalog(settings, "east")).resolve_all_asset_specs()
    assert dg.AssetKey(["east", "stac_geoparquet"]) in {spec.key for spec in named}


def test_a_run_writes_the_files_of_its_partitions(runs: Runs, project: Path) -> None:
    outcome(runs("search", FIRST, LAST))
    found = outcome(runs("stac_geoparquet", FIRST, LAST))
    assert names(project / "out") == ["2024-01-01.parquet", "2024-01-03.parquet"]
    assert {key: each["dagster/partition_row_count"] for key, each in found.items()} == {
        FIRST: 1,
        "c1|2024-01-02": 0,
        LAST: 1,
    }
    assert ids_in(Path(found[FIRST]["file"])) == ["scene-1-1"]


def test_an_empty_partition_has_no_file_and_older_files_are_named(
    runs: Runs, api: StacApi, project: Path
) -> None:
    for asset in ("search", "stac_geoparquet"):
        outcome(runs(asset, FIRST, LAST))
    api.remove("c1", "scene-1-1")
    api.put(scene(1, 2) | {"assets": {"nir": {"href": "https://data.example.com/nir.tif"}}})
    for asset in ("search", "stac_geoparquet"):
        found = outcome(runs(asset, FIRST, "c1|2024-01-02"))
    assert names(project / "out") == ["2024-01-02.parquet", "2024-01-03.parquet"]
    second = found["c1|2024-01-02"]
    assert second["outdated_files"] == 1
    assert [Path(path).name for path in second["outdated_files_named"]] == ["2024-01-03.parquet"]
    assert second["assets_as"] == "struct"


def test_a_single_file_cannot_have_the_files_of_partitions(
    api: StacApi, project: Path, instance: dg.DagsterInstance
) -> None:
    runs = Runs(api, instance, geoparquet_url=str(project / "items.parquet"))
    assert "expected a folder or a bucket" in failure(runs("stac_geoparquet", FIRST, LAST))
