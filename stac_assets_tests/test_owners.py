"""Which window owns a day, of windows of millions of days, and whatever collections are called."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
from hypothesis import given
from hypothesis import strategies as st

from stac_assets.source import pystac_client_source
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Granularity, Window, partition_key, windows
from stac_assets_tests.loads import IMPATIENT, ids, load_catalog, load_days, query
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.test_lossless import BAD, NOON

NAMES = ["a", "a|1950-01-01", "a|19", "a|", "|", "a%", "a_", "A", "ä", "a'", "2024-01-01", "a|2024-01-01|"]
"""Ids of collections that hold what keys are made of, or what SQL takes for something else."""

collections = st.sampled_from(NAMES) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4
)
days = st.dates(date(2, 2, 1), date(9990, 1, 1)) | st.dates(date(1940, 1, 1), date(1960, 1, 1))
SPAN = 400


@st.composite
def some_windows(draw: st.DrawFn) -> list[Window]:
    """Windows of some collections, of any granularity, with gaps between them."""
    found: list[Window] = []
    for name in draw(st.lists(collections, min_size=1, max_size=4, unique=True)):
        first = draw(days)
        granularity = draw(st.sampled_from(Granularity))
        own = windows(name, first, first + timedelta(draw(st.integers(0, SPAN))), granularity)
        found += (
            [window for window in own if draw(st.booleans())]
            if len(own) < 30
            else own[:: draw(st.integers(1, 9))]
        )
    return found


@given(some_windows(), st.lists(st.tuples(collections, days), max_size=5), st.sampled_from(["", "search|"]))
def test_each_day_has_the_owner_that_its_window_says(
    found: list[Window], others: list[tuple[str, date]], prefix: str
) -> None:
    owners = Owners(found, prefix)
    by_key = {prefix + key: window for window in found for key in window.day_keys()}
    beside = {
        prefix + partition_key(w.collection, day) for w in found for day in (w.start - timedelta(1), w.end)
    }
    asked = {*by_key, *beside, *(prefix + partition_key(*other) for other in others)}
    assert {key: owners.of(key) for key in asked} == {key: by_key.get(key) for key in asked}
    assert set(owners.among(asked)) == set(by_key) == set(owners.day_keys())
    assert owners.of(f"other|{min(asked, default='')}") is None or not prefix
    ranges = owners.ranges()
    assert len(ranges) <= len({window.collection for window in found})
    with duckdb.connect() as connection:  # as a destination is asked
        for key in list(by_key)[:3]:
            between = "SELECT ? BETWEEN ? AND ?"
            assert (True,) in [connection.execute(between, [key, *each]).fetchone() for each in ranges]
    portions = list(owners.portions(2))
    assert all(sum(part.of(key) is not None for part in portions) == (key in by_key) for key in asked)


def test_a_load_replaces_the_days_of_its_windows_and_no_others(project: Path, api: StacApi) -> None:
    """Also where the id of another collection begins with that of one, or SQL might read it as a pattern."""
    names = ["a", "a-2024-01-01", "a%", "a_", "ab", "b"]
    for name in names:
        for day in ("2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01"):
            api.put(make_item(f"{name} {day}", name, f"{day}T10:00:00Z"))
    load_days(api, "search", names, "2023-12-31", "2025-01-01", granularity="yearly")
    stored = ids()
    assert len(stored) == 4 * len(names)
    for item in stored:
        api.remove(item.rpartition(" ")[0], item)
    load_days(api, "search", ["a", "a_"], "2024-01-01", granularity="yearly")
    gone = {f"{name} {day}" for name in ("a", "a_") for day in ("2024-01-01", "2024-12-31")}
    assert ids() == sorted(set(stored) - gone)


def test_what_is_staged_follows_the_rows_and_not_the_days(api: StacApi, project: Path) -> None:
    """In somebody's own script, where dlt merges: a row for each item and each day that has rows."""
    api.put(make_item("a", datetime="2001-02-03T10:00:00Z"))
    api.put(make_item("b", datetime="2003-02-03T10:00:00Z"))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON))
    pipeline = dlt.pipeline("mine", destination="duckdb", dataset_name="stac")

    def load() -> dict[str, int]:
        span: dict[str, Any] = {"start_date": "1950-01-01", "end_date": "2049-12-31", "granularity": "yearly"}
        source = pystac_client_source(api.url, collections=["c1"], **IMPATIENT, **span)
        pipeline.run(source.with_resources("search")).raise_on_failed_jobs()
        trace: Any = pipeline.last_trace
        counts: dict[str, int] = trace.last_normalize_info.row_counts
        return {name: counts.get(name, 0) for name in ("search", "rejected_items")}

    assert load() == {"search": 2, "rejected_items": 1}
    api.remove("c1", "b")
    assert load() == {"search": 1 + 2, "rejected_items": 1 + 1}
    with pipeline.sql_client() as client:
        assert client.execute_sql("SELECT id FROM search") == [("a",)]
        assert client.execute_sql("SELECT count(*) FROM rejected_items") == [(1,)]


def test_staging_tables_are_empty_after_a_load(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON))
    for _ in range(2):
        load_days(api)
        load_catalog(api, "collection", ["c1"])
    staging = "pystac_client_data_staging"
    found = query(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{staging}'")
    tables = [row["table_name"] for row in found if not row["table_name"].startswith("_dlt")]
    assert "collection" in tables
    for table in tables:
        assert query(f"SELECT count(*) AS n FROM {staging}.{table}") == [{"n": 0}]
