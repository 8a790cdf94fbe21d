"""APIs that refuse a page size as too large: by how few requests the largest that they accept is learned."""

import json
import logging
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.asking import (
    client,
    fetched,
    ids_of,
    interval_of,
    limit_of,
    searched,
    some_items,
    spooled,
)
from stac_assets_tests.loads import ids, load_catalog, load_days
from stac_assets_tests.stac_api import StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.watching import Watch

MOST = 12


def error(text: str) -> bytes:
    return json.dumps({"code": "BadRequest", "description": text}).encode()


def pydantic(most: int, **context: int) -> bytes:
    """What FastAPI answers; the input that it repeats makes it long."""
    message = f"Input should be less than or equal to {most}"
    where = {"type": "less_than_equal", "loc": ["body", "limit"], "msg": message, "input": "x" * 500}
    return json.dumps({"detail": [{**where, "ctx": context or {"le": most}}]}).encode()


SAID = {
    "FastAPI": pydantic(MOST),
    "pydantic 1": pydantic(MOST, limit_value=MOST),
    "JSON schema": error(f"/limit must be <= {MOST}"),
    "a sentence": error(f"limit 200 exceeds the maximum of {MOST} items at 2024-01-05T10:00:00Z"),
    "a range": error(f"'limit' is not in [1,{MOST}]"),
    "an exclusive end": error(f"limit must be greater than 0 and less than {MOST + 1}"),
}


def refuse(api: StacApi, most: int = MOST, body: bytes = SAID["FastAPI"], status: int = 422) -> None:
    api.fault(lambda request: limit_of(request) > most, status=status, body=body, times=None)


def sizes(api: StacApi) -> list[int]:
    """The page sizes of all requests, without those that prove something with one item."""
    return [size for request in api.requests if (size := limit_of(request)) > 1]


def put(api: StacApi, count: int, days: int = 1) -> None:
    for n in range(days):
        for item in some_items(count, day=date(2024, 1, 1 + n)):
            api.put({**item, "id": f"{n} {item['id']}" if n else item["id"]})


@pytest.mark.parametrize("resource", ["search", "collection_items"])
@pytest.mark.parametrize("status", [400, 422])
def test_it_is_learned_with_one_request_more_and_told(
    project: Path, api: StacApi, resource: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    put(api, 30)
    refuse(api, status=status)
    with caplog.at_level(logging.WARNING):
        result = load_days(api, resource, page_size=200)
    assert ids(resource) == sorted(ids_of(30))
    assert sizes(api)[:2] == [200, MOST] and set(sizes(api)[1:]) == {MOST}
    assert result.figures.page_size_reductions == 1
    [told] = [record.getMessage() for record in caplog.records if "page_size" in record.getMessage()]
    assert f"gets questions for {MOST} from now on" in told and f"answered {status}" in told


def test_so_is_a_search_by_get(api: StacApi, tmp_path: Path) -> None:
    api.post_search = False
    put(api, 30)
    refuse(api)
    [window] = fetched(api, tmp_path, page_size=200)
    assert spooled(window) == sorted(ids_of(30))
    assert [limit_of(r) for r in api.requests if r.method == "GET" and r.query.get("limit", "1") != "1"] == [
        200,
        *[MOST] * 3,
    ]


@pytest.mark.parametrize("body", SAID.values(), ids=SAID)
def test_the_number_is_read_from_the_error(api: StacApi, tmp_path: Path, body: bytes) -> None:
    put(api, 30)
    refuse(api, body=body)
    [window] = fetched(api, tmp_path, page_size=200)
    assert spooled(window) == sorted(ids_of(30))
    assert sizes(api)[:2] == [200, MOST]


@pytest.mark.parametrize(
    ("most", "size", "tried"),
    [
        (100, 200, [200, 100]),
        (100, 10_000, [10_000, 100, 1_000, 500, 250]),
        (250, 1_000, [1_000, 100, 500, 250]),
        (20, 200, [200, 100, 10, 50, 20]),
        (10, 50, [50, 10, 20]),
    ],
)
def test_where_the_error_names_none_usual_sizes_are_tried(
    api: StacApi, tmp_path: Path, most: int, size: int, tried: list[int]
) -> None:
    put(api, 300)
    refuse(api, most, body=error("Bad Request"), status=400)
    [window] = fetched(api, tmp_path, page_size=size)
    assert spooled(window) == sorted(ids_of(300))
    assert sizes(api)[: len(tried)] == tried and set(sizes(api)[len(tried) :]) == {most}


def test_a_number_that_is_not_the_limit_does_no_harm(api: StacApi, tmp_path: Path) -> None:
    put(api, 30)
    refuse(api, 100, body=error("quota exceeded: at most 150 of something else"), status=400)
    [window] = fetched(api, tmp_path, page_size=200)
    assert spooled(window) == sorted(ids_of(30))
    assert sizes(api)[:3] == [200, 150, 100]


@pytest.mark.parametrize("at_once", [1, 4, 12])
def test_all_windows_and_threads_go_by_it(api: StacApi, tmp_path: Path, at_once: int) -> None:
    days = 20
    put(api, 25, days)
    refuse(api)
    windows = fetched(api, tmp_path, days=days, page_size=200, max_concurrent_requests=at_once)
    assert [len(spooled(window)) for window in windows] == [25] * days
    refused = [size for size in sizes(api) if size > MOST]
    assert 1 <= len(refused) <= min(at_once, 4)
    assert sum(window.figures.page_size_reductions for window in windows) == len(refused)


def without_next(page: Any, _: Request) -> Any:
    page["links"] = []
    return page


@pytest.mark.parametrize("most", [12, 7, 2])
def test_a_full_page_of_that_size_is_no_proof_of_an_end(api: StacApi, tmp_path: Path, most: int) -> None:
    put(api, 30)
    api.number_matched, api.on_page = None, without_next
    refuse(api, most, body=error(f"at most {most}"))
    [window] = fetched(api, tmp_path, page_size=200)
    assert window.error is None
    assert spooled(window) == sorted(ids_of(30))


def test_the_listing_of_collections_goes_by_what_the_error_names(project: Path, api: StacApi) -> None:
    api.collections = [make_collection(f"c{n:02}") for n in range(35)]
    api.collections_page_size = 10
    refuse(api, 50, body=error("limit: at most 50"))

    def listing(request: Request) -> bool:
        return request.path == "/collections" and 10 < limit_of(request) <= 50

    shown = {"collections": api.collections, "links": []}
    api.fault(listing, body=json.dumps(shown).encode(), times=None)
    api.fault(
        lambda request: request.path == "/collections",
        body=json.dumps({"collections": api.collections[:10], "links": []}).encode(),
        times=None,
    )
    assert len(load_catalog(api, "collections").collection_ids or ()) == 35
    asked = [limit_of(request) for request in api.requests if request.path == "/collections"]
    assert asked[:3] == [0, 10_000, 50]


@pytest.mark.parametrize("largest", [0, 100_000])
def test_whole_collections_are_read_in_it(project: Path, api: StacApi, largest: int) -> None:
    for n in range(30):
        api.put(
            make_item(f"a{n}", start=f"2024-01-01T{n % 24:02}:00:00Z", end=f"2024-01-01T{n % 24:02}:30:00Z")
        )
    refuse(api)
    result = load_days(api, page_size=200, largest_whole_collection=largest)
    assert ids() == sorted(ids_of(30))
    assert sum(size > MOST for size in sizes(api)) == 1
    assert result.figures.page_size_reductions == 1


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_a_request_that_is_wrong_otherwise_fails_as_it_is(
    api: StacApi, tmp_path: Path, resource: str
) -> None:
    put(api, 1)
    path = "/search" if resource == "search" else "/collections/c1/items"
    api.fault(path, status=400, body=error("datetime 2024-01-05 is not supported"), times=None)
    windows = fetched(api, tmp_path, days=5, resource=resource, page_size=200, max_concurrent_requests=1)
    for window in windows:
        assert "answered 400" in str(window.error) and "is not supported" in str(window.error)
        assert window.figures.page_size_reductions == 0
    assert len(sizes(api)) <= 5 + 2  # those for less come with the first error only


def test_a_size_that_was_answered_is_not_what_is_wrong(api: StacApi, tmp_path: Path) -> None:
    put(api, 30, 3)
    api.fault(
        lambda request: interval_of(request).startswith("2024-01-03"),
        status=400,
        body=error("bad"),
        times=None,
    )
    windows = fetched(api, tmp_path, days=3, page_size=20, max_concurrent_requests=1)
    assert [window.error is None for window in windows] == [True, True, False]
    assert set(sizes(api)) <= {20, 19}


def test_each_method_may_have_its_own(api: StacApi, tmp_path: Path) -> None:
    put(api, 30, 2)
    api.fault(lambda request: request.method == "GET" and limit_of(request) > MOST, status=400, times=None)
    api.post_fails_after = 1
    windows = fetched(api, tmp_path, days=2, page_size=20, max_concurrent_requests=1)
    assert [len(spooled(window)) for window in windows] == [30, 30]


@pytest.mark.parametrize("extensions", [(), ("filter", "sortby")])
def test_the_watcher_goes_by_it(api: StacApi, extensions: tuple[Any, ...]) -> None:
    api.extensions = extensions
    for n in range(40):
        api.put(
            make_item(f"a{n}", datetime=f"2024-06-1{n % 5}T10:00:00Z", updated=f"2024-06-15T00:{n:02}:00Z")
        )
    refuse(api, body=error("at most 12"))
    watch = Watch(api)
    first = watch()
    assert first.error is None, first.summary
    for n in range(30):
        api.put(make_item(f"b{n}", datetime="2024-06-12T10:00:00Z", updated=f"2024-06-15T01:{n:02}:00Z"))
    assert watch.days() == ["2024-06-12"]
    assert watch.days() == []


def test_a_page_is_asked_for_by_what_was_learned(api: StacApi) -> None:
    put(api, 30)
    refuse(api)
    asking = client(api, page_size=200)
    assert asking.page_size == 200
    assert sorted(searched(asking)) == sorted(ids_of(30))
    assert asking.page_size == MOST
