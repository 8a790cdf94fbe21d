"""Dagster's own commands in a project of version 0.1.0, as its user types them."""

from stac_assets_tests.browser.dagster_dev import DagsterDev, until
from stac_assets_tests.reading import query
from stac_assets_tests.upgrade.catalog import WAITING
from stac_assets_tests.upgrade.conftest import Project
from stac_assets_tests.upgrade.dagster_project import SEARCH, opened

WORKSPACE = ("--workspace", "workspace.yaml")


def test_definitions_of_the_user_are_valid_and_run(named: Project) -> None:
    told = named.says("dagster", "definitions", "validate", "-f", "definitions.py")
    assert "All code locations passed validation" in told
    materialize = "asset", "materialize", "-f", "definitions.py", "--select"
    named.says("dagster", *materialize, "search", "--partition", WAITING)
    named.says("dagster", *materialize, "report")
    found = query(f"SELECT id FROM pystac_client_data.search WHERE _partition_key = '{WAITING}' ORDER BY id")
    assert [row["id"] for row in found] == ["lakes-5-a", "lakes-5-b"]
    with opened() as dagster:
        _report, loaded, *_ = dagster.instance.get_runs()
        (last,) = dagster.instance.fetch_materializations(SEARCH, limit=1).records
        assert (last.run_id, last.partition_key) == (loaded.run_id, WAITING)


def test_the_daemon_goes_on_where_it_was(everything: Project) -> None:
    often = {"SOURCES__PYSTAC_CLIENT_SOURCE__SENSOR_SECONDS": "1"}
    with opened() as dagster:
        before = {run.run_id for run in dagster.instance.get_runs()}
        with DagsterDev(everything.folder, WORKSPACE, **everything.environment, **often) as running:
            run_id = running.run_of(WAITING, *before)
            assert running.ended(run_id) == "SUCCESS"
            made = len(dagster.ticks("new_items_sensor"))
            until(lambda: len(dagster.ticks("new_items_sensor")) > made + 1, "two more ticks")
        assert {run.run_id for run in dagster.instance.get_runs()} == {*before, run_id}
    found = query(f"SELECT id FROM pystac_client_data.search WHERE _partition_key = '{WAITING}' ORDER BY id")
    assert [row["id"] for row in found] == ["lakes-5-a", "lakes-5-b"]
