"""Answers that say of themselves that they are not whole: no row goes for them."""

from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import RequestFailed
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

SHARDS = {"total": 5, "successful": 5, "skipped": 1, "failed": 0}
TELLING: dict[str, dict[str, Any]] = {
    "a failed shard": {"_shards": {**SHARDS, "successful": 4, "failed": 1}},
    "a shard that is nowhere": {"_shards": {**SHARDS, "successful": 4}},
    "a time-out": {"timed_out": True},
    "a time-out below": {"context": {"timed_out": True, "matched": 3}},
    "an error": {"errors": [{"provider": "B", "code": 503, "detail": "gateway"}]},
    "an error as text": {"error": "B: connection refused"},
    "errors by provider": {"errors": {"A": None, "B": "time-out"}},
    "failed providers": {"failed_providers": ["B"]},
    "failures below": {"metadata": {"partial_failures": [{"source": "B", "reason": "auth_invalidated"}]}},
    "a flag": {"partialResults": True},
    "a warning of a provider": {"warnings": ["Provider B did not respond, its items are missing"]},
    "a warning as an object": {"warnings": [{"title": "Catalogue B", "detail": "is currently unavailable"}]},
    "a warning of the result": {"warning": "these are partial results"},
}
HARMLESS: dict[str, dict[str, Any]] = {
    "sound shards": {"timed_out": False, "_shards": SHARDS},
    "no errors": {"errors": [], "error": None, "failures": {}, "partial": False},
    "none of any provider": {"errors": {"A": None, "B": []}, "failed_providers": []},
    "zero": {"errors": 0, "error": "", "failures": {"count": 0}},
    "deprecation": {"warnings": ["The parameter `sortby` is deprecated and will not be supported in v2"]},
    "a smaller page": {"warnings": [{"code": "limit", "message": "limit was reduced to the maximum of 100"}]},
    "an unknown field": {"warnings": "field `foo` is not available"},
    "something else": {"_shards": "5 of 5", "timed_out": "no", "context": [], "properties": {"error": None}},
}


def says(api: StacApi, members: dict[str, Any], times: int | None = None) -> None:
    """Let pages say so and hold nothing: all of them, or the first few."""
    told: list[Request] = []

    def alter(page: Any, request: Request) -> Any:
        told.append(request)
        is_telling = times is None or len(told) <= times
        return {**page, **members, "features": [], "links": []} if is_telling else page

    api.on_page = alter


@pytest.mark.parametrize("members", TELLING.values(), ids=TELLING)
def test_it_is_asked_again(api: StacApi, tmp_path: Path, members: dict[str, Any]) -> None:
    for item in some_items(5):
        api.put(item)
    says(api, members, times=1)
    [window] = fetched(api, tmp_path, page_size=20)
    assert spooled(window) == ids_of(5)
    assert window.figures.retries == 1


@pytest.mark.parametrize("members", TELLING.values(), ids=TELLING)
def test_one_that_stays_so_fails_with_the_cause(
    api: StacApi, tmp_path: Path, members: dict[str, Any]
) -> None:
    for item in some_items(5):
        api.put(item)
    says(api, members)
    [window] = fetched(api, tmp_path, page_size=20)
    ((name, value),) = members.items()
    cause = next(iter(value)) if name in ("context", "metadata") else name
    assert f'says that its answer is not whole: {{"{cause}"' in str(window.error)


def test_the_rows_stay(project: Path, api: StacApi) -> None:
    for item in some_items(5):
        api.put(item)
    load_days(api)
    says(api, TELLING["a failed shard"])
    load_days(api, fails=True)
    assert ids() == ids_of(5)


@pytest.mark.parametrize("members", HARMLESS.values(), ids=HARMLESS)
def test_what_is_harmless_is_not_minded(api: StacApi, tmp_path: Path, members: dict[str, Any]) -> None:
    for item in some_items(5):
        api.put(item)
    api.on_page = lambda page, request: {**page, **members}
    [window] = fetched(api, tmp_path)
    assert window.error is None and window.figures.retries == 0
    assert spooled(window) == ids_of(5)


def test_only_the_day_fails_that_is_not_whole(project: Path, api: StacApi) -> None:
    for n in range(1, 6):
        api.put(make_item(f"a{n}", datetime=f"2024-01-0{n}T10:00:00Z"))

    def alter(page: Any, request: Request) -> Any:
        start, _, end = interval_of(request).partition("/")
        covers = start <= "2024-01-03T12" <= end
        return {**page, **TELLING["a failed shard"], "features": []} if covers else page

    api.on_page = alter
    result = load_days(api, last="2024-01-05", fails=True)
    assert [str(window.window.start) for window in result.failed] == ["2024-01-03"]
    assert ids() == ["a1", "a2", "a4", "a5"]


def test_a_question_that_times_out_is_asked_in_parts(api: StacApi, tmp_path: Path) -> None:
    for item in some_items(20):
        api.put(item)
    api.on_page = lambda page, request: {**page, "timed_out": limit_of(request) > 5}
    [window] = fetched(api, tmp_path, page_size=20)
    assert window.error is None and spooled(window) == sorted(ids_of(20))
    assert window.figures.page_size_reductions == 2


def test_a_later_page_that_is_not_whole_makes_the_window_be_read_in_halves(
    api: StacApi, tmp_path: Path
) -> None:
    for item in some_items(20):
        api.put(item)

    def alter(page: Any, request: Request) -> Any:
        is_later = "token" in (request.body or {})
        return {**page, **TELLING["a failed shard"], "features": []} if is_later else page

    api.on_page = alter
    [window] = fetched(api, tmp_path, page_size=12)
    assert window.error is None and spooled(window) == sorted(ids_of(20))
    assert window.figures.window_splits > 0


def test_a_listing_of_collections_that_is_not_whole_is_no_answer(project: Path, api: StacApi) -> None:
    api.collections = [make_collection(f"c{n}") for n in range(3)]
    load_catalog(api, "collections")
    body = b'{"collections": [], "links": [], "errors": [{"catalog": "B", "status": 502}]}'
    api.fault("/collections", body=body)
    assert len(load_catalog(api, "collections").collection_ids or ()) == 3
    api.fault("/collections", body=body, times=None)
    with pytest.raises(RequestFailed, match="not whole"):
        load_catalog(api, "collections")


def test_what_it_says_is_shown_without_secrets(api: StacApi) -> None:
    api.token = "top-secret-token"
    api.put(make_item("a"))
    said = {"errors": ["https://user:pw@example.com/x?api_key=abc refused Bearer top-secret-token"]}
    api.on_page = lambda page, request: {**page, **said}
    with pytest.raises(RequestFailed) as caught:
        searched(client(api, api_key="top-secret-token"))
    assert "top-secret-token" not in str(caught.value) and "abc" not in str(caught.value)
