"""Tables, settings and scripts of a project of version 0.1.0, with the code under test."""

import importlib
import json

import pytest

from stac_assets.source.rows import item_from_row
from stac_assets_tests.reading import DUCKDB_FILE, Row, column_types, rows
from stac_assets_tests.upgrade.catalog import COLLECTIONS, ENDPOINTS
from stac_assets_tests.upgrade.conftest import Project

REFRESHED = ("2-a", "2-b", "2-odd", "3-a", "3-b")
"""The items of `rivers` of two days."""
TABLES = (*ENDPOINTS, "rejected_items")


def by_item(table: str) -> dict[tuple[str, str], Row]:
    """The rows of an item table by collection and id, of which each is there once."""
    found = rows(table)
    by_id = {(row["collection"], row["id"]): row for row in found}
    assert len(by_id) == len(found)
    return by_id


def as_before(row: Row, before: Row) -> Row:
    """A row without what the load writes and version 0.1.0 did not have."""
    return {name: row[name] for name in before if name != "_dlt_load_id"}


def in_order(found: list[Row]) -> list[Row]:
    """Rows as `rows.py` asks for them."""
    return sorted(found, key=lambda row: row["id"])


def test_a_load_makes_the_old_tables_exact_and_leaves_the_rest(either: Project) -> None:
    types = {table: column_types(table) for table in TABLES}
    before, documents = by_item("search"), either.api.documents
    (rejected,) = rows("rejected_items")
    either.api.move_on()
    names = [name for name in ENDPOINTS if name != "item"]
    either.says("stac-assets", "load", *(word for name in names for word in ("--resource", name)))
    days = "--start", "2024-01-02", "--end", "2024-01-03"
    either.says("stac-assets", "load", "--resource", "item", "--collection", "rivers", *days)

    for table in TABLES:
        assert column_types(table).items() >= types[table].items()
    now, after = either.api.documents, by_item("search")
    for table in ("search", "collection_items", "item"):
        found = {key: item_from_row(row) for key, row in by_item(table).items()}
        assert found == {key: now[key] for key in found}
        whole = now.keys() if table != "item" else {("rivers", f"rivers-{name}") for name in REFRESHED}
        assert found.keys() == whole

    unchanged = [key for key in before if now.get(key) == documents[key]]
    assert 20 < len(unchanged) < len(before)
    for key in unchanged:
        assert as_before(after[key], before[key]) == as_before(before[key], before[key])
    odd = after["rivers", "rivers-2-odd"]
    assert (odd["eo_cloud_cover"], json.loads(odd["properties"])["eo:cloud_cover"]) == (None, "many")
    (still,) = (row for row in rows("rejected_items") if row["resource"] == "search")
    assert as_before(still, rejected) == as_before(rejected, rejected)
    assert {row["id"] for row in rows("collections")} == {*COLLECTIONS, "deltas"}


def test_a_dataset_is_still_that_of_its_api(named: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL", "http://other.test/v1")
    before = {table: rows(table) for table in TABLES}
    told = named.says("stac-assets", "load", "--start", "2024-01-01", "--end", "2024-01-01", status=1)
    assert "http://catalog.test/v1" in told and "http://other.test/v1" in told
    assert not named.api.requests
    assert {table: rows(table) for table in TABLES} == before


def test_the_scripts_of_the_readme_run(named: Project) -> None:
    pipeline = "dlt", "pipeline", "pystac_client_pipeline"
    in_folder = "dlt", "pipeline", "--pipelines-dir", ".dlt/pipelines", "pystac_client_pipeline"
    assert "pystac_client_data" in named.says(*in_folder, "info")
    assert "Step load COMPLETED" in named.says(*in_folder, "trace")
    documents = named.api.documents
    named.api.move_on()
    told = named.says("python", "pystac_client_pipeline.py")
    assert "contains no failed jobs" in told and f"{named.folder / DUCKDB_FILE} location" in told
    printed = [json.loads(line) for line in named.says("python", "rows.py").splitlines() if line[0] == "{"]
    assert printed == [documents[row["collection"], row["id"]] for row in in_order(rows("search"))]
    assert "pystac_client_data" in named.says(*pipeline, "info")
    assert "Step load COMPLETED" in named.says(*pipeline, "trace")


@pytest.mark.parametrize(
    "path",
    [
        "stac_assets.definitions:build_definitions",
        "stac_assets.settings:read_settings",
        "stac_assets.source:pystac_client_source",
        "stac_assets.source.rows:item_from_row",
        "stac_assets.pipeline.databricks:VariantDatabricks",
        "stac_assets.pipeline.filesystem.destination:PartitionedFilesystem",
        "stac_assets.orchestration.event_log:BatchingSqliteStorage",
    ],
)
def test_what_users_import_is_there(path: str) -> None:
    module, _, name = path.partition(":")
    assert callable(getattr(importlib.import_module(module), name))
