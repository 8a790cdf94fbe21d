"""A survey: what it costs at an API that fails. What it tells is tested with the command `check`."""

from typing import Any

import pytest

from stac_assets.stac.asked_once import AskedOnce
from stac_assets.stac.survey import SAMPLE_ITEMS, Presence, survey
from stac_assets.stac.windows import Window
from stac_assets_tests.asking import DAY, WINDOW, asked, interval_of, limit_of, options_for
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

YEAR = Window("c1", DAY, DAY.replace(year=2025))
FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "504": {"status": 504},
    "too large": {"status": 413},
    "hung up": {"drop": True},
    "no page": {"body": b"<html>busy"},
}


def is_item_request(request: Request) -> bool:
    return request.path in ("/search", "/collections/c1/items")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_search_that_fails_is_asked_for_twice_at_most_and_reported(
    api: StacApi, fault: dict[str, Any]
) -> None:
    api.put(make_item("a"))
    api.fault("/search", times=None, **fault)
    found = survey(AskedOnce(options_for(api)), [YEAR])
    assert 1 <= len(asked(api)) <= 2
    assert found.probe("search").presence is Presence.FAILED
    assert [estimate.items for estimate in found.estimates] == [1]  # by the other endpoint


def test_items_that_no_endpoint_lists_are_neither_split_nor_asked_for_in_smaller_pages(api: StacApi) -> None:
    api.put(make_item("a"))
    api.fault(is_item_request, times=None, status=500)
    found = survey(AskedOnce(options_for(api)), [YEAR])
    requests = [request for request in api.requests if is_item_request(request)]
    assert len(requests) <= 2 * 3  # two endpoints, and the only collection
    assert {limit_of(request) for request in requests} == {SAMPLE_ITEMS}
    assert {interval_of(request) for request in requests} == {str(YEAR.interval)}
    assert found.unreadable and "500" in str(found.unreadable[0].error)


def test_a_sample_is_one_request(api: StacApi) -> None:
    for n in range(3 * SAMPLE_ITEMS):
        api.put(make_item(f"a{n}"))
    api.number_matched = None  # so that a load would ask for the other pages, and for proof of their end
    found = survey(AskedOnce(options_for(api)), [WINDOW])
    assert asked(api) == ["POST", "POST"]  # the endpoint, and its only collection
    assert found.estimates[0].items is None and found.estimates[0].item_bytes


def test_a_search_by_post_that_is_refused_is_made_by_get(api: StacApi) -> None:
    api.put(make_item("a"))
    api.post_search = 405
    found = survey(AskedOnce(options_for(api)), [WINDOW])
    assert asked(api) == ["POST", "GET", "GET"]
    assert found.probe("search").detail.startswith("GET; 1 item ")
