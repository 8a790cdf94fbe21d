"""Answers that shrink: a partition of many rows that comes back almost empty is asked for once more."""

import logging
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import PagingError
from stac_assets_tests.asking import interval_of, limit_of, some_items
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.test_checks import search

MANY = 60
DAY = date(2024, 1, 1)


def put(api: StacApi, count: int = MANY, day: date = DAY, collection: str = "c1") -> None:
    for item in some_items(count, collection, day):
        api.put({**item, "id": f"{day.day} {item['id']}"})


def only(most: int, when: Callable[[Request], bool] = lambda request: True) -> Callable[[Any, Request], Any]:
    """Pages that have lost all items but the first few, without a word."""

    def cut(page: Any, request: Request) -> Any:
        if when(request):
            page |= {"features": page["features"][:most], "links": [], "numberMatched": most}
        return page

    return cut


def first_times(number: int) -> Callable[[Request], bool]:
    """Whether a request is one of the first so many for a page of several items."""
    seen: list[Request] = []

    def is_early(request: Request) -> bool:
        if request not in seen and limit_of(request) > 1:
            seen.append(request)
        return len(seen) <= number

    return is_early


@pytest.mark.parametrize("resource", ["search", "collection_items"])
@pytest.mark.parametrize("most", [0, 5])
@pytest.mark.parametrize("largest", [0, 100_000])
def test_an_api_that_recovers_takes_no_row(
    project: Path, api: StacApi, resource: str, most: int, largest: int, caplog: pytest.LogCaptureFixture
) -> None:
    put(api)
    load_days(api, resource, largest_whole_collection=largest)
    before = ids(resource)
    api.on_page = only(most, first_times(1))
    with caplog.at_level(logging.WARNING):
        result = load_days(api, resource, largest_whole_collection=largest)
    assert ids(resource) == before and len(before) == MANY
    assert result.figures.asked_again == 1
    assert str(result.windows[0].shrinkage) == (
        f"the table held 60 rows, and the API answered with {most} documents, and asked again with 60"
    )
    assert "asking once more for: c1, 2024-01-01" in caplog.text


@pytest.mark.parametrize("left", [0, 1, 5])
def test_an_answer_that_stays_small_is_believed_and_told(project: Path, api: StacApi, left: int) -> None:
    put(api)
    search(api)
    for n in range(left, MANY):
        api.remove("c1", f"1 a{n}")
    judgement = search(api)["row_count", "c1|2024-01-01"]
    assert len(ids()) == left
    assert (judgement.passed, judgement.severity.value) == (False, "WARN")
    assert "the table held 60 rows, and the API answered with" in judgement.description
    assert judgement.metadata["rows_before"] == 60 and judgement.metadata["first_answer"] == left
    assert search(api)["row_count", "c1|2024-01-01"].passed, "the rows that are left are few"


def test_one_that_recovers_passes_and_is_told(project: Path, api: StacApi) -> None:
    put(api)
    search(api)
    api.on_page = only(0, first_times(1))
    judgement = search(api)["row_count", "c1|2024-01-01"]
    assert judgement.passed and judgement.is_remarkable
    assert judgement.metadata["rows_before"] == 60 and judgement.metadata["first_answer"] == 0


@pytest.mark.parametrize(("rows", "left"), [(49, 0), (60, 6), (60, 59), (0, 0)])
def test_what_has_not_shrunk_costs_nothing(project: Path, api: StacApi, rows: int, left: int) -> None:
    put(api, rows)
    api.put(make_item("other", datetime="2023-01-01T00:00:00Z"))
    load_days(api)
    for n in range(left, rows):
        api.remove("c1", f"1 a{n}")
    costs = []
    for confirm in (False, True):
        api.reset()
        result = load_days(api, confirm_shrunk=confirm)
        assert result.figures.asked_again == 0 and result.windows[0].shrinkage is None
        costs.append(len(api.requests))
        assert len(ids()) == left
    assert costs[0] == costs[1]


def test_it_can_be_switched_off(project: Path, api: StacApi) -> None:
    put(api)
    load_days(api)
    api.on_page = only(0, first_times(1))
    result = load_days(api, confirm_shrunk=False)
    assert ids() == [] and result.figures.asked_again == 0


def test_it_is_switched_off_by_the_configuration(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(api)
    load_days(api)
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__CONFIRM_SHRUNK", "false")
    api.on_page = only(0, first_times(1))
    load_days(api)
    assert ids() == []


def test_a_second_question_that_fails_leaves_the_rows(project: Path, api: StacApi) -> None:
    put(api)
    load_days(api)
    api.on_page = only(0)
    is_early = first_times(1)
    api.fault(lambda request: limit_of(request) > 0 and not is_early(request), status=500, times=None)
    result = load_days(api, fails=True)
    assert len(ids()) == MANY and result.failed[0].error is not None


def test_answers_that_contradict_each_other_leave_the_rows(project: Path, api: StacApi) -> None:
    put(api)
    load_days(api)
    early, late = only(4), only(0)
    is_early = first_times(1)
    api.on_page = lambda page, request: (early if is_early(request) else late)(page, request)
    result = load_days(api, fails=True)
    assert len(ids()) == MANY
    assert isinstance(result.failed[0].error, PagingError)
    assert "answered with 4 documents, and again with 0: it contradicts itself" in str(result.failed[0].error)


def test_only_what_has_shrunk_is_asked_again(project: Path, api: StacApi) -> None:
    days = [DAY + timedelta(n) for n in range(5)]
    for day in days:
        put(api, day=day)
    load_days(api, last="2024-01-05")
    api.reset()
    api.on_page = only(0, lambda request: "2024-01-03T00" in interval_of(request).partition("/")[0])
    result = load_days(api, last="2024-01-05")
    assert [window.figures.asked_again for window in result.windows] == [0, 0, 1, 0, 0]
    starts = [interval_of(request)[:10] for request in api.requests if limit_of(request) > 1]
    assert starts.count("2024-01-03") == 2 and {starts.count(str(day)) for day in days[3:]} == {1}
    assert len(ids()) == 4 * MANY + 1  # that of midnight came with the answer for the day before


def test_many_days_that_are_asked_for_together_are_asked_again_together(project: Path, api: StacApi) -> None:
    days = [DAY + timedelta(n) for n in range(31)]
    for collection in ("c1", "c2"):
        for day in days:
            put(api, day=day, collection=collection)
    both = {"collections": ["c1", "c2"], "last": "2024-01-31", "page_size": 10_000}
    load_days(api, **both)
    before = ids()
    api.on_page = only(0, first_times(1))
    api.reset()
    result = load_days(api, **both)
    assert ids() == before and len(before) == 62 * MANY
    assert result.figures.asked_again == 62
    assert len([request for request in api.requests if limit_of(request) > 1]) < 62


def test_what_other_answers_bring_stays_with_what_is_asked_again(project: Path, api: StacApi) -> None:
    put(api)
    api.put(make_item("long", start="2024-01-01T00:00:00Z", end="2024-01-02T12:00:00Z"))
    put(api, day=date(2024, 1, 2))
    load_days(api, last="2024-01-02")
    hides = ["long"]

    def forgetful(page: Any, request: Request) -> Any:
        if interval_of(request).startswith("2024-01-01"):
            kept = [item for item in page["features"] if item["id"] not in hides]
            page |= {"features": kept if is_late(request) else [], "links": [], "numberMatched": None}
        return page

    is_early = first_times(1)

    def is_late(request: Request) -> bool:
        return not is_early(request)

    api.on_page = forgetful
    result = load_days(api, last="2024-01-02", page_size=1000, max_concurrent_requests=1)
    assert len(ids(day="2024-01-01")) == MANY + 1
    assert result.windows[0].brought_by_others.count == 1
