"""Items that a window's answer brings and another one owns: none vanishes, and odd ones are warned about."""

import logging
from typing import Any

import pytest

from stac_assets.catalog import Catalog
from stac_assets.cli.load import summary
from stac_assets.orchestration.checks import judged
from stac_assets.orchestration.metadata import partitions_metadata
from stac_assets.pipeline.load_result import LoadResult
from stac_assets_tests.loads import ids, load_days, settings_for
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

pytestmark = pytest.mark.usefixtures("project")
FIRST, LAST = "2024-01-01", "2024-01-12"


def outside(name: str = "nominal", collection: str = "c1", day: str = "2024-01-09") -> dict[str, Any]:
    """An item that the test API, which goes by intervals, finds on 5 to 7 January, and another day owns."""
    spans: dict[str, Any] = {"start_datetime": "2024-01-05T00:00:00Z", "end_datetime": "2024-01-07T12:00:00Z"}
    return make_item(name, collection, f"{day}T00:00:00Z", **spans)


def by_dates(api: StacApi, resource: str = "search", last: str = LAST, **settings: Any) -> LoadResult:
    """A load that trusts dates."""
    settings = {"first": FIRST, "last": last, "largest_whole_collection": 0, "inspected": True, **settings}
    return load_days(api, resource, **settings)


def warnings(result: LoadResult, api: StacApi) -> dict[str | None, str]:
    """What `row_count` warns of, by partition."""
    found = judged(result, Catalog(settings_for(api)))
    return {key: one.description for name, key, one in found if name == "row_count" and not one.passed}


@pytest.mark.parametrize("resource", ["search", "collection_items"])
@pytest.mark.parametrize("page_size", [1, 200])
def test_what_another_window_of_the_load_owns_is_stored_there(
    api: StacApi, resource: str, page_size: int, caplog: pytest.LogCaptureFixture
) -> None:
    for item in (outside(), make_item("plain", datetime="2024-01-06T12:00:00Z")):
        api.put(item)
    result = by_dates(api, resource, page_size=page_size)
    assert ids(resource, "2024-01-09") == ["nominal"]
    assert ids(resource) == ["nominal", "plain"]
    if result.windows[8].brought_by_others:
        assert "nominal (c1|2024-01-09)" in caplog.text
        assert list(warnings(result, api)) == ["c1|2024-01-09"]
        assert "nominal" in warnings(result, api)["c1|2024-01-09"]


def test_what_the_own_answer_brought_too_is_stored_once(api: StacApi) -> None:
    """Items that last for days come with the answers of all of them."""
    names = [f"i{n}" for n in range(9)]
    for n, name in enumerate(names, 1):
        api.put(make_item(name, start=f"2024-01-0{n}T10:00:00Z", end="2024-01-12T00:00:00Z"))
    result = by_dates(api, page_size=1)
    assert ids() == names
    assert not warnings(result, api)
    assert not any(window.brought_by_others or window.strays for window in result.windows)


def test_an_owner_that_failed_stays_as_it_was(api: StacApi) -> None:
    api.put(make_item("plain", datetime="2024-01-06T12:00:00Z"))
    by_dates(api)
    api.put(outside())
    api.fault(lambda request: asks_for(request, "2024-01-09"), times=None, status=400)
    result = by_dates(api, page_size=1, fails=True)
    assert [failed.window.start.isoformat() for failed in result.failed] == ["2024-01-09"]
    assert ids() == ["plain"]


def asks_for(request: Request, day: str) -> bool:
    """Whether a search asks for days among which is this one."""
    asked = str((request.body or {}).get("datetime", ""))
    return asked[:10] <= day < asked[21:31]


def test_what_no_window_of_the_load_owns_is_named(api: StacApi, caplog: pytest.LogCaptureFixture) -> None:
    for n in range(25):
        api.put(outside(f"late{n:02}", day="2024-02-01"))
    foreign = RawItem.of(make_item("foreign", "c2", "2024-01-05T00:00:00Z"))
    api.on_page = lambda page, _: {**page, "features": [*page["features"], foreign]}
    result = by_dates(api)
    assert ids() == []
    told = next(record.getMessage() for record in caplog.records if "26 items were sent" in record.message)
    assert "late00 (c1|2024-02-01)" in told and "6 more" in told
    metadata = dict(partitions_metadata(result, Catalog(settings_for(api))))
    named = [found["strays_named"] for found in metadata.values() if "strays_named" in found]
    assert sum(len(table.records) for table in named) >= 20
    cells = [str(cell) for column in summary(result).columns for cell in column.cells]
    assert any("late00 (c1|2024-02-01)" in cell for cell in cells)


def test_plain_overlaps_are_no_reason_to_warn(api: StacApi, caplog: pytest.LogCaptureFixture) -> None:
    """They begin before the first day of the load, and reach into it."""
    for n in range(3):
        api.put(make_item(f"long{n}", start="2023-12-30T00:00:00Z", end="2024-01-02T00:00:00Z"))
    caplog.set_level(logging.INFO, "stac_assets")
    result = by_dates(api)
    assert ids() == []
    [told] = [record for record in caplog.records if "long0 (c1|2023-12-30)" in record.getMessage()]
    assert told.levelno == logging.INFO
    assert not warnings(result, api)
    assert sum(window.overlaps.count for window in result.windows) == 3
    assert not any(window.strays for window in result.windows)


def test_a_window_that_is_sent_everything_names_it_once(api: StacApi) -> None:
    """An API that ignores `datetime` sends each item with every window."""
    for day in range(1, 10):
        api.put(make_item(f"i{day}", datetime=f"2024-01-0{day}T10:00:00Z"))
    api.put(make_item("later", datetime="2024-03-01T00:00:00Z"))
    spoilt = StacApi._page

    def undated(self: StacApi, request: Request, parameters: dict[str, Any]) -> Any:
        return spoilt(self, request, {k: v for k, v in parameters.items() if k != "datetime"})

    api._page = undated.__get__(api)  # type: ignore[method-assign]
    result = by_dates(api, page_size=200, last="2024-01-09", max_concurrent_requests=1)
    assert ids() == [f"i{day}" for day in range(1, 10)]
    assert sum(window.strays.count for window in result.windows) == 1
