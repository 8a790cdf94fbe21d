"""Later pages that answer another question than the first, or that fail."""

from pathlib import Path
from typing import Any

import pytest

from stac_assets.source.reader import fetch_windows
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.errors import AuthenticationError
from stac_assets.stac.narrowing import Narrowing
from stac_assets_tests.asking import WINDOW, client, fetched, ids_of, some_items, spooled
from stac_assets_tests.faulty_pages import token_of
from stac_assets_tests.lying_api import LyingApi
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

COUNT = 24
OTHERS: dict[str, list[dict[str, Any]]] = {
    "collections": [make_item(f"b{n}", "c2", f"2024-01-01T{n % 24:02}:30:00Z") for n in range(40)],
    "datetime": [make_item(f"b{n}", datetime=f"2024-01-{n % 20 + 4:02}T10:00:00Z") for n in range(40)],
    "bbox": [make_item(f"b{n}", extra={"bbox": [80, 0, 81, 1]}) for n in range(40)],
}


@pytest.mark.parametrize("lost", OTHERS)
@pytest.mark.parametrize("count", ["numberMatched", None])
def test_a_next_that_loses_a_filter(tmp_path: Path, lost: str, count: Any) -> None:
    mixed = [each for pair in zip(some_items(COUNT), OTHERS[lost][:COUNT], strict=True) for each in pair]
    api = LyingApi(items=[*mixed, *OTHERS[lost][COUNT:]], loses=(lost,), number_matched=count)
    with api:
        narrowing = Narrowing(bbox=(0, 40, 20, 60))
        [window] = fetch_windows(client(api, page_size=6), SEARCH, [WINDOW], tmp_path, narrowing=narrowing)
    assert window.error is None and spooled(window) == sorted(ids_of(COUNT))
    assert window.figures.window_splits > 0 and window.figures.items_owned_elsewhere == 0


def test_a_next_that_loses_a_filter_of_one_second_is_an_error_that_says_so(tmp_path: Path) -> None:
    items = [*(make_item(f"a{n}") for n in range(12)), *(make_item(f"b{n}", "c2") for n in range(40))]
    with LyingApi(items=items, loses=("collections",)) as api:
        [window] = fetched(api, tmp_path, page_size=5)
    told = str(window.error)
    assert "lost the filter" in told and "2024-01-01T10:00:00Z cannot be split any further" in told


@pytest.mark.parametrize(("step", "splits"), [(1, False), (10, False), (200, True)])
def test_a_count_that_jumps_is_a_lost_filter_and_one_that_grows_is_not(
    api: StacApi, tmp_path: Path, step: int, splits: bool
) -> None:
    for item in some_items(COUNT):
        api.put(item)
    pages = iter(range(10_000))

    def grows(page: Any, request: Request) -> Any:
        if token_of(request):
            page["numberMatched"] = COUNT + step * next(pages)
        return page

    api.on_page = grows
    [window] = fetched(api, tmp_path, page_size=4)
    assert window.error is None and spooled(window) == sorted(ids_of(COUNT))
    if splits:
        assert window.figures.window_splits > 1


@pytest.mark.parametrize("ignored", OTHERS)
def test_an_api_that_ignores_a_filter_from_the_first_page_on_is_at_no_fault(
    tmp_path: Path, ignored: str
) -> None:
    mixed = [each for pair in zip(OTHERS[ignored], some_items(40), strict=True) for each in pair]

    class Ignoring(LyingApi):
        def _page(self, request: Request, parameters: dict[str, Any]) -> Any:
            kept = {name: value for name, value in parameters.items() if name != ignored}
            return super()._page(request, kept)

    with Ignoring(items=mixed, number_matched=None) as api:
        narrowing = Narrowing(bbox=(0, 40, 20, 60))
        [window] = fetch_windows(client(api, page_size=9), SEARCH, [WINDOW], tmp_path, narrowing=narrowing)
    assert window.error is None and set(spooled(window)) >= set(ids_of(40))
    assert window.figures.window_splits == 0


FAILURES: dict[str, dict[str, Any]] = {
    **{str(status): {"status": status} for status in (400, 401, 403, 404, 409, 410, 414, 416, 429, 431)},
    **{str(status): {"status": status} for status in (500, 502, 503, 504)},
    "HTML": {"status": 200, "body": b"<!doctype html><div id=app></div>"},
    "no connection": {"drop": True},
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_a_later_page_that_fails_in_any_way_is_got_round(
    tmp_path: Path, full: StacApi, failure: str, resource: str
) -> None:
    full.fault(lambda request: token_of(request) is not None, times=None, **FAILURES[failure])
    [window] = fetched(full, tmp_path, page_size=5, resource=resource, max_retries=1)
    assert window.error is None and spooled(window) == sorted(ids_of(12))


def test_a_first_page_that_is_refused_is_about_the_token(tmp_path: Path, full: StacApi) -> None:
    full.fault("/search", times=None, status=401)
    [window] = fetched(full, tmp_path, page_size=5)
    assert isinstance(window.error, AuthenticationError) and "api_key" in str(window.error)
    assert window.figures.window_splits == 0
