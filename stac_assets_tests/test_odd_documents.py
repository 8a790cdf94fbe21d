"""Documents as real catalogs hold them: each is a row, or in `rejected_items` with its reason."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.loads import items, load_days, rows
from stac_assets_tests.stac_api import RawItem, StacApi, make_item


def deep(levels: int) -> Any:
    nested: Any = 1
    for _ in range(levels):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2024-01-01 10:00:00Z", "2024-01-01T10:00:00+00:00"),
        ("2024-01-01T10:00:00", "2024-01-01T10:00:00+00:00"),
        ("2024-01-01T10:00:00.123456789Z", "2024-01-01T10:00:00.123456+00:00"),
        ("2024-01-01", "2024-01-01T00:00:00+00:00"),
        ("2024-01-02T00:30:00+02:00", "2024-01-01T22:30:00+00:00"),
    ],
)
def test_a_time_as_catalogs_write_it(project: Path, api: StacApi, text: str, stored: str) -> None:
    _put(api, {**make_item("a"), "properties": {"datetime": text}})
    load_days(api)
    (row,) = rows()
    assert row["datetime"].isoformat() == stored
    assert items()[("c1", "a")]["properties"] == {"datetime": text}


def test_odd_documents_are_rows(project: Path, api: StacApi) -> None:
    bare = {"type": "Feature", "id": "bare", "properties": {"datetime": "2024-01-01T10:00:00Z"}}
    odd = [
        bare,
        {**make_item("null-geometry"), "geometry": None, "bbox": None},
        {**make_item("stac-0.8"), "stac_version": "0.8.1", "stac_extensions": ["eo"]},
        {**make_item("stac-0.9"), "stac_version": "0.9.0"},
        {**make_item("stac-1.1"), "stac_version": "1.1.0"},
        make_item("end-before-start", start="2024-01-01T10:00:00Z", end="2024-01-01T09:00:00Z"),
        make_item("long-key", **{"k" * 300: 1}),  # type: ignore[arg-type]
        make_item("huge", big=2**80, nested=deep(60)),
    ]
    for item in odd:
        _put(api, item)
    result = load_days(api)
    assert result.figures.rejected_items == 0
    assert sorted(found["id"] for found in items().values()) == sorted(item["id"] for item in odd)
    assert {found["id"]: found for found in items().values()} == {item["id"]: item for item in odd}


def test_documents_without_a_usable_time_or_id_are_rejected_whole(project: Path, api: StacApi) -> None:
    without_time = {**make_item("no-time"), "properties": {"datetime": "yesterday"}}
    without_id = {name: value for name, value in make_item("x").items() if name != "id"}
    for item in (make_item("good"), without_time, without_id):
        _put(api, item)
    result = load_days(api)
    assert (result.figures.items, result.figures.rejected_items) == (1, 2)
    reasons = {row["reason"] for row in rows("rejected_items")}
    assert any("id" in reason for reason in reasons) and any("datetime" in reason for reason in reasons)


@pytest.mark.parametrize("year", ["0002", "9990"])
def test_far_years_are_partitions_like_others(project: Path, api: StacApi, year: str) -> None:
    api.put(make_item("far", datetime=f"{year}-01-01T10:00:00Z"))
    load_days(api, first=f"{year}-01-01", start_date=f"{year}-01-01")
    assert [row["id"] for row in rows()] == ["far"]


def _put(api: StacApi, item: dict[str, Any]) -> None:
    """Served verbatim in the window of 2024-01-01, whatever its own times say."""
    time = datetime(2024, 1, 1, 10, tzinfo=UTC)
    api.put(RawItem(json.dumps(item).encode(), "c1", time, time, str(item.get("id", "none"))))
