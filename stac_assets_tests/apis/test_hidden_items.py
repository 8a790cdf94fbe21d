"""What dates do not find is stored all the same: a collection is read whole where dates hide some of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.reader import fetch_windows
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Window
from stac_assets_tests.asking import client, spooled
from stac_assets_tests.finding import RULES, Rule, by_datetime, by_interval, found_by, owner_of
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item

FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(12)]
SPAN: dict[str, Any] = {"start_datetime": "2024-01-05T00:00:00Z", "end_datetime": "2024-01-07T12:00:00Z"}


def catalog() -> list[dict[str, Any]]:
    """Items of every shape that times have, of two collections."""
    return [
        make_item("composite", start="2024-01-05T00:00:00Z", end="2024-01-05T23:59:59Z"),
        make_item("month", start="2023-12-15T00:00:00Z", end="2024-01-15T00:00:00Z"),
        make_item("nominal", datetime="2024-01-09T00:00:00Z", **SPAN),
        make_item("within", datetime="2024-01-06T00:00:00Z", **SPAN),
        make_item("plain", datetime="2024-01-06T12:00:00Z"),
        make_item("abroad", datetime="2024-01-08T01:00:00+09:00"),
        make_item("naive", datetime="2024-01-08T02:00:00"),
        make_item("other", "c2", start="2024-01-03T00:00:00Z", end="2024-01-04T00:00:00Z"),
    ]


def fetch(
    api: StacApi,
    days: Sequence[date],
    resource: str = "search",
    collections: Sequence[str] = ("c1",),
    largest: int = 100_000,
    narrowing: Narrowing | None = None,
    **options: Any,
) -> list[FetchedWindow]:
    """The windows of some days, fetched, with the ids of their rows in `rows`."""
    windows = [Window(name, day, day + timedelta(days=1)) for name in collections for day in days]
    with TemporaryDirectory() as folder:
        found = fetch_windows(
            client(api, **{"page_size": 200, **options}),
            ENDPOINTS[resource],
            windows,
            Path(folder),
            narrowing=narrowing,
            largest_whole=largest,
        )
        for window in found:
            assert window.error is None
            window.deleted = spooled(window)
        return found


def rows(windows: Sequence[FetchedWindow]) -> dict[str, list[str]]:
    """The ids that each window got, by its key; without those of empty ones."""
    return {fetched.window.key: fetched.deleted for fetched in windows if fetched.deleted}


def model(
    items: Sequence[dict[str, Any]], days: Sequence[date], collections: Sequence[str]
) -> dict[str, list[str]]:
    """What the table is to hold."""
    found: dict[str, list[str]] = {}
    for item in items:
        if item["collection"] in collections and owner_of(item) in map(str, days):
            found.setdefault(f"{item['collection']}|{owner_of(item)}", []).append(item["id"])
    return {key: sorted(names) for key, names in found.items()}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("number_matched", ["numberMatched", None])
@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_every_rule_of_finding(api: StacApi, rule: Rule, number_matched: Any, resource: str) -> None:
    """Whatever an API goes by: a range, and each of its days alone, get what they own."""
    items = catalog()
    for item in found_by(rule, items):
        api.put(item)
    api.number_matched = number_matched
    for collections in (["c1"], ["c1", "c2"]):
        found = fetch(api, DAYS, resource, collections, page_size=4)
        assert rows(found) == model(items, DAYS, collections)
    for day in DAYS[3:9]:
        assert rows(fetch(api, [day], resource, page_size=4)) == model(items, [day], ["c1"]), day


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("rule", [by_interval, by_datetime])
def test_a_partition_alone_is_stored_with_what_no_date_finds(api: StacApi, rule: Rule) -> None:
    for item in found_by(rule, catalog()):
        api.put(item)
    for day in ("2024-01-05", "2024-01-09"):
        load_days(api, first=day, largest_whole_collection=100_000)
    assert ids() == ["composite", "nominal"]


times = st.integers(0, 12 * 24 - 1)


@st.composite
def catalogs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to some dozen items at random times, with or without an interval and a zone."""
    found = []
    for number in range(draw(st.integers(1, 30))):
        nominal, start, length = draw(times), draw(times), draw(st.integers(0, 60))
        zone = draw(st.sampled_from(["Z", "Z", "Z", "+00:00", "-07:00", ""]))
        nominal_text, start_text, end_text = (
            f"{FIRST + timedelta(days=hour // 24)}T{hour % 24:02}:00:00{zone}"
            for hour in (nominal, start, start + length)
        )
        match draw(st.sampled_from(["plain", "plain", "null", "both"])):
            case "plain":
                item = make_item(f"i{number}", datetime=nominal_text)
            case "null":
                item = make_item(f"i{number}", start=start_text, end=end_text)
            case _:
                item = make_item(
                    f"i{number}", datetime=nominal_text, start_datetime=start_text, end_datetime=end_text
                )
        found.append(item)
    return found


ways = {
    "rule": st.sampled_from(list(RULES.values())),
    "is_counted": st.booleans(),
    "first": st.integers(0, 11),
    "length": st.integers(1, 12),
    "resource": st.sampled_from(["search", "collection_items"]),
}


@settings(max_examples=25)
@given(items=catalogs(), page_size=st.sampled_from([20, 200]), **ways)
def test_a_day_alone_and_a_range_around_it_get_what_they_own(
    items: list[dict[str, Any]],
    rule: Rule,
    is_counted: bool,
    page_size: int,
    first: int,
    length: int,
    resource: str,
) -> None:
    days = DAYS[first : first + length]
    with StacApi(number_matched="numberMatched" if is_counted else None) as api:
        for item in found_by(rule, items):
            api.put(item)
        found = fetch(api, days, resource, page_size=page_size)
        assert rows(found) == model(items, days, ["c1"])
        for day in days[:2]:
            assert rows(fetch(api, [day], resource, page_size=page_size)) == model(items, [day], ["c1"])


@settings(max_examples=25)
@given(items=catalogs(), page_size=st.sampled_from([2, 5]), largest=st.sampled_from([0, 3, 1000]), **ways)
def test_whatever_comes_is_stored_with_its_owner(
    items: list[dict[str, Any]],
    rule: Rule,
    is_counted: bool,
    page_size: int,
    largest: int,
    first: int,
    length: int,
    resource: str,
) -> None:
    """Also where the first pages do not show what dates hide, or a collection is too large to be read."""
    days = DAYS[first : first + length]
    since, until = (datetime.combine(day, time(), UTC) for day in (days[0], days[-1] + timedelta(days=1)))
    with StacApi(number_matched="numberMatched" if is_counted else None) as api:
        come: list[dict[str, Any]] = []
        for item, raw in zip(items, found_by(rule, items), strict=True):
            api.put(raw)
            if raw.start and raw.end and raw.start <= until and raw.end >= since:
                come.append(item)
        found = rows(fetch(api, days, resource, page_size=page_size, largest=largest))
        least, most = model(come, days, ["c1"]), model(items, days, ["c1"])
        for key in {*found, *least, *most}:
            assert set(least.get(key, ())) <= set(found.get(key, ())) <= set(most.get(key, ())), key
