"""Neighbouring windows that hold little are asked for together, and every partition is exact all the same."""

from datetime import date, timedelta
from random import Random

import pytest

from stac_assets.source import dealing
from stac_assets_tests.asking import interval_of, limit_of
from stac_assets_tests.loads import ids, load_days, rows
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

pytestmark = pytest.mark.usefixtures("project")
FIRST, LAST = "2024-01-01", "2024-02-29"
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(60)]


def fill(api: StacApi, count: int, seed: int = 0) -> dict[str, list[str]]:
    """Items on random days, some of them long; the ids that each day owns."""
    random, owned = Random(seed), {day.isoformat(): [] for day in DAYS}
    for n in range(count):
        day = random.choice(DAYS)
        name = f"i{n:04}"
        if n % 5:
            api.put(make_item(name, datetime=f"{day}T12:00:00Z"))
        else:
            end = day + timedelta(days=random.randrange(9))
            api.put(make_item(name, start=f"{day}T01:00:00Z", end=f"{end}T02:00:00Z"))
        owned[day.isoformat()].append(name)
    return owned


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_few_requests_and_every_day_exact(api: StacApi, resource: str) -> None:
    owned = fill(api, 90)
    api.put(make_item("before", start="2023-12-01T00:00:00Z", end="2024-01-03T00:00:00Z"))
    result = load_days(api, resource, first=FIRST, last=LAST, inspected=True, max_concurrent_requests=2)
    assert {day: ids(resource, day) for day in owned} == owned
    assert {fetched.window.start.isoformat(): fetched.figures.items for fetched in result.windows} == {
        day: len(names) for day, names in owned.items()
    }
    assert sum(fetched.figures.items_owned_elsewhere for fetched in result.windows) >= 1
    asked = [request for request in api.requests if request.path.endswith(("/search", "/items"))]
    assert len(asked) < 10
    assert result.figures.requests < 10
    assert result.inspection is not None
    assert all(
        found.rows == len(owned[str(key)[-10:]]) for key, found in result.inspection.partitions.items()
    )


def test_full_windows_stay_alone(api: StacApi) -> None:
    owned = fill(api, 360)
    for api.number_matched in ("numberMatched", None):
        api.reset()
        load_days(api, first=FIRST, last=LAST, page_size=2)
        assert {day: ids(day=day) for day in owned} == owned
        asked = [interval_of(request) for request in api.requests if request.path == "/search"]
        assert len([each for each in asked if each]) > 55


def test_one_day_that_fails_takes_no_other_with_it(api: StacApi) -> None:
    owned = fill(api, 60)
    day = next(day for day, names in owned.items() if names and "2024-01-10" < day < "2024-02-20")

    def touches(request: Request) -> bool:
        window = interval_of(request)
        return window[:10] <= day < window[21:31] and limit_of(request) > 1

    api.fault(touches, times=None, status=400)
    result = load_days(api, first=FIRST, last=LAST, fails=True, max_concurrent_requests=2)
    assert [failed.window.start.isoformat() for failed in result.failed] == [day]
    assert ids() == sorted(name for its, names in owned.items() if its != day for name in names)
    assert len(rows()) == result.figures.items
    asked = [request for request in api.requests if limit_of(request) > 1]
    assert len(asked) < 40, "most days were asked for together"
    told = [fetched.figures for fetched in (*result.windows, *result.failed)]
    told_requests = sum(figures.requests for figures in told)
    assert 0 <= told_requests - len(asked) <= 3, "the one in vain is counted too, and what proves the count"


def test_a_document_that_cannot_be_a_row_is_counted_with_the_day_that_has_it(api: StacApi) -> None:
    owned = fill(api, 90)
    nameless = RawItem.of({**make_item("x", datetime="2024-01-20T10:00:00Z"), "id": ""})
    api.put(nameless)
    for first, last in ((FIRST, LAST), ("2024-01-20", "2024-01-20")):
        load_days(api, first=first, last=last)
        assert {day: ids(day=day) for day in owned} == owned
        assert [row["_partition_key"] for row in rows("rejected_items")] == ["search|c1|2024-01-20"]
    api.remove(nameless.collection, nameless.id)
    load_days(api, first="2024-01-20")
    assert not rows("rejected_items")


def test_what_joined_windows_hold_beyond_the_count_is_written_while_it_comes(
    api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = fill(api, 90)
    monkeypatch.setattr(dealing, "BATCH_BYTES", 1)
    api.number_matched = None
    api.on_page = lambda page, _: {**page, "numberMatched": 3}
    result = load_days(api, first=FIRST, last=LAST, page_size=5, max_concurrent_requests=1)
    assert {day: ids(day=day) for day in owned} == owned
    assert max(len(window.spool.files) for window in result.windows) > 1
    assert len([request for request in api.requests if request.path == "/search"]) < 60
