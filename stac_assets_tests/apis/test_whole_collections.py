"""What it costs to learn what dates hide, and what is told where a collection is too large to be read."""

from base64 import b64decode
from datetime import date, timedelta
from typing import Any

import pytest

from stac_assets.catalog import Catalog
from stac_assets.cli.load import summary
from stac_assets.orchestration.checks import judged
from stac_assets.orchestration.metadata import partitions_metadata
from stac_assets.pipeline.load_result import LoadResult
from stac_assets_tests.asking import interval_of
from stac_assets_tests.finding import by_datetime, by_interval, found_by
from stac_assets_tests.loads import ids, settings_for
from stac_assets_tests.loads import load_days as load_days_by_date
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

pytestmark = pytest.mark.usefixtures("project")


def load_days(api: StacApi, resource: str = "search", **settings: Any) -> LoadResult:
    """A load as a user's, which does not trust dates."""
    return load_days_by_date(api, resource, **{"largest_whole_collection": 100_000, **settings})


def fill(api: StacApi, count: int, rule: Any = by_interval, collection: str = "c1", every: int = 0) -> None:
    """Items on the days of 2024, each `every`-th of them without a `datetime`."""
    items = []
    for n in range(count):
        day, name = date(2024, 1, 1) + timedelta(days=n % 300), f"i{n:04}"
        if every and n % every == 0:
            items.append(make_item(name, collection, start=f"{day}T00:00:00Z", end=f"{day}T20:00:00Z"))
        else:
            items.append(make_item(name, collection, f"{day}T12:00:00Z"))
    for raw in found_by(rule, items):
        api.put(raw)


def questions(api: StacApi) -> list[Request]:
    """The requests for items, pages behind a first one included."""
    return [request for request in api.requests if request.path.endswith(("/search", "/items"))]


def row_counts(result: LoadResult, api: StacApi) -> list[str]:
    """What `row_count` warns of."""
    found = judged(result, Catalog(settings_for(api)))
    return [one.description for name, _, one in found if name == "row_count" and not one.passed]


@pytest.mark.parametrize("resource", ["search", "collection_items"])
@pytest.mark.parametrize("number_matched", ["numberMatched", None])
def test_a_sound_api_pays_three_requests_at_most(api: StacApi, resource: str, number_matched: Any) -> None:
    fill(api, 900)
    api.number_matched = number_matched
    counts = {}
    for largest in (0, 100_000):
        api.reset()
        load_days(api, resource, first="2024-03-01", last="2024-03-02", largest_whole_collection=largest)
        counts[largest] = len(questions(api))
    assert counts[100_000] - counts[0] <= 3
    assert len(ids(resource)) == 6


def test_a_collection_of_a_page_is_not_asked_by_date(api: StacApi) -> None:
    fill(api, 151)
    result = load_days(api, first="2024-01-01", last="2024-12-31")
    undated = [request for request in questions(api) if not interval_of(request)]
    assert undated and len(questions(api)) == result.figures.requests <= 4
    assert len(ids()) == 151


@pytest.mark.parametrize("number_matched", ["numberMatched", None])
@pytest.mark.parametrize("limit", [100, 300])
def test_answers_that_a_limit_cuts_off_are_not_taken_for_all(
    api: StacApi, number_matched: Any, limit: int
) -> None:
    """What is counted and what the pages hold ends at the same number."""
    fill(api, 350)

    def cut_off(page: dict[str, Any], request: Request) -> dict[str, Any]:
        token = b64decode(str((request.body or {}).get("token") or "")).removeprefix(b"offset:")
        begin = int(token or 0)
        count = {} if "numberMatched" not in page else {"numberMatched": min(limit, page["numberMatched"])}
        ends = begin + len(page["features"]) >= limit
        links = [link for link in page["links"] if link["rel"] != "next" or not ends]
        return {**page, **count, "features": page["features"][: max(0, limit - begin)], "links": links}

    api.on_page = cut_off
    load_days(api, first="2024-01-01", last="2024-01-10")
    assert len(ids()) == 20


@pytest.mark.parametrize("limit", [30, 64, 100])
@pytest.mark.parametrize("last", ["2024-01-01", "2024-03-31"])
def test_a_count_of_the_page_is_none_of_the_collection(api: StacApi, limit: int, last: str) -> None:
    """Pages end at a limit, no link leads on, and the API counts what is on the page."""
    fill(api, 350)
    api.max_limit = limit

    def counted(page: dict[str, Any], request: Request) -> dict[str, Any]:
        return {**page, "links": [], "numberMatched": len(page["features"])}

    api.on_page = counted
    result = load_days(api, first="2024-01-01", last=last)
    days = len(result.windows)
    assert len(ids()) == sum(1 for n in range(350) if n % 300 < days)


@pytest.mark.parametrize("number_matched", ["numberMatched", None])
def test_what_is_too_large_is_told_and_not_read(
    api: StacApi, number_matched: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fill(api, 900, by_datetime, every=30)
    api.number_matched = number_matched
    settings = {"largest_whole_collection": 500, "page_size": 50, "inspected": True}
    result = load_days(api, first="2024-01-01", last="2024-01-03", **settings)
    assert ids() == sorted(f"i{n:04}" for n in range(900) if n % 300 in (1, 2))
    told = "dates do not find 30 items of c1" if number_matched else "dates do not find some items of c1"
    [warning] = [one.getMessage() for one in caplog.records if told in one.getMessage()]
    assert "`largest_whole_collection` is 500" in warning
    assert row_counts(result, api) == [warning] * 3
    assert [
        found["may_lack_items"] for _, found in partitions_metadata(result, Catalog(settings_for(api)))
    ] == [warning] * 3
    assert any("may lack items" in str(cell) for column in summary(result).columns for cell in column.cells)
    assert len(questions(api)) < (10 if number_matched else 25)

    result = load_days(
        api, first="2024-01-01", last="2024-01-03", **{**settings, "largest_whole_collection": 900}
    )
    assert ids() == sorted(f"i{n:04}" for n in range(900) if n % 300 in (0, 1, 2))
    assert not row_counts(result, api)


def test_a_users_filters_narrow_the_questions_too(api: StacApi) -> None:
    """Beyond the box dates hide items, and nobody asked for those."""
    fill(api, 300)
    outside = {"bbox": [40, 40, 41, 41], "geometry": {"type": "Point", "coordinates": [40, 40]}}
    hidden = make_item("far", start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z", extra=outside)
    for raw in found_by(by_datetime, [hidden]):
        api.put(raw)
    load_days(api, first="2024-01-01", bbox=[10, 50, 20, 60], page_size=20)
    assert "far" not in ids()
    assert all(
        request.body["bbox"] == [10, 50, 20, 60]
        for request in questions(api)
        if not request.body.get("token")
    )


def test_a_reading_that_breaks_off_changes_nothing(api: StacApi) -> None:
    fill(api, 900, by_datetime, every=30)
    load_days(api, first="2024-01-01", page_size=100)
    assert ids() == ["i0000", "i0300", "i0600"]
    api.fault(lambda request: is_later_undated(request), times=None, status=503)
    load_days(api, first="2024-01-01", page_size=100, fails=True)
    assert ids() == ["i0000", "i0300", "i0600"]


def is_later_undated(request: Request) -> bool:
    """Whether a page is asked for, behind the first one, of what is asked without a date."""
    return request.path == "/search" and not interval_of(request) and "token" in str(request.body)


def test_a_document_without_a_day_is_rejected_once(api: StacApi) -> None:
    fill(api, 900, by_datetime, every=30)
    timeless = make_item("timeless", datetime=None)
    for raw in found_by(by_datetime, [timeless]):
        api.put(raw)
    result = load_days(api, first="2024-01-01", last="2024-01-03", page_size=100)
    assert sum(len(window.spool.rejected) for window in result.windows) == 1
    assert len(ids()) == 9


def test_a_sample_asks_nothing_more(api: StacApi) -> None:
    fill(api, 900, by_datetime, every=30)
    load_days(api, first="2024-01-02", max_items=1)
    assert all(interval_of(request) for request in questions(api))


@pytest.mark.parametrize("status", [400, 403, 500, 504])
def test_an_api_that_cannot_be_asked_without_a_date_is_asked_by_date(api: StacApi, status: int) -> None:
    """It is not asked again and again for what it may never answer."""
    fill(api, 300)
    api.fault(lambda r: r.path == "/search" and not interval_of(r), times=None, status=status)
    load_days(api, first="2024-01-01", last="2024-01-02", max_retries=6)
    assert ids() == ["i0000", "i0001"]
    assert len([request for request in questions(api) if not interval_of(request)]) <= 6


def test_one_page_that_may_have_been_cut_off_is_not_taken_for_all(api: StacApi) -> None:
    """It counts nothing, has no `next`, and gives 20 items at most."""
    fill(api, 60)
    api.number_matched, api.max_limit = None, 20
    api.on_page = lambda page, _: {**page, "links": []}
    load_days(api, first="2024-01-01", last="2024-02-29")
    assert len(ids()) == 60


@pytest.mark.parametrize("number_matched", ["numberMatched", None])
def test_several_collections_are_asked_about_together(api: StacApi, number_matched: Any) -> None:
    """A sound API pays three requests at most for all of them."""
    names = [f"c{n}" for n in range(12)]
    for name in names:
        fill(api, 70, collection=name)
    api.number_matched = number_matched
    asked = {}
    for largest in (0, 100_000):
        api.reset()
        load_days(api, collections=names, first="2024-01-05", largest_whole_collection=largest)
        asked[largest] = len(questions(api))
    assert asked[100_000] - asked[0] <= 3
    assert len(ids()) == 12


@pytest.mark.parametrize("number_matched", ["numberMatched", None])
def test_one_collection_of_several_that_dates_do_not_find(api: StacApi, number_matched: Any) -> None:
    names = [f"c{n}" for n in range(12)]
    fill(api, 70, by_datetime, "c0", every=7)
    for name in names[1:]:
        fill(api, 70, collection=name)
    api.number_matched = number_matched
    load_days(api, collections=names, first="2024-01-08")
    assert len(ids()) == 12


def test_an_answer_that_shows_what_dates_hide(api: StacApi) -> None:
    """The first pages did not show it; then the collection is read whole after all."""
    fill(api, 100)
    came: dict[str, Any] = {"start_datetime": "2024-01-05T00:00:00Z", "end_datetime": "2024-01-07T00:00:00Z"}
    unseen: dict[str, Any] = {
        "start_datetime": "2024-02-05T00:00:00Z",
        "end_datetime": "2024-02-07T00:00:00Z",
    }
    api.put(make_item("came", datetime="2024-01-09T00:00:00Z", **came))
    api.put(make_item("unseen", datetime="2024-01-08T00:00:00Z", **unseen))
    result = load_days(api, first="2024-01-05", last="2024-01-09", page_size=20, inspected=True)
    assert ids() == ["came", *(f"i{n:04}" for n in range(4, 9)), "unseen"]
    assert not row_counts(result, api)
