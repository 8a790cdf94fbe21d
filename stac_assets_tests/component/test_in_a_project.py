"""Dagster's own command `dg` in a guest's project: list, scaffold, check and launch."""

import json
from pathlib import Path

import duckdb
import pytest
import yaml

from stac_assets_tests.component.guest import TYPE, Guest
from stac_assets_tests.stac_api import StacApi, make_item

SECRET = "a-key-that-nobody-reads"
EAST = """
type: stac_assets.StacCatalogComponent
attributes:
  name: east
  base_url: "{{ env.EAST_URL }}"
  api_key: "{{ env.EAST_KEY }}"
  collections: [c1]
  start_date: 2024-01-01
  end_date: "2024-01-03"
---
type: stac_assets.StacCatalogComponent
attributes:
  name: west
  base_url: "{{ env.WEST_URL }}"
  granularity: monthly
  start_date: 2024-01-01
  translation:
    key_prefix: raw
    group_name: bronze
    tags: {endpoint: "{{ endpoint }}"}
    owners: ["team:geo"]
    automation_condition: "{{ automation_condition.eager() }}"
"""


@pytest.fixture
def guest(project: Path, tmp_path: Path) -> Guest:
    """The guest's project, and an environment that configures nothing."""
    return Guest(tmp_path / "guest")


def test_it_is_listed_scaffolded_and_checked_without_a_request_or_a_file(guest: Guest) -> None:
    assert TYPE in guest.dg("list", "components")
    guest.dg("scaffold", "defs", TYPE, "planetary_computer", "--preset", "planetary-computer")
    written = guest.defs / "planetary_computer" / "defs.yaml"
    assert yaml.safe_load(written.read_text()) == {
        "type": TYPE,
        "attributes": {"name": "planetary_computer", "preset": "planetary-computer"},
    }
    before = guest.files()
    guest.dg("check", "yaml")
    assert "loaded successfully" in guest.dg("check", "defs")
    assert guest.files() == before

    refused = guest.run("dg", "scaffold", "defs", TYPE, "another", "--preset", "planetary")
    assert refused.returncode != 0
    assert "planetary-computer" in refused.stdout + refused.stderr
    # of several documents of one type, dg looks at the last alone
    guest.define(
        "planetary_computer", f"type: {TYPE}\nattributes: {{name: east, base_ulr: http://127.0.0.1:1}}"
    )
    refused = guest.run("dg", "check", "yaml")
    assert refused.returncode != 0
    assert "base_ulr" in refused.stdout + refused.stderr


def test_two_catalogs_are_launched_beside_what_the_guest_has(guest: Guest) -> None:
    guest.define("catalogs", EAST)
    with (
        StacApi(items=[make_item("a", "c1", "2024-01-02T10:00:00Z")], token=SECRET) as east,
        StacApi(items=[make_item("b", "c1", "2024-01-20T10:00:00Z")]) as west,
    ):
        variables = {"EAST_URL": east.url, "EAST_KEY": SECRET, "WEST_URL": west.url}
        guest.dg("check", "yaml", **variables)
        guest.dg("check", "defs", **variables)
        listed = json.loads(guest.run("dg", "list", "defs", "--json", **variables).stdout)
        assert east.requests == west.requests == []

        found = {asset["asset_key"]: asset for asset in listed["assets"]}
        assert {"orders", "map_of_the_west", "east/search", "raw/west/search"} <= found.keys()
        assert len([key for key in found if key.startswith("raw/west/")]) == 10
        assert found["raw/west/search"]["group_name"] == "bronze"
        assert found["raw/west/item"]["dependency_keys"] == ["raw/west/search"]

        said = guest.dg("launch", "--assets", "east/search", "--partition", "c1|2024-01-02", **variables)
        assert {request.path for request in east.requests} >= {"/search"}
        assert not west.requests
        assert SECRET not in said
    with duckdb.connect(str(guest.folder / "pystac_client.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT id FROM east.search").fetchall() == [("a",)]
    kept = [
        path for path in guest.folder.rglob("*") if path.is_file() and SECRET in path.read_text("latin-1")
    ]
    assert kept == []
