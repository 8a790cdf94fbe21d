"""What a run writes into Dagster's history; one date of many collections is the shape of its backfills."""

import sqlite3
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import pytest

from stac_assets.orchestration.event_log import BATCH_SIZE, PAGE_BYTES
from stac_assets.orchestration.pictures import svg
from stac_assets.orchestration.pictures.footprints import footprints
from stac_assets_tests.stac_api import StacApi, make_collection, make_item
from stac_assets_tests.test_dagster import Runs, failure, told
from stac_assets_tests.test_event_log import opened

COLUMNS = "dagster/column_schema"
SEARCH = dg.AssetKey("search")
COLLECTIONS = [f"c{number}" for number in range(12, 0, -1)]
"""In an order that is not that of the alphabet."""


def wide(api: StacApi, collections: list[str]) -> None:
    """All collections, and in some an item with two properties that no other has."""
    api.collections = [make_collection(name) for name in COLLECTIONS]
    for name in collections:
        own: dict[str, Any] = {f"{name}:property_{number}": number for number in range(2)}
        api.put(make_item(f"of-{name}", name, **own))


def latest(instance: dg.DagsterInstance) -> dg.AssetMaterialization:
    """The materialization whose columns Dagster shows."""
    (record,) = instance.get_asset_records([SEARCH])
    entry = record.asset_entry.last_materialization
    assert entry is not None and entry.asset_materialization is not None
    return entry.asset_materialization


def test_the_columns_of_a_wide_table_are_told_once_and_by_the_latest_materialization(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    wide(api, COLLECTIONS)
    runs = Runs(api, instance, collections=COLLECTIONS)
    found = told(runs("search", "c12|2024-01-01", "c1|2024-01-01"))
    assert len(found) == len(COLLECTIONS)
    last = latest(instance)
    assert [key for key, metadata in found.items() if COLUMNS in metadata] == [last.partition]
    columns = last.metadata[COLUMNS]
    assert isinstance(columns, dg.TableSchemaMetadataValue)
    names = {column.name for column in columns.schema.columns}
    assert {f"{name}_property_1" for name in COLLECTIONS} <= names


def test_a_last_partition_without_items_tells_the_columns_and_the_others_only_their_figures(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    wide(api, COLLECTIONS[:2])
    runs = Runs(api, instance, collections=COLLECTIONS)
    found = told(runs("search", "c12|2024-01-01", "c1|2024-01-01"))
    last = latest(instance)
    assert COLUMNS in last.metadata and "run_seconds" in last.metadata
    for name in COLLECTIONS[2:]:
        empty = found[f"{name}|2024-01-01"]
        if last.partition == f"{name}|2024-01-01":
            continue
        assert empty["items"] == empty["dagster/partition_row_count"] == 0
        assert set(empty) <= {
            *("items", "dagster/partition_row_count", "requests", "complete", "interval"),
            *("number_matched", "request_link"),
        }


def test_a_run_that_fails_in_part_tells_the_columns_last_too(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    wide(api, COLLECTIONS)
    api.fault(lambda request: "c1" in (request.body or {}).get("collections", ()), times=None, status=400)
    result = Runs(api, instance, collections=COLLECTIONS)("search", "c12|2024-01-01", "c1|2024-01-01")
    assert not result.success
    assert COLUMNS in latest(instance).metadata


def test_bars_are_drawn_where_there_is_something_to_see(instance: dg.DagsterInstance, api: StacApi) -> None:
    wide(api, ["c2"])
    found = told(Runs(api, instance, collections=["c2", "c1"])("search", "c2|2024-01-01", "c1|2024-01-03"))
    assert [key for key, metadata in found.items() if "items_by_date" in metadata] == ["c2|2024-01-03"]


def tables(folder: Path) -> dict[str, Any]:
    """What Dagster's databases hold of the events of search, without what differs from run to run."""
    with sqlite3.connect(folder / "storage/history/runs/index.db") as database:
        names = ("event_logs", "asset_event_tags", "asset_keys")
        kinds = database.execute(
            "SELECT id, dagster_event_type, partition, asset_key FROM event_logs ORDER BY id"
        )
        found: dict[str, Any] = {"event_logs": kinds.fetchall()}
        query = "SELECT event_id, key, value FROM asset_event_tags WHERE key LIKE 'dagster/partition/%'"
        found["asset_event_tags"] = sorted(database.execute(query).fetchall())
        counts = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names}
    return found | counts


def test_events_that_are_stored_together_are_those_that_are_stored_one_by_one(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide(api, COLLECTIONS)
    written: list[Any] = []
    for size, plain in (("1000", False), ("5", False), ("0", True)):
        monkeypatch.setenv(BATCH_SIZE[0], size)
        with opened(project, plain=plain) as instance:
            result = Runs(api, instance, collections=COLLECTIONS)("search", "c12|2024-01-01", "c1|2024-01-02")
            assert result.success, failure(result)
            events = sum(entry.is_dagster_event for entry in instance.all_logs(result.run_id))
            found, partitions = latest(instance), instance.get_materialized_partitions(SEARCH)
            assert COLUMNS in found.metadata
        history = project / ".dagster"
        written.append((tables(history), events, found.partition, partitions))
        history.rename(project / f"history-{size}-{plain}")
    assert written[0] == written[1] == written[2]
    assert len(written[0][-1]) == 24


def test_the_storage_takes_what_dagster_has_at_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BATCH_SIZE[0], raising=False)
    with opened(project, plain=False) as instance:
        assert instance._is_batch_writing_enabled()


def test_outlines_are_short_and_go_where_they_should() -> None:
    path = ElementTree.fromstring(svg.outlines([[(1.4, 2), (3, 1), (3, 5)], [(0, 0), (9, 9)]], fill="red"))
    assert path.attrib == {"d": "M1 2l2-1 0 4zM0 0l9 9z", "fill": "red"}
    drawn = footprints([(10.0, 50.0, 11.0, 51.0)], 1)
    assert drawn is not None and drawn.value is not None and len(drawn.value) < 2500


def test_databases_have_small_pages(project: Path) -> None:
    """In large ones an empty partition's event, of 3 KB, would have a page for itself."""
    with opened(project, plain=False) as instance:
        run = instance.create_run_for_job(_nothing.get_subset())
        instance.report_engine_event("hello", run)
    found = list((project / ".dagster/storage/history/runs").glob("*.db"))
    assert {file.stem for file in found} == {"index", run.run_id}
    for file in found:
        with sqlite3.connect(file) as database:
            assert database.execute("PRAGMA page_size").fetchone() == (PAGE_BYTES,)


@dg.job
def _nothing() -> None: ...
