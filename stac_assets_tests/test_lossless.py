"""What the API sends is what `item_from_row` makes of the rows; what no table can hold is kept as text."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stac_assets.demo.front import sample_api
from stac_assets.pipeline.load import load
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.windows import Granularity, Window, parse_time
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.jsonb import has_nul
from stac_assets_tests.loads import catalog_for, ids, items, load_days, rows
from stac_assets_tests.reading import as_parsed, holds_nul
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.strategies import canonical, items_of_a_day

SAMPLES = REPOSITORY.parent / "shared" / "stac-samples"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
Json = dict[str, Any]

recorded = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the recorded items of real APIs are not part of the project"
)


def recorded_items(*names: str) -> list[Json]:
    return [json.loads(line) for name in names for line in (SAMPLES / name).open("rb")]


def years_of(sent: Iterable[Json]) -> tuple[Window, ...]:
    """The yearly windows that own the items, and no others."""
    found = set()
    for item in sent:
        time = parse_time(item["properties"].get("datetime") or item["properties"]["start_datetime"])
        assert time is not None
        start = Granularity.YEARLY.floor(time.date())
        found.add(Window(item["collection"], start, Granularity.YEARLY.next(start)))
    return tuple(sorted(found))


def load_all(url: str, sent: list[Json], resource: str) -> None:
    windows = years_of(sent)
    ids_of = {window: tuple(item["id"] for item in sent if window in years_of([item])) for window in windows}
    result = load(
        LoadRequest(ENDPOINTS[resource], windows, item_ids=ids_of if resource == "item" else {}),
        catalog_for(url, collections=sorted({item["collection"] for item in sent}), granularity="yearly"),
    )
    result.raise_on_failures()
    assert result.figures.items == len(sent)
    assert result.figures.rejected_items == 0


def assert_equal_items(found: dict[tuple[str, str], Json], sent: list[Json]) -> None:
    assert len(found) == len(sent)
    different = [
        item["id"] for item in sent if canonical(found[item["collection"], item["id"]]) != canonical(item)
    ]
    assert different == []


@recorded
def test_all_508_recorded_items(project: Path) -> None:
    sent = recorded_items("items.ndjson", "items-rejected-by-rustac.ndjson")
    assert len(sent) == 508
    with StacApi(items=sent) as api:
        load_all(api.url, sent, "search")
    assert_equal_items(items("search"), sent)


@recorded
def test_single_recorded_items(project: Path) -> None:
    sent = recorded_items("items-rejected-by-rustac.ndjson") + recorded_items("items.ndjson")[::40]
    with StacApi(items=sent) as api:
        load_all(api.url, sent, "item")
    assert_equal_items(items("item"), sent)


@recorded
def test_the_recorded_items_of_a_real_server(project: Path) -> None:
    with sample_api([SAMPLES / "items.ndjson"], log=project / "rustac.log") as url:
        sent = list(_sent_by(url))
        assert len(sent) == 505
        load_all(url, sent, "collection_items")
    assert_equal_items(items("collection_items"), sent)


def _sent_by(url: str) -> Iterator[Json]:
    """Every item that a server sends, asked for without any of our code."""
    for collection in requests.get(f"{url}/collections", timeout=30).json()["collections"]:
        following: str | None = f"{url}/collections/{collection['id']}/items?limit=100"
        while following:
            page = requests.get(following, timeout=30).json()
            yield from page["features"]
            following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)


@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(items_of_a_day("c1", "2024-01-01"), st.booleans())
def test_generated_items(project: Path, api: StacApi, sent: list[Json], ascii_only: bool) -> None:
    """Each example replaces the partition that the one before had filled, in one and the same table."""
    api.clear()
    for item in sent:
        text = json.dumps(item, ensure_ascii=ascii_only).encode()
        api.put(RawItem(text, "c1", NOON, NOON, id=item["id"]))
    result = load_days(api, promote_properties="all")
    held = [item for item in sent if holds_nul() or not has_nul(item)]
    assert {id: canonical(item) for (_, id), item in items().items()} == {
        item["id"]: canonical(as_parsed(item)) for item in held
    }
    assert result.figures.rejected_items == len(sent) - len(held)


BAD = {
    "nan": b'{"id":"nan","properties":{"datetime":"2024-01-01T12:00:00Z","v":NaN}}',
    "infinity": b'{"id":"infinity","assets":{"v":-Infinity}}',
    "surrogate": rb'{"id":"surrogate","properties":{"v":"\ud800"}}',
    "surrogate-name": rb'{"id":"surrogate-name","\udfff":1}',
    "utf-8": b'{"id":"utf-8","assets":{"v":"\xff\xfe"}}',
    "utf-8-surrogate": b'{"id":"utf-8-surrogate","properties":{"v":"\xed\xa0\x80"}}',
    "huge": b'{"id":"huge","properties":{"datetime":"2024-01-01T12:00:00Z","v":1e999}}',
    "huge-asset": b'{"id":"huge-asset","assets":{"v":[1, -1.5E+0400]}}',
    "many-digits": b'{"id":"many-digits","properties":{"v":' + b"9" * 250 + b"e99}}",
    "control": b'{"id":"control","properties":{"v":"\x01"}}',
    "no-time": b'{"id":"no-time","properties":{"datetime":"yesterday"}}',
    "deep": b'{"id":"deep","properties":{"v":' + b"[" * 9000 + b"]" * 9000 + b"}}",
}
"""By id: documents that no destination can hold, without white space between their members."""


@pytest.mark.parametrize("resource", ["search", "item"])
def test_what_no_table_can_hold_is_kept_as_text_until_it_is_mended(
    project: Path, api: StacApi, resource: str
) -> None:
    good = {id: make_item(id, v=1) for id in "abc"}
    for item in [good["a"], *(RawItem(text, "c1", NOON, NOON, id) for id, text in BAD.items()), good["b"]]:
        api.put(item)
    api.put(good["c"])
    wanted: dict[str, Any] = {"item_ids": [*good, *BAD]} if resource == "item" else {}

    result = load_days(api, resource, **wanted)

    assert result.figures.rejected_items == len(BAD)
    assert items(resource) == {("c1", id): item for id, item in good.items()}
    rejected = rows("rejected_items")
    assert Counter(row["document"] for row in rejected) == Counter(map(as_text, BAD.values()))
    assert {row["_partition_key"] for row in rejected} == {f"{resource}|c1|2024-01-01"}
    assert {(row["resource"], row["collection"]) for row in rejected} == {(resource, "c1")}
    assert all(row["reason"] for row in rejected)

    for id in [*BAD][1:]:
        api.put(make_item(id, v=2))
    load_days(api, resource, **wanted)
    assert ids(resource) == sorted([*good, *BAD][:3] + [*BAD][1:])
    assert [row["document"] for row in rows("rejected_items")] == [as_text(BAD["nan"])]

    api.put(make_item("nan"))
    load_days(api, resource, **wanted)
    assert ids(resource) == sorted([*good, *BAD])
    assert rows("rejected_items") == []


def as_text(document: bytes) -> str:
    """The document as text; bytes that are no UTF-8 leave a mark in it."""
    return document.decode(errors="replace")


def test_a_byte_order_mark_and_a_bad_neighbour_cost_no_item(project: Path, api: StacApi) -> None:
    sent = [make_item(id) for id in "abc"]
    for item in sent:
        raw = RawItem.of(item)
        api.put(replace(raw, text=b"\xef\xbb\xbf" + raw.text, verbatim=True))
    api.on_page = lambda page, _: b"\xef\xbb\xbf" + with_raw_items(page)
    result = load_days(api)
    assert list(items().values()) == sent
    assert result.figures.rejected_items == 0


def with_raw_items(page: Json) -> bytes:
    features = b", ".join(item.text for item in page["features"])
    return (
        json.dumps({**page, "features": []})
        .encode()
        .replace(b'"features": []', b'"features": [%b]' % features)
    )


def test_rejected_items_of_one_resource_and_day_are_not_those_of_another(project: Path, api: StacApi) -> None:
    for day in (1, 2):
        time = datetime(2024, 1, day, 12, tzinfo=UTC)
        api.put(RawItem(b'{"id": "d%d", "properties": NaN}' % day, "c1", time, time, f"d{day}"))
    load_days(api, "search", last="2024-01-02")
    load_days(api, "collection_items", last="2024-01-02")
    api.clear()
    load_days(api, "search", first="2024-01-02")
    assert [row["_partition_key"] for row in rows("rejected_items")] == [
        "collection_items|c1|2024-01-01",
        "collection_items|c1|2024-01-02",
        "search|c1|2024-01-01",
    ]


def test_an_item_that_can_no_longer_be_held_leaves_the_table_item(project: Path, api: StacApi) -> None:
    api.put(make_item("nan"))
    load_days(api, "item", item_ids=["nan"])
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api, "item", item_ids=["nan"])
    assert ids("item") == []
    assert [row["id"] for row in rows("rejected_items")] == ["nan"]
