"""A load of days of which neither the API nor the table has anything stores nothing."""

import os
import shutil
from collections.abc import Callable

import pytest

from stac_assets_tests.items_view import execute
from stac_assets_tests.loads import DATASET, column_types, ids, load_days, query, rows
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.test_lossless import BAD, NOON

EMPTY = "2024-03-01"


@pytest.fixture(autouse=True, params=["duckdb", "postgres"])
def stored(
    request: pytest.FixtureRequest, project: object, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item and a rejected document of a day, stored in both destinations."""
    monkeypatch.setenv("PIPELINE__DESTINATION", request.param)
    if request.param == "postgres":
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))
    api.put(make_item("a", gsd=10.5))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api)


def loads() -> int:
    """How many loads the dataset tells of."""
    return int(str(query(f"SELECT count(*) AS n FROM {DATASET}._dlt_loads")[0]["n"]))


def test_nothing_is_stored_where_nothing_would_change(api: StacApi) -> None:
    before = loads()
    result = load_days(api, first=EMPTY, last="2024-03-03")
    assert loads() == before and result.load_info is None
    assert [window.window.key for window in result.windows] == [f"c1|2024-03-0{n}" for n in (1, 2, 3)]
    assert result.location and result.table is not None and "gsd" in result.table.get("columns", {})
    assert ids() == ["a"] and len(rows("rejected_items")) == 1


def test_what_the_api_has_no_longer_is_deleted(api: StacApi) -> None:
    api.remove("c1", "a")
    load_days(api, last=EMPTY)
    assert ids() == [] and len(rows("rejected_items")) == 1
    api.clear()
    load_days(api, last=EMPTY)
    assert rows("rejected_items") == []


@pytest.mark.parametrize(
    "done",
    [
        lambda: execute(f"DROP TABLE {DATASET}.search"),
        lambda: execute(f"ALTER TABLE {DATASET}.search DROP COLUMN gsd"),
        lambda: execute(f"DROP TABLE {DATASET}._dlt_version"),
        lambda: shutil.rmtree(os.environ["DLT_DATA_DIR"]),
    ],
    ids=["table", "column", "record", "folder"],
)
def test_what_somebody_has_dropped_is_made_again(api: StacApi, done: Callable[[], None]) -> None:
    before, columns = loads(), column_types()
    done()
    load_days(api, first=EMPTY)
    assert loads() - before in (0, 1) and column_types() == columns, "what is made again holds no rows"


def test_what_is_not_stored_is_inspected_all_the_same(api: StacApi) -> None:
    """Checks of Dagster look at what is there after a load."""
    before = loads()
    result = load_days(api, first=EMPTY, inspected=True)
    assert loads() == before and result.inspection is not None
