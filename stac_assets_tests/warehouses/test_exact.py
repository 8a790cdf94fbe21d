"""What a load leaves in a warehouse: exactly what the API has, in columns of their types."""

from typing import Any

import pytest

from stac_assets import load
from stac_assets.source.rows import item_from_row
from stac_assets_tests.loads import load_days
from stac_assets_tests.reading import DATASET
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_lossless import BAD, NOON
from stac_assets_tests.warehouses.stand_in import StandIn

FIRST, SECOND = "2024-01-01", "2024-01-02"
ODD = make_item(
    "odd", gsd=10, title="it's \\ \"quoted\"\nand more %s {} ;", big=2**53, empty="", half=1.5,
    nested={"A b": [1, None, {"x": 1.5, "eo:y": True}]}, listed=[], nothing=None, mark="\uf0262024",
    日本="ü😀",
)  # fmt: skip
"""An item of what SQL and JSON write in ways of their own."""


def search(days: str | tuple[str, str] = FIRST, **settings: Any) -> Any:
    """Load some days of c1."""
    first, last = (days, days) if isinstance(days, str) else days
    return load("search", collections=["c1"], start=first, end=last, **settings)


def items(warehouse: StandIn, table: str = "search", dataset: str = DATASET) -> dict[str, Any]:
    """What `item_from_row` makes of each row, by its id."""
    rows = warehouse.query(f"SELECT * FROM {dataset}.{table}")
    found = {row["id"]: item_from_row(row) for row in rows}
    assert len(found) == len(rows), "an item is there twice"
    return found


def by_id(*documents: dict[str, Any]) -> dict[str, Any]:
    """Items as `items` gives them."""
    return {document["id"]: document for document in documents}


def fill(api: StacApi, *documents: dict[str, Any]) -> None:
    """Put items into the API."""
    for document in documents:
        api.put(document)


def test_a_day_again_with_an_item_added_changed_and_removed(warehouse: StandIn, api: StacApi) -> None:
    kept, other = make_item("kept", gsd=1), make_item("other", datetime=f"{SECOND}T00:00:00Z")
    fill(api, ODD, kept, make_item("changed", gsd=2), make_item("removed"), other)
    assert search((FIRST, SECOND)).figures.items == 5
    assert items(warehouse)["odd"] == ODD

    changed, added = (
        make_item("changed", gsd=3, note="new"),
        make_item("added", datetime=f"{FIRST}T23:59:59Z"),
    )
    fill(api, changed, added)
    api.remove("c1", "removed")
    for _ in range(2):  # the second changes nothing
        search()
        assert items(warehouse) == by_id(ODD, kept, changed, added, other)


def test_a_partition_that_is_empty_now(warehouse: StandIn, api: StacApi) -> None:
    other = make_item("other", datetime=f"{SECOND}T00:00:00Z")
    fill(api, make_item("a"), make_item("b"), other)
    search((FIRST, SECOND))
    api.remove("c1", "a")
    api.remove("c1", "b")
    search()
    assert items(warehouse) == by_id(other)


def test_columns_grow_and_keep_their_types(warehouse: StandIn, api: StacApi) -> None:
    fill(api, make_item("a", gsd=1))
    search()
    fill(api, make_item("b", gsd="coarse", snow=0.5, clear=True, made="2024-01-01T00:00:00Z", text="x"))
    assert search().misfits == {"gsd": 1}
    rows = {
        row["id"]: row for row in warehouse.query(f"SELECT id, gsd, snow, clear, text FROM {DATASET}.search")
    }
    assert rows["a"] == {"id": "a", "gsd": 1.0, "snow": None, "clear": None, "text": None}
    assert rows["b"] == {"id": "b", "gsd": None, "snow": 0.5, "clear": True, "text": "x"}


def test_what_is_counted_after_a_load(warehouse: StandIn, api: StacApi) -> None:
    fill(api, make_item("a", gsd=1, published="2024-01-01T00:00:00Z"), make_item("b"))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api)
    inspection = load_days(api, inspected=True).inspection
    assert inspection is not None and inspection.columns is not None
    (partition,) = inspection.partitions.values()
    assert (partition.rows, partition.ids, partition.outside) == (2, 2, 0)
    assert sum(partition.rejected.values()) == 1
    assert [row["id"] for row in partition.sample] == ["a", "b"]
    told = {"json": warehouse.json_type}
    promised = {name: told.get(kind, kind) for name, kind in inspection.columns.promised.items()}
    assert promised.items() <= inspection.columns.found.items()


def test_the_documents_of_collections_and_of_items_are_replaced(warehouse: StandIn, api: StacApi) -> None:
    api.collections = [make_collection("c1"), make_collection("c2")]
    load("collections")
    api.collections = [make_collection("c1", keywords=["new"])]
    load("collections")
    (row,) = warehouse.query(f"SELECT id, document FROM {DATASET}.collections")
    assert row["id"] == "c1" and "new" in str(row["document"])

    fill(api, make_item("a"), make_item("b"))
    load("item", collections=["c1"], start=FIRST, end=FIRST, ids=["a", "b"])
    fill(api, changed := make_item("a", gsd=1))
    api.remove("c1", "b")
    load("item", collections=["c1"], start=FIRST, end=FIRST, ids=["a", "b"])
    assert items(warehouse, "item") == by_id(changed)


@pytest.mark.parametrize("name", ["east"])
def test_a_catalog_of_a_name_has_a_dataset_of_that_name(warehouse: StandIn, api: StacApi, name: str) -> None:
    fill(api, ODD)
    search(catalog=name, base_url=api.url)
    fill(api, changed := make_item("odd", gsd=3))
    search(catalog=name, base_url=api.url)
    assert items(warehouse, dataset=warehouse.named(name)) == by_id(changed)
