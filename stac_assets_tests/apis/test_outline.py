"""Of many items that dates may not find, only those of the windows are read, where that can be asked."""

from datetime import date, timedelta
from typing import Any

import pytest

from stac_assets_tests.apis.test_hidden_items import fetch, model, rows
from stac_assets_tests.asking import interval_of
from stac_assets_tests.finding import RULES, Rule, by_datetime, by_interval, found_by, owner_of
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

FIRST = date(2024, 1, 1)
DAY = FIRST + timedelta(days=7)
COLLECTIONS = ("c1", "c2")
COUNT = 600


def items() -> list[dict[str, Any]]:
    """Items of two collections on 99 days, of every shape that times have; ids are those of both."""
    found = []
    for number in range(COUNT):
        day, collection = FIRST + timedelta(days=number * 7 % 99), COLLECTIONS[number % 2]
        begin, end = f"{day}T00:00:00Z", f"{day + timedelta(days=1)}T12:00:00Z"
        other = f"{day + timedelta(days=20)}T00:00:00Z"
        times: dict[str, Any] = [
            {"datetime": begin},
            {"start": begin, "end": end},
            {"datetime": begin, "start_datetime": other, "end_datetime": other},
        ][number % 3]
        found.append(make_item(f"i{number // 2}", collection, **times))
    return found


def fill(api: StacApi, rule: Rule = by_interval) -> list[dict[str, Any]]:
    """Put the items there, and let the API have the Fields extension."""
    api.extensions = ("fields",)
    found = items()
    for raw in found_by(rule, found):
        api.put(raw)
    return found


def outlines(api: StacApi) -> list[Request]:
    """The first requests for an outline."""
    return [
        request for request in api.requests if "fields" in _parameters(request) and not _is_later(request)
    ]


def documents(api: StacApi) -> int:
    """How many whole items the API was asked for without a date, at most."""
    return sum(
        int(_parameters(request)["limit"])
        for request in api.requests
        if request.path == "/search" and "fields" not in _parameters(request) and not interval_of(request)
    )


def _parameters(request: Request) -> dict[str, Any]:
    return request.body if isinstance(request.body, dict) else request.query


def _is_later(request: Request) -> bool:
    return "token" in _parameters(request)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("number_matched", ["numberMatched", None])
def test_a_day_is_exact_whatever_dates_find(api: StacApi, rule: Rule, number_matched: Any) -> None:
    found = fill(api, rule)
    api.number_matched = number_matched
    for collections in (["c1"], ["c2"], [*COLLECTIONS]):
        assert rows(fetch(api, [DAY], "search", collections, page_size=20)) == model(
            found, [DAY], collections
        )


@pytest.mark.parametrize("post_search", [True, False])
def test_few_documents_are_read_of_many(api: StacApi, post_search: bool) -> None:
    found = fill(api)
    api.number_matched, api.post_search = None, post_search
    assert rows(fetch(api, [DAY], page_size=20)) == model(found, [DAY], ["c1"])
    assert outlines(api)
    assert documents(api) <= 100


def test_all_days_are_read_without_an_outline(api: StacApi) -> None:
    found = fill(api)
    days = [FIRST + timedelta(days=number) for number in range(99)]
    assert rows(fetch(api, days, page_size=20)) == model(found, days, ["c1"])
    assert not outlines(api)


def test_an_api_without_the_extension_is_not_asked_for_an_outline(api: StacApi) -> None:
    found = fill(api)
    api.extensions = ()
    assert rows(fetch(api, [DAY], page_size=20)) == model(found, [DAY], ["c1"])
    assert not outlines(api)


def _refused(page: dict[str, Any]) -> dict[str, Any]:
    return {"code": 400, "description": "unknown parameter"}


def _timeless(page: dict[str, Any]) -> dict[str, Any]:
    features = [{name: item[name] for name in ("id", "collection")} for item in page["features"]]
    return {**page, "features": features}


def _nameless(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "features": [{"properties": item["properties"]} for item in page["features"]]}


def _broken(page: dict[str, Any]) -> dict[str, Any]:
    return {**page, "features": [None, *page["features"]]}


@pytest.mark.parametrize("changed", [_refused, _timeless, _nameless, _broken])
def test_an_outline_that_says_too_little_leads_to_the_documents(api: StacApi, changed: Any) -> None:
    found = fill(api)

    def on_page(page: dict[str, Any], request: Request) -> dict[str, Any]:
        return changed(page) if "fields" in _parameters(request) else page

    api.on_page = on_page
    assert rows(fetch(api, [DAY], page_size=20)) == model(found, [DAY], ["c1"])
    assert outlines(api)


@pytest.mark.parametrize("kept", [0, 1])
def test_ids_that_are_not_found_lead_to_the_documents(api: StacApi, kept: int) -> None:
    found = fill(api)

    def on_page(page: dict[str, Any], request: Request) -> dict[str, Any]:
        is_by_id = "ids" in _parameters(request)
        return {**page, "features": page["features"][:kept], "links": []} if is_by_id else page

    api.on_page = on_page
    assert rows(fetch(api, [DAY], page_size=20)) == model(found, [DAY], ["c1"])


def test_ids_that_are_not_heeded_bring_no_other_items(api: StacApi) -> None:
    """All items of the collection come, among them those that were asked for."""
    found = fill(api)

    def on_page(page: dict[str, Any], request: Request) -> dict[str, Any]:
        is_by_id = "ids" in _parameters(request)
        return {**page, "features": found, "links": []} if is_by_id else page

    api.on_page = on_page
    assert rows(fetch(api, [DAY], page_size=20)) == model(found, [DAY], ["c1"])


def test_an_api_that_ignores_fields_answers_with_whole_items(api: StacApi) -> None:
    found = fill(api)
    api.feigned_extensions = "ignored"
    assert rows(fetch(api, [DAY], page_size=20)) == model(found, [DAY], ["c1"])


def test_a_document_without_times_is_rejected_once(api: StacApi) -> None:
    found = fill(api)
    odd = make_item("odd")
    odd["properties"].update(datetime=None)
    api.put(odd)
    [fetched] = fetch(api, [DAY], page_size=20)
    assert rows([fetched]) == model(found, [DAY], ["c1"])
    assert fetched.figures.rejected_items == 1


def test_two_documents_of_one_id_come_both(api: StacApi) -> None:
    """The newer one is the row, the other is rejected."""
    found = fill(api, by_datetime)
    [wanted, *_] = [item for item in found if item["collection"] == "c1" and owner_of(item) == str(DAY)]
    twin = {**wanted, "properties": {**wanted["properties"], "updated": "2030-01-01T00:00:00Z"}}

    def on_page(page: dict[str, Any], request: Request) -> dict[str, Any]:
        features = []
        for item in page["features"]:
            features.append(item)
            if item["id"] == wanted["id"] and item["collection"] == "c1":
                properties = (
                    twin["properties"] if "fields" not in _parameters(request) else item["properties"]
                )
                features.append({**item, "properties": properties})
        return {**page, "features": features}

    api.on_page = on_page
    [fetched] = fetch(api, [DAY], page_size=20)
    assert rows([fetched]) == model(found, [DAY], ["c1"])
    assert fetched.figures.rejected_items == 1


def test_more_items_than_are_read_whole_at_most(api: StacApi) -> None:
    fill(api, by_datetime)
    api.number_matched = None
    [fetched] = fetch(api, [DAY], page_size=20, largest=100)
    assert "which is not read whole" in fetched.incomplete
