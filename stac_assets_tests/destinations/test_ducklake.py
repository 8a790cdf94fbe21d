"""DuckLake, where DuckDB's extension of that name is installed: the same exactness, by dlt's own client."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stac_assets.pipeline.queries import place_of, stored_ids
from stac_assets.source.rows import item_from_row
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.destinations.lake import core, in_order
from stac_assets_tests.loads import DATASET, Row, catalog_for, load_catalog, load_days, settings_for
from stac_assets_tests.mcp.assistant import PIPELINE, asked, assistant
from stac_assets_tests.pages import block, paragraph
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_exact import at, is_second_page
from stac_assets_tests.test_lossless import (
    BAD,
    NOON,
    assert_equal_items,
    load_all,
    recorded,
    recorded_items,
)

JAN_1, JAN_2 = "2024-01-01", "2024-01-02"


def packaged_extension() -> Path | None:
    """DuckDB's extension as the package `duckdb-extension-ducklake` brings it, for this DuckDB alone."""
    package = importlib.util.find_spec("duckdb_extension_ducklake")
    for folder in (package and package.submodule_search_locations) or ():
        for path in Path(folder).glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension"):
            return path
    return None


def is_installed() -> bool:
    """Whether DuckDB finds the extension in its own folder."""
    try:
        with duckdb.connect() as connection:
            connection.execute("LOAD ducklake")
    except duckdb.Error:
        return False
    return True


needs_extension = pytest.mark.skipif(
    packaged_extension() is None and not is_installed(),
    reason=f"DuckDB {duckdb.__version__} has no extension `ducklake` here, and needs the very one; "
    "with DuckDB 1.5.5: pip install duckdb==1.5.5 duckdb-extension-ducklake==1.5.5",
)
pytestmark = needs_extension


class DuckLake:
    """A lake in the project's folder, read by DuckDB alone."""

    def __init__(self, project: Path) -> None:
        self.catalog, self.data = project / "catalog.duckdb", project / "lake"

    def rows(self, table: str = "search") -> list[Row]:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH 'ducklake:{self.catalog}' AS lake (READ_ONLY)")
            return in_order(connection.execute(f'FROM lake."{DATASET}"."{table}"').to_arrow_table())

    def by_day(self, table: str = "search") -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self.rows(table):
            found.setdefault(row["_partition_key"], []).append(row["id"])
        return {day: sorted(ids) for day, ids in found.items()}

    def items(self, table: str = "search") -> dict[tuple[str, str], Row]:
        return {(row["collection"], row["id"]): item_from_row(row) for row in self.rows(table)}


@pytest.fixture
def extension(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the extension for this test, where it is not; DuckDB looks for it in the home folder."""
    packaged = packaged_extension()
    if packaged is not None and not is_installed():
        with duckdb.connect() as connection:
            ((platform,),) = connection.execute("PRAGMA platform").fetchall()
        home = project.parent / "home"
        folder = home / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
        folder.mkdir(parents=True)
        shutil.copy(packaged, folder)
        monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def ducklake(extension: None, project: Path, monkeypatch: pytest.MonkeyPatch) -> DuckLake:
    """The project with what docs/destinations.md says of DuckLake in its files."""
    (project / ".dlt" / "secrets.toml").write_text(
        paragraph(block("docs/destinations.md", "toml secrets"), "[destination.ducklake")
    )
    enter_project(project, monkeypatch)
    monkeypatch.setenv("PIPELINE__DESTINATION", "ducklake")
    return DuckLake(project)


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_a_partition_follows_the_api(ducklake: DuckLake, api: StacApi, resource: str) -> None:
    for day, id in [(JAN_1, "a"), (JAN_1, "b"), (JAN_2, "n")]:
        api.put(at(id, f"{day}T12:00:00Z"))
    load_days(api, resource, last=JAN_2)
    before = ducklake.rows(resource)
    load_days(api, resource)
    assert core(ducklake.rows(resource)) == core(before)
    api.remove("c1", "b")
    api.remove("c1", "n")
    api.put(at("a", f"{JAN_1}T12:00:00Z", changed=True))
    result = load_days(api, resource, inspected=True)
    assert ducklake.by_day(resource) == {"c1|2024-01-01": ["a"], "c1|2024-01-02": ["n"]}
    assert ducklake.items(resource)["c1", "a"]["properties"]["changed"] is True
    assert result.inspection is not None and result.inspection.columns is not None
    assert (result.inspection.columns.missing, result.inspection.columns.changed) == ([], [])
    api.clear()
    load_days(api, resource)
    assert ducklake.by_day(resource) == {"c1|2024-01-02": ["n"]}


@pytest.mark.usefixtures("ducklake")
def test_an_assistant_is_told_of_it_without_sql(project: Path, api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    with assistant(project, SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL=api.url) as ask:
        told = ask.refused("execute_sql_query", **asked("SELECT 1"))
        assert "SQL is not run here: this destination gives no connection that is known to read only" in told
        assert '{"table_name":"search","row_count":1}' in ask.told(
            "get_row_counts", pipeline_name=PIPELINE, output_format="jsonl"
        )
        assert ask.told("list_partitions", collection="c1")["stored"]["rows"] == 1
        assert [each["id"] for each in ask.told("list_changes", since=JAN_1)["changes"]] == ["a"]


def test_a_fetch_that_fails_half_way_leaves_the_table_as_it_was(ducklake: DuckLake, api: StacApi) -> None:
    api.put(at("old", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    before = ducklake.rows()
    for id in "abc":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    api.fault(is_second_page, times=None, status=500)
    load_days(api, page_size=2, fails=True)
    assert ducklake.rows() == before


def test_the_other_tables(ducklake: DuckLake, api: StacApi) -> None:
    api.collections = [make_collection("c1", title="one")]
    for id in "ab":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api, "item", item_ids=["a", "b", "nan"])
    api.remove("c1", "b")
    load_days(api, "item", item_ids=["a", "b"])
    assert ducklake.by_day("item") == {"c1|2024-01-01": ["a"]}
    for _ in range(2):
        load_catalog(api, "collections", inspected=True)
        load_catalog(api, "collection", ["c1"])
    assert [row["title"] for row in ducklake.rows("collections")] == ["one"]
    assert [row["title"] for row in ducklake.rows("collection")] == ["one"]
    load_days(api)
    window = settings_for(api).windows("c1")[0]
    assert stored_ids(catalog_for(api), [window]) == {window: ("a",)}


@recorded
def test_recorded_items(ducklake: DuckLake) -> None:
    sent: list[Any] = recorded_items("items-rejected-by-rustac.ndjson", "items.ndjson")[::5]
    with StacApi(items=sent) as api:
        load_all(api.url, sent, "search")
    assert_equal_items(ducklake.items(), sent)


def test_a_lake_is_no_duckdb_file(ducklake: DuckLake, project: Path, api: StacApi) -> None:
    place = place_of(catalog_for(api))
    assert (place.destination_type, place.file) == ("ducklake", None)
    assert str(ducklake.catalog) in place.location
    api.put(make_item("a"))
    load_days(api)
    assert not (project / "pystac_client.duckdb").exists()
