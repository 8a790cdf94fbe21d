"""What a count proves: alone nothing, with the counts of other questions the end of a result."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import PagingError
from stac_assets_tests.asking import fetched, spooled
from stac_assets_tests.lying_api import LyingApi, searches
from stac_assets_tests.stac_api import make_item


def _items(count: int, step: int = 60, day: int = 1) -> list[dict[str, Any]]:
    """Items so many seconds apart; the first is not of midnight, which two days share."""
    times = (timedelta(seconds=step * n + 1) for n in range(count))
    return [
        make_item(f"{day}-{n:04}", datetime=f"2024-01-{day:02}T{time!s:0>8}Z") for n, time in enumerate(times)
    ]


def _ids(items: list[dict[str, Any]]) -> list[str]:
    return sorted(item["id"] for item in items)


@pytest.mark.parametrize("page_size", [7, 10, 25, 40, 200])
@pytest.mark.parametrize("cap", [25, 40])
@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_counts_and_pages_that_end_at_the_same_limit(
    tmp_path: Path, cap: int, page_size: int, resource: str
) -> None:
    items = _items(100, 300)
    with LyingApi(items=items, cap=cap) as api:
        [window] = fetched(api, tmp_path, page_size=page_size, resource=resource)
    assert window.error is None and spooled(window) == _ids(items)


@pytest.mark.parametrize("page_size", [30, 100])
def test_results_that_end_at_a_round_limit_and_are_not_counted(tmp_path: Path, page_size: int) -> None:
    items = _items(250)
    with LyingApi(items=items, cap=100, number_matched=None) as api:
        [window] = fetched(api, tmp_path, page_size=page_size)
    assert window.error is None and spooled(window) == _ids(items)


def test_a_limit_that_no_smaller_question_gets_round_is_an_error_that_says_so(tmp_path: Path) -> None:
    with LyingApi(items=_items(1_010, 0), cap=1_000) as api:
        [window] = fetched(api, tmp_path, page_size=999)
    with pytest.raises(PagingError, match=r"1,000 items, as many as the API counts.*limit.*cannot be split"):
        raise window.error or AssertionError


@pytest.mark.parametrize("page_size", [5, 12, 200])
@pytest.mark.parametrize("loses_next", [True, False])
def test_counts_of_the_page(tmp_path: Path, page_size: int, loses_next: bool) -> None:
    items = _items(40, 900)
    with LyingApi(items=items, counts="of the page", max_limit=12, loses_next=loses_next) as api:
        [window] = fetched(api, tmp_path, page_size=page_size)
    assert window.error is None and spooled(window) == _ids(items)


@pytest.mark.parametrize("page_size", [10, 20])
def test_a_count_of_yesterday_at_which_the_pages_end(tmp_path: Path, page_size: int) -> None:
    items = _items(45, 900)

    class Stale(LyingApi):
        def _paging(self, request: Any, matched: int, offset: int, limit: int) -> Any:
            is_of_the_day = "T00:00:00Z/2024-01-02T" in str(request.body)
            return super()._paging(request, min(matched, 20) if is_of_the_day else matched, offset, limit)

    with Stale(items=items) as api:
        [window] = fetched(api, tmp_path, page_size=page_size)
    assert window.error is None and spooled(window) == _ids(items)


SOUND: dict[str, tuple[list[int], int]] = {
    "one window": ([150], 200),
    "one window of full pages": ([100], 20),
    "each window fuller than the last": ([10, 20, 30, 40, 50, 60], 200),
    "each window a full page": ([30] * 6, 30),
    "full pages, and others": ([20, 30, 40, 60], 20),
    "round totals": ([100, 200, 300], 100),
    "few": ([3, 5, 9], 4),
}


@pytest.mark.parametrize("shape", SOUND)
@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_a_sound_api_that_counts_is_asked_three_times_more_at_most(
    tmp_path: Path, shape: str, resource: str
) -> None:
    numbers, size = SOUND[shape]
    items = [_items(number, 100, day + 1) for day, number in enumerate(numbers)]
    with LyingApi(items=[item for day in items for item in day]) as api:
        options: dict[str, Any] = {"days": len(numbers), "page_size": size, "resource": resource}
        windows = fetched(api, tmp_path, max_concurrent_requests=4, **options)
        assert [spooled(window) for window in windows] == [_ids(each) for each in items]
        pages = sum(-(-number // size) for number in numbers)
        assert pages <= searches(api) <= pages + 3
        assert sum(window.figures.window_splits for window in windows) == 0


@pytest.mark.parametrize("size", [15, 30, 200])
def test_so_is_one_whose_items_last_long(tmp_path: Path, size: int) -> None:
    items = [
        make_item(f"{n:02}", start=f"2024-01-01T{n // 2:02}:00:00Z", end=f"2024-01-01T{n // 2 + 4:02}:00:00Z")
        for n in range(30)
    ]
    with LyingApi(items=items) as api:
        [window] = fetched(api, tmp_path, page_size=size)
        assert window.error is None and spooled(window) == _ids(items)
        assert searches(api) <= -(-30 // size) + 3
