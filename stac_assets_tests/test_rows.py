"""An item becomes a row and comes back as it was: without a database, so with many examples."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.rows import NotARow, build_row, item_from_row, owner_time
from stac_assets.source.spool import Spool
from stac_assets.source.spool_file import SpoolFile
from stac_assets.source.spool_files import read_tables
from stac_assets.stac.documents import Item, Rejected, decode_item
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.windows import parse_time
from stac_assets_tests.stac_api import make_item
from stac_assets_tests.strategies import canonical, odd_items

CORNERS = ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax")


def members_of(item: Any, **dumping: Any) -> Item:
    text = item if isinstance(item, bytes) else json.dumps(item, **dumping).encode()
    members = decode_item(Answer("http://localhost", 200, text, "application/geo+json"))
    assert not isinstance(members, Rejected), members
    return members


def row_of(item: Any, **dumping: Any) -> dict[str, Any]:
    return build_row(members_of(item, **dumping), "c1")[0]


def stored(row: dict[str, Any]) -> dict[str, Any]:
    """The row as a database gives it back: text where JSON columns hold bytes, nulls where nothing is."""
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()}


@given(odd_items(), st.booleans(), st.sampled_from([None, 2]))
def test_any_item_comes_back_as_it_was(item: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    row = row_of(item, ensure_ascii=ascii_only, indent=indent)
    assert canonical(item_from_row(stored(row))) == canonical(item)
    assert isinstance(row["id"], str) and row["id"]
    assert isinstance(row["collection"], str)


@given(odd_items())
def test_json_columns_may_come_parsed_and_empty_cells_as_nan(item: dict[str, Any]) -> None:
    row = stored(row_of(item))
    texts = ("id", "collection", "stac_version", "_fingerprint")
    parsed = {n: json.loads(v) if isinstance(v, str) and n not in texts else v for n, v in row.items()}
    as_frame = {name: math.nan if value is None else value for name, value in parsed.items()}
    assert canonical(item_from_row(as_frame)) == canonical(item)


@pytest.mark.parametrize(
    ("given_members", "in_row"),
    [
        ({"collection": "c1"}, "c1"),
        ({}, "c1"),
        ({"collection": None}, "c1"),
        ({"collection": 3}, "c1"),
        ({"collection": "other"}, "other"),
        ({"collection": ""}, ""),
    ],
)
def test_an_absent_collection_is_the_one_asked_for_and_stays_absent_in_the_item(
    given_members: dict[str, Any], in_row: str
) -> None:
    item = {"id": "a", **given_members}
    row = row_of(item)
    assert row["collection"] == in_row
    assert item_from_row(stored(row)) == item


@pytest.mark.parametrize("id", [3, -3, 2**70, 0, 1.5])
def test_a_number_as_id_is_text_in_the_row_and_a_number_in_the_item(id: float) -> None:
    row = row_of({"id": id})
    assert row["id"] == str(id)
    assert canonical(item_from_row(stored(row))) == canonical({"id": id})


@pytest.mark.parametrize("members", [{}, {"id": ""}, {"id": None}, {"id": [1]}, {"id": True}, {"id": {}}])
def test_without_an_id_there_is_no_row(members: dict[str, Any]) -> None:
    with pytest.raises(NotARow, match="no id"):
        row_of({"properties": {}, **members})


def test_of_a_name_that_is_there_twice_the_last_counts_as_in_every_json_parser() -> None:
    text = b'{"id":"a","id":"b","properties":{"gsd":1,"gsd":2},"odd":1,"odd":2}'
    assert item_from_row(stored(row_of(text))) == json.loads(text)


@pytest.mark.parametrize(
    ("bbox", "corners"),
    [
        ([1, 2, 3, 4], (1, 2, 3, 4)),
        ([1, 2, -50.5, 3, 4, 50.5], (1, 2, 3, 4)),
        ([170.0, -10, -170.0, 10], (170, -10, -170, 10)),
        *(
            (odd, (None,) * 4)
            for odd in ([1, 2, 3], [1, 2, 3, None], [1, 2, 3, "4"], [True] * 4, [], "x", {})
        ),
        ([10**400, 0, 1, 1], (None,) * 4),
        (None, (None,) * 4),
    ],
)
def test_the_corners_of_the_bounding_box(bbox: Any, corners: tuple[float | None, ...]) -> None:
    item = make_item("a", extra={"bbox": bbox})
    row = row_of(item)
    assert tuple(row[corner] for corner in CORNERS) == corners
    assert item_from_row(stored(row)) == item


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-01-01T23:59:59.9995Z", datetime(2024, 1, 1, 23, 59, 59, 999500, UTC)),
        ("2024-01-01T23:59:59.999999999Z", datetime(2024, 1, 1, 23, 59, 59, 999999, UTC)),
        ("2024-01-01T00:30:00+01:00", datetime(2023, 12, 31, 23, 30, tzinfo=UTC)),
        ("2024-01-01t00:00:00z", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01 10:00:00", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (1704067200, None),
        ("0001-01-01T00:00:00+01:00", None),
    ],
)
def test_times_are_utc_and_cut_to_microseconds(text: Any, time: datetime | None) -> None:
    item = make_item("a", datetime=text, created=text)
    row = row_of(item)
    assert row["datetime"] == row["created"] == time
    assert item_from_row(stored(row)) == item


def test_the_begin_of_the_interval_owns_an_item_without_an_instant() -> None:
    start, end = "2024-01-01T05:00:00Z", "2024-01-09T00:00:00Z"
    assert owner_time(row_of(make_item("a", start=start, end=end))) == parse_time(start)
    assert owner_time(row_of(make_item("a", datetime=end, start_datetime=start))) == parse_time(end)
    assert owner_time(row_of(make_item("a", datetime=None))) is None


def spooled(folder: Path, *items: Any) -> tuple[SpoolFile, dict[str, list[Any]]]:
    """What a spool writes of items."""
    spool = Spool(folder, "rows")
    for item in items:
        row, properties = build_row(members_of(item), "c1")
        spool.add({**row, PARTITION_KEY: "c1|2024-01-01"}, properties, 1000)
    spool.flush()
    ((file, table),) = read_tables(spool.files)
    return file, table.to_pydict()


def test_which_properties_have_columns(tmp_path: Path) -> None:
    properties = {
        "text": "3",
        "whole": 3,
        "number": 3.5,
        "yes": True,
        "null": None,
        "list": [1],
        "object": {},
        "largest": 2**53,
        "larger": 2**53 + 1,
        "datetime": "2024-01-01T00:00:00Z",
        "updated": None,
    }
    file, columns = spooled(tmp_path, make_item("a", **properties))
    assert {name: values for name, values in columns.items() if ":" in name} == {
        "text:text": ["3"],
        "number:whole": [3.0],
        "number:number": [3.5],
        "bool:yes": [True],
        "number:largest": [2.0**53],
    }
    assert file.kinds == {
        "text": "text",
        "whole": "number",
        "number": "number",
        "yes": "bool",
        "largest": "number",
    }
    assert file.misfits == {"larger": 1}


def test_each_kind_of_value_has_a_column_and_each_row_its_place(tmp_path: Path) -> None:
    values: list[Any] = [None, 1, "x", 2.5, True, -(2**53) - 1, [], "y"]
    file, columns = spooled(tmp_path, *(make_item(str(n), odd=value) for n, value in enumerate(values)))
    assert columns["number:odd"] == [None, 1.0, None, 2.5, None, None, None, None]
    assert columns["text:odd"] == [None, None, "x", None, None, None, None, "y"]
    assert columns["bool:odd"] == [None, None, None, None, True, None, None, None]
    assert (file.rows, file.kinds["odd"], file.misfits) == (8, "number", {"odd": 1})


def test_times_that_name_none_are_counted(tmp_path: Path) -> None:
    items = [make_item("a", created="yesterday", updated=None), make_item("b", created=["now"])]
    file, columns = spooled(tmp_path, *items)
    assert file.misfits == {"created": 2}
    assert not [name for name in columns if ":created" in name or ":updated" in name]
