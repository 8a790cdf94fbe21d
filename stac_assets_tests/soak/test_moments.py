"""`kill -9` just before a statement of the store, or its commit: the old rows or the new ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.loads import DATASET, load_catalog, load_days, rows, without_load_id
from stac_assets_tests.soak.killed_load import Killer
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_lossless import BAD, NOON


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with Killer() as process:
        yield process


@pytest.mark.parametrize(
    ("resource", "table"),
    [
        ("search", "search"),
        ("search", "rejected_items"),
        ("collections", "collections"),
        ("collection", "collection"),
    ],
)
def test_a_kill_leaves_the_old_rows_or_the_new_ones(
    project: Path, api: StacApi, killer: Killer, resource: str, table: str
) -> None:
    def load() -> None:
        load_days(api) if resource == "search" else load_catalog(api, resource, ["c1"])

    name = f'"{DATASET}"."{table}"'
    publish_upstream(api, "old")
    load()
    old = filled_cells(table)
    publish_upstream(api, "new")
    last = name.replace(table, "item_changes") if table == "search" else name
    for moment in (f"INSERT INTO {name}", f"COMMIT INSERT INTO {last}"):
        killer.load(api.url, resource, moment)
        assert filled_cells(table) == old, f"killed before {moment}"

    killer.load(api.url, resource, f'INSERT INTO "{DATASET}"."_dlt_loads"')
    new = filled_cells(table)
    assert new != old

    load()
    assert filled_cells(table) == new
    assert [path for path in (project / ".dlt" / "runs").iterdir() if path.is_dir()] == []


def filled_cells(table: str) -> list[dict[str, Any]]:
    """The rows without their empty cells: a load that was killed may have added columns."""
    return [
        {name: cell for name, cell in row.items() if cell is not None} for row in without_load_id(rows(table))
    ]


def publish_upstream(api: StacApi, version: str) -> None:
    """Let the API have items, one of which no table can hold, and collections of a version."""
    api.clear()
    for number in range(3):
        properties: dict[str, Any] = {"version": version, version: number}
        api.put(make_item(f"{version}-{number}", **properties))
    api.put(RawItem(BAD["nan"].replace(b"NaN", f"NaN,{version}".encode()), "c1", NOON, NOON, "nan"))
    api.collections = [make_collection("c1", title=version), make_collection(version)]


def test_a_first_load_that_is_killed_binds_nobody(project: Path, api: StacApi, killer: Killer) -> None:
    """It has made a table with a column whose type nothing else remembers."""
    api.put(make_item("a", v=1))
    killer.load(api.url, "search", f'COMMIT INSERT INTO "{DATASET}"."item_changes"')
    api.put(make_item("a", v="text"))
    load_days(api)
    assert [row["properties"] for row in rows()] == ['{"datetime": "2024-01-01T10:00:00Z", "v": "text"}']
