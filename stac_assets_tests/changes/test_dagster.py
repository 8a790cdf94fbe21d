"""What Dagster hears of changes: metadata, a data version, and an asset of the user's that follows them."""

import runpy
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.catalog import Catalog
from stac_assets.orchestration.assets import build_assets
from stac_assets.orchestration.checks import BLOCKING
from stac_assets_tests.changes.test_feed import put
from stac_assets_tests.loads import settings_for
from stac_assets_tests.pages import block
from stac_assets_tests.reading import in_postgres
from stac_assets_tests.stac_api import StacApi

pytestmark = pytest.mark.usefixtures("project")
JAN_1, JAN_2 = "2024-01-01", "2024-01-02"
VERSION = "dagster/data_version"


class Mirror:
    """The assets of an API in a Dagster instance."""

    def __init__(self, api: StacApi, instance: dg.DagsterInstance) -> None:
        settings = settings_for(api, start_date=JAN_1, end_date="2024-01-05")
        self.assets = build_assets(Catalog(settings))
        self.instance = instance

    def load(self, day: str = JAN_1, last: str | None = None) -> dg.ExecuteInProcessResult:
        """Materialize `search` for a day, or some."""
        job = dg.Definitions(
            assets=self.assets, jobs=[dg.define_asset_job("search_job", "search")]
        ).resolve_job_def("search_job")
        ends = {
            "dagster/asset_partition_range_start": f"c1|{day}",
            "dagster/asset_partition_range_end": f"c1|{last}",
        }
        one: dict[str, Any] = {"tags": ends} if last else {"partition_key": f"c1|{day}"}
        return job.execute_in_process(instance=self.instance, raise_on_error=False, **one)

    def newest(self, day: str = JAN_1) -> dg.AssetMaterialization:
        """The newest materialization of a partition."""
        wanted = dg.AssetRecordsFilter(dg.AssetKey("search"), asset_partitions=[f"c1|{day}"])
        found = self.instance.fetch_materializations(wanted, limit=1).records[0].asset_materialization
        assert found is not None
        return found

    def told(self, day: str = JAN_1) -> dict[str, Any]:
        """The counts of changes in its metadata."""
        names = ("added", "changed", "removed", "baseline", "out_of_scope")
        metadata = self.newest(day).metadata
        return {name: metadata[name].value for name in names if name in metadata}

    def version(self, day: str = JAN_1) -> str:
        """Its data version."""
        return str((self.newest(day).tags or {})[VERSION])


def test_metadata_and_data_version_follow_the_changes(api: StacApi, instance: dg.DagsterInstance) -> None:
    put(api, "a")
    put(api, "b")
    mirror = Mirror(api, instance)
    assert mirror.load().success
    assert mirror.told() == {"added": 2, "changed": 0, "removed": 0}
    first = mirror.version()
    assert mirror.load().success
    assert mirror.told() == {"added": 0, "changed": 0, "removed": 0} and mirror.version() == first
    put(api, "a", changed=1)
    api.remove("c1", "b")
    assert mirror.load().success
    assert mirror.told() == {"added": 0, "changed": 1, "removed": 1}
    assert mirror.version() != first


def test_a_range_has_the_version_of_its_newest_change(api: StacApi, instance: dg.DagsterInstance) -> None:
    put(api, "a")
    put(api, "n", JAN_2)
    mirror = Mirror(api, instance)
    assert mirror.load(JAN_1, JAN_2).success
    first = mirror.version()
    assert mirror.told(JAN_2) == {"added": 1, "changed": 0, "removed": 0} and mirror.version(JAN_2) == first
    assert mirror.load(JAN_1, JAN_2).success
    assert mirror.version() == first
    put(api, "n", JAN_2, changed=1)
    assert mirror.load(JAN_1, JAN_2).success
    assert mirror.version() != first and mirror.told()["changed"] == 0 and mirror.told(JAN_2)["changed"] == 1


def test_partitions_of_a_run_that_fails_for_others_have_their_versions(
    api: StacApi, instance: dg.DagsterInstance
) -> None:
    put(api, "a")
    put(api, "n", JAN_2)
    mirror = Mirror(api, instance)
    assert mirror.load().success and mirror.load(JAN_2).success
    first = mirror.version()
    api.fault(lambda request: "2024-01-03" in str(request.body), times=None, status=500)
    assert not mirror.load(JAN_1, JAN_2).success
    assert mirror.version() == first and mirror.version(JAN_2) != first
    put(api, "a", changed=1)
    assert not mirror.load(JAN_1, JAN_2).success
    changed = mirror.version()
    assert mirror.told()["changed"] == 1 and changed != first
    assert mirror.load().success and mirror.version() == changed


def test_an_empty_partition_has_a_version_too(api: StacApi, instance: dg.DagsterInstance) -> None:
    put(api, "n", JAN_2)
    mirror = Mirror(api, instance)
    assert mirror.load().success
    assert mirror.version() == "0" and mirror.told() == {}


def test_checks_that_fail_stop_what_is_downstream(api: StacApi) -> None:
    assets = build_assets(Catalog(settings_for(api)))
    specs = [spec for asset in assets if isinstance(asset, dg.AssetsDefinition) for spec in asset.check_specs]
    blocking = {spec.name for spec in specs if spec.asset_key == dg.AssetKey("search") and spec.blocking}
    assert blocking == BLOCKING == {"schema", "row_count", "partition_ownership"}


def test_the_asset_of_the_readme_does_only_what_is_new(
    api: StacApi, instance: dg.DagsterInstance, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_postgres():
        pytest.skip("the README's asset reads the rows from a DuckDB file")
    for name, value in {
        "BASE_URL": api.url, "COLLECTIONS": "c1", "START_DATE": JAN_1, "LARGEST_WHOLE_COLLECTION": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"SOURCES__PYSTAC_CLIENT_SOURCE__{name}", value)
    script = project / "follows.py"
    script.write_text(block("README.md", "python follows"), encoding="utf-8")
    definitions: dg.Definitions = runpy.run_path(str(script))["defs"]

    def follow(*assets: str) -> int:
        job = definitions.resolve_implicit_global_asset_job_def().get_subset(
            asset_selection={dg.AssetKey(name) for name in assets}
        )
        done = job.execute_in_process(instance=instance, partition_key=f"c1|{JAN_1}")
        assert done.success
        wanted = dg.AssetKey("what_is_new")
        (event,) = (e for e in done.get_asset_materialization_events() if e.asset_key == wanted)
        return int(event.materialization.metadata["items"].value)  # type: ignore[arg-type]

    put(api, "a")
    put(api, "b")
    assert follow("search", "what_is_new") == 2
    assert follow("search", "what_is_new") == 0
    put(api, "b", changed=1)
    put(api, "c")
    api.remove("c1", "a")
    assert follow("search", "what_is_new") == 3
    assert follow("what_is_new") == 0
