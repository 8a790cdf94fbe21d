"""The pages of the UI: the graph, the partitions of a large catalog, the automations."""

import time
from collections.abc import Callable

import pytest

from stac_assets_tests.browser.conftest import COLLECTIONS, FIRST, LAST
from stac_assets_tests.browser.dagster_dev import DagsterDev, until
from stac_assets_tests.browser.ui import Ui
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.test_dagster import EDGES

SENSORS, SCHEDULES = ("new_items_sensor", "new_collections_sensor"), ("items_schedule", "catalog_schedule")
PARTITIONS = len(COLLECTIONS) * ((LAST - FIRST).days + 1)

_NODES = """
{ assetNodes { assetKey { path } dependencyKeys { path } isMaterializable } }
"""
_STATES = """
query ($selector: RepositorySelector!) {
repositoryOrError(repositorySelector: $selector) { ... on Repository {
    sensors { name sensorState { status ticks(limit: 1) { status skipReason } } }
    schedules { name scheduleState { status ticks(limit: 1) { status skipReason } } }
} } }
"""


def automations(dagster: DagsterDev) -> dict[str, dict[str, object]]:
    """The state of each sensor and schedule, with its last tick."""
    found = dagster.graphql(_STATES, selector=dagster.selector)
    return {
        **{sensor["name"]: sensor["sensorState"] for sensor in found["sensors"]},
        **{schedule["name"]: schedule["scheduleState"] for schedule in found["schedules"]},
    }


def test_the_graph_shows_nine_assets_and_the_api(ui: Ui, dagster: DagsterDev, api: StacApi) -> None:
    nodes = {node["assetKey"]["path"][0]: node for node in dagster.graphql(_NODES)}
    edges = {name: {key["path"][0] for key in node["dependencyKeys"]} for name, node in nodes.items()}
    assert edges == EDGES
    assert {name for name, node in nodes.items() if not node["isMaterializable"]} == {"stac_api"}

    ui.open("/asset-groups", "Materialize all (9)")
    for name in EDGES:
        ui.page.locator("foreignObject").get_by_text(name, exact=True).filter(visible=True).first.wait_for()
    ui.open("/locations", "Loaded")
    assert not ui.page.get_by_text("Error").filter(visible=True).count()
    ui.open("/assets/stac_api?view=overview", api.url)


def test_forty_thousand_partitions_can_be_looked_through(
    ui: Ui, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    ui.open("/assets/search?view=partitions", f"{PARTITIONS:,} Partitions Selected")
    ui.shows(COLLECTIONS[0])
    shown = time.monotonic()
    ui.page.get_by_placeholder("Filter by collection").fill(COLLECTIONS[-1])
    ui.page.get_by_text(COLLECTIONS[-1], exact=True).filter(visible=True).first.click()
    ui.page.get_by_text(f"{LAST}", exact=True).filter(visible=True).last.click()  # the first is the axis's
    ui.shows(f"{COLLECTIONS[-1]}|{LAST}")
    record_property("seconds until the page shows", round(shown - started, 1))
    record_property("seconds until a partition is open", round(time.monotonic() - shown, 1))


@pytest.mark.parametrize("name", [*SENSORS, *SCHEDULES])
def test_automations_are_off_and_can_be_turned_on_and_off(ui: Ui, dagster: DagsterDev, name: str) -> None:
    assert automations(dagster)[name]["status"] == "STOPPED"
    ui.open("/automation", name)
    for status in ("RUNNING", "STOPPED"):
        ui.turn(name, on=status == "RUNNING")
        until(lambda status=status: automations(dagster)[name]["status"] == status, f"{name} to be {status}")
        if name in SENSORS and status == "RUNNING":
            until(lambda: automations(dagster)[name]["ticks"], f"the first tick of {name}")
