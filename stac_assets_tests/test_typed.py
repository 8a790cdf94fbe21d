"""Which property has which column, of which type: nothing fails, nothing is lost, and a type stays."""

from datetime import date
from typing import Any

import pytest

from stac_assets.catalog import Catalog
from stac_assets.pipeline.load import load
from stac_assets.pipeline.load_result import LoadResult
from stac_assets.source.columns import ITEM_COLUMNS
from stac_assets.source.geometry_column import GEOM
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import SEARCH
from stac_assets_tests.loads import column_types, items, load_days, rows, settings_for
from stac_assets_tests.reading import holds_nul, in_postgres
from stac_assets_tests.stac_api import StacApi, make_item

pytestmark = pytest.mark.usefixtures("project")


def cells(column: str, table: str = "search") -> dict[str, Any]:
    """The values of a column by the item's id."""
    return {row["id"]: row[column] for row in rows(table)}


def promoted(table: str = "search") -> dict[str, str]:
    """DuckDB's type of each column that a property claimed."""
    return {n: t for n, t in column_types(table).items() if n not in (*ITEM_COLUMNS, GEOM, "_dlt_load_id")}


def put(api: StacApi, id: str, day: int = 1, /, **properties: Any) -> dict[str, Any]:
    item = make_item(id, datetime=f"2024-01-{day:02}T12:00:00Z")
    item["properties"] |= properties
    api.put(item)
    return item


def test_numbers_are_double_and_what_does_not_fit_is_null_counted_and_whole_in_the_json(api: StacApi) -> None:
    sent = [
        put(api, "whole", v=3, w="12", t=True),
        put(api, "half", v=3.5, w="x", t=False),
        put(api, "text", v="3", w=12, t="true"),
        put(api, "largest", v=2**53),
        put(api, "larger", v=2**53 + 1),
        put(api, "bool", v=True, w=False, t=1),
        put(api, "null", v=None, w=None, t=None),
        put(api, "list", v=[1], w={"a": 1}, l=[1], o={"a": 1}, n=None),
    ]
    result = load_days(api)
    assert promoted() == {"v": "DOUBLE", "w": "VARCHAR", "t": "BOOLEAN"}
    assert {id: value for id, value in cells("v").items() if value is not None} == {
        "whole": 3.0,
        "half": 3.5,
        "largest": 2.0**53,
    }
    assert {id: value for id, value in cells("w").items() if value is not None} == {
        "whole": "12",
        "half": "x",
    }
    assert {id: value for id, value in cells("t").items() if value is not None} == {
        "whole": True,
        "half": False,
    }
    assert result.misfits == {"v": 3, "w": 2, "t": 2}
    assert list(items().values()) == sorted(sent, key=lambda item: item["id"])


def test_a_type_once_stored_never_changes(api: StacApi) -> None:
    put(api, "a", 1, number=3, text="12")
    put(api, "b", 2, number=3.5, text=12)
    put(api, "c", 3, number="three", text="c", late="x")
    load_days(api, first="2024-01-01")
    types = promoted()
    second = load_days(api, first="2024-01-02")
    third = load_days(api, first="2024-01-03")
    assert types == {"number": "DOUBLE", "text": "VARCHAR"}
    assert promoted() == {**types, "late": "VARCHAR"}
    assert cells("number") == {"a": 3.0, "b": 3.5, "c": None}
    assert cells("text") == {"a": "12", "b": None, "c": "c"}
    assert (second.misfits, third.misfits) == ({"text": 1}, {"number": 1})


def test_common_properties_have_the_type_of_their_specification_from_the_first_row_on(api: StacApi) -> None:
    put(
        api,
        "odd",
        **{"eo:cloud_cover": "cloudy", "proj:epsg": 1.5, "published": "soon", "deprecated": "no", "title": 3},
    )
    put(
        api, "big", **{"file:size": 2**53 - 1, "proj:epsg": "32633", "created": "soon", "updated": 1704067200}
    )
    put(
        api,
        "usual",
        **{"eo:cloud_cover": 3, "proj:epsg": 32633, "published": "2024-01-02T03:04:05.678901+02:00"},
        deprecated=True,
        title="T",
        created="2024-01-01T00:00:00Z",
    )
    result = load_days(api)
    assert promoted() == {
        "eo_cloud_cover": "DOUBLE",
        "proj_epsg": "BIGINT",
        "published": "TIMESTAMP WITH TIME ZONE",
        "deprecated": "BOOLEAN",
        "title": "VARCHAR",
        "file_size": "BIGINT",
    }
    usual = next(row for row in rows() if row["id"] == "usual")
    assert (usual["eo_cloud_cover"], usual["proj_epsg"], usual["deprecated"]) == (3.0, 32633, True)
    assert usual["published"].isoformat() == "2024-01-02T01:04:05.678901+00:00"
    assert cells("file_size")["big"] == 2**53 - 1
    assert all(value is None for name, value in odd_row().items() if name in promoted())
    assert result.misfits == {
        "eo:cloud_cover": 1,
        "proj:epsg": 2,
        "published": 1,
        "deprecated": 1,
        "title": 1,
        "created": 1,
        "updated": 1,
    }


def odd_row() -> dict[str, Any]:
    return next(row for row in rows() if row["id"] == "odd")


def test_which_properties_are_promoted_is_a_setting(api: StacApi) -> None:
    sent = put(api, "a", **{"eo:cloud_cover": 1, "s2:a": 1, "s2:b": "x", "gsd": 10})
    load_days(api, "search", promote_properties="none")
    load_days(api, "collection_items", promote_properties=["gsd", "s2:*"])
    load_days(api, "item", item_ids=["a"], promote_properties="gsd")
    assert promoted("search") == {}
    assert promoted("collection_items") == {"gsd": "DOUBLE", "s2_a": "DOUBLE", "s2_b": "VARCHAR"}
    assert promoted("item") == {"gsd": "DOUBLE"}
    for table in ("search", "collection_items", "item"):
        assert list(items(table).values()) == [sent]

    load_days(api, "collection_items", promote_properties="none")
    assert cells("gsd", "collection_items") == {"a": None}, "the column stays, and the row is as asked for"


def test_of_two_properties_with_one_column_name_the_first_keeps_it(api: StacApi) -> None:
    put(api, "later", 1, **{"a_b": "late", "A:B": "later"})
    put(api, "first", 2, **{"a:b": "first", "a_b": "late"})
    load_days(api, first="2024-01-02")
    result = load_days(api, first="2024-01-01")
    assert promoted() == {"a_b": "VARCHAR"}
    assert cells("a_b") == {"first": "first", "later": None}
    assert result.misfits == {}
    assert result.table is not None
    assert result.table["columns"]["a_b"]["x-stac-property"] == "a:b"  # type: ignore[typeddict-item]

    put(api, "again", 3, **{"a:b": "again"})
    load_days(api, first="2024-01-03")
    assert cells("a_b") == {"first": "first", "later": None, "again": "again"}


def test_core_columns_and_unspeakable_names_are_no_columns_of_properties(api: StacApi) -> None:
    core = {name: f"my {name}" for name in ITEM_COLUMNS if not name.endswith("datetime")}
    odd = ["", "_", "日本", "'", "%s", "_dlt_load_id", "_dlt_id", "x", "y", "Z", "1st", "a" * 300]
    odd += ["\x00"] if holds_nul() else []
    sent = put(api, "a", **{"ID": 1, "bbox:xmin": 2, **core, **dict.fromkeys(odd, 3)})
    load_days(api)
    (long,) = (name for name in promoted() if name.startswith("aa"))
    assert set(promoted()) == {"x", "y", "z", "_s", "_1st", long}
    assert long == "a" * 300 or (in_postgres() and len(long) == 63)
    assert (rows()[0]["id"], rows()[0]["_partition_key"]) == ("a", "c1|2024-01-01")
    assert list(items().values()) == [sent]


@pytest.mark.parametrize("order", ["number first", "text first"])
def test_two_loads_that_meet_a_new_property_at_the_same_time_and_a_third_one(
    api: StacApi, order: str
) -> None:
    """Both fetch before either stores: what the first one is told of its fetch starts the second one."""
    number = put(api, "number", 1, new=12, only_number=1)
    text = put(api, "text", 2, new="12", only_text="x")
    first, second = (1, 2) if order == "number first" else (2, 1)
    if order == "number first":
        load_days(api, first="2024-01-04")  # there is a table already, and a schema to be restored

    inner: list[LoadResult] = []
    outer = load_day(api, second, lambda: inner.append(load_day(api, first)))
    third = put(api, "third", 3, new="x" if first == 1 else 1, only_number=2.5, only_text="y")
    result = load_days(api, first="2024-01-03")

    assert promoted() == {
        "new": "DOUBLE" if first == 1 else "VARCHAR",
        "only_number": "DOUBLE",
        "only_text": "VARCHAR",
    }
    assert cells("new") == {
        **{"number": 12.0 if first == 1 else None, "text": None if first == 1 else "12"},
        "third": None,
    }
    assert cells("only_number") == {"number": 1.0, "text": None, "third": 2.5}
    assert cells("only_text") == {"number": None, "text": "x", "third": "y"}
    assert [inner[0].misfits, outer.misfits, result.misfits] == [{}, {"new": 1}, {"new": 1}]
    found = items()
    assert [found["c1", item["id"]] for item in (number, text, third)] == [number, text, third]


def load_day(api: StacApi, day: int, after_fetch: Any = None) -> LoadResult:
    """Load a day, and do something else between its two halves."""
    settings = settings_for(api)
    start = date(2024, 1, day)

    def stage(line: str) -> None:
        if after_fetch is not None and line.startswith("fetched"):
            after_fetch()

    return load(LoadRequest(SEARCH, (settings.window_at("c1", start),)), Catalog(settings), stage=stage)
