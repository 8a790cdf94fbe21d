"""Results that change while their pages are read: no item is lost, or the window fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import PagingError
from stac_assets_tests.asking import ids_of, some_items
from stac_assets_tests.faulty_pages import COUNT, loaded, token_of
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.stac_api_faults import Request


def test_an_item_that_goes_while_the_pages_are_read_takes_no_other_along(
    project: Path, full: StacApi
) -> None:
    pages = []

    def goes(page: Any, _: Request) -> Any:
        pages.append(page)
        if len(pages) == 1:
            full.remove("c1", ids_of(COUNT)[0])
        return page

    full.on_page = goes  # those behind it move up: one of them from the second page to the first
    load_days(full, page_size=3)
    assert set(ids()) >= set(ids_of(COUNT)[1:])


@pytest.mark.parametrize("count", [0, COUNT // 3])
def test_one_empty_page_ends_no_result_of_which_the_api_counted_more(
    project: Path, full: StacApi, count: int
) -> None:
    full.fault(lambda request: token_of(request) is not None, times=1, body=_nothing(count))
    assert loaded(full, page_size=4).window_splits == 1


def test_halves_that_hold_less_than_the_whole_prove_nothing(project: Path, full: StacApi) -> None:
    loaded(full)
    searches = iter(range(100))
    full.fault(
        lambda request: request.path.endswith("/search") and next(searches) in (1, 2, 3),
        times=3,
        body=_nothing(None),
    )
    [window] = load_days(full, page_size=4, fails=True).failed
    assert isinstance(window.error, PagingError)
    assert "have 4 items, of which the API counts more, and those of its halves together have 0" in str(
        window.error
    )
    assert ids() == sorted(ids_of(COUNT))


def test_an_order_that_shifts_while_nothing_is_counted_loses_no_item(project: Path, full: StacApi) -> None:
    full.number_matched = None
    pages = []

    def shifts(page: Any, _: Request) -> Any:
        pages.append(page)
        if len(pages) == 1:  # an item of a later page becomes the first of all
            *others, last = some_items(COUNT)
            full.clear()
            for item in (last, *others):
                full.put(item)
        return page

    full.on_page = shifts
    figures = loaded(full, page_size=5)
    assert figures.duplicates and figures.window_splits == 1


def _nothing(count: int | None) -> bytes:
    counted: dict[str, Any] = {} if count is None else {"numberMatched": count}
    return json.dumps({"type": "FeatureCollection", "features": [], "links": [], **counted}).encode()
