"""What an API does to the pages of a result, and what a load makes of it: every item once, or an error.

The rows of the table "Paging" of issue 3.
"""

import logging
from pathlib import Path
from typing import Any

import pytest

from stac_assets.source.reader import fetch_windows
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.errors import PagingError, RequestFailed
from stac_assets.stac.interval_reader import MAX_EMPTY, MAX_REPEATS
from stac_assets_tests.asking import WINDOW, client, fetched, ids_of, limit_of, some_items, spooled
from stac_assets_tests.faulty_pages import COUNT, loaded, next_of, read, token_of, without_next
from stac_assets_tests.loads import DATASET, ids, load_days, query
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request


def test_a_relative_next(project: Path, full: StacApi) -> None:
    full.next_style = "relative"
    assert loaded(full, page_size=5).window_splits == 0


def test_a_next_that_leads_to_the_same_page(project: Path, full: StacApi) -> None:
    def loop(page: Any, request: Request) -> Any:
        if next_of(page):
            page["links"] = [
                {"rel": "next", "href": full.url + "/search", "method": "POST", "body": request.body}
            ]
        return page

    full.on_page = loop
    assert loaded(full, page_size=5).window_splits > 0


def test_a_last_page_whose_next_leads_to_itself_is_the_last(full: StacApi, tmp_path: Path) -> None:
    def loop(page: Any, request: Request) -> Any:
        if not next_of(page):
            page["links"] = [
                {"rel": "next", "href": full.url + "/search", "method": "POST", "body": request.body}
            ]
        return page

    full.on_page = loop
    assert read(full, tmp_path, page_size=5).window_splits == 0


@pytest.mark.parametrize("count", ["numberMatched", None])
@pytest.mark.parametrize("page_size", [5, 100])
def test_the_same_items_again_under_ever_new_tokens(
    project: Path, full: StacApi, tmp_path: Path, count: Any, page_size: int
) -> None:
    tokens = iter(range(10_000))

    def again(page: Any, request: Request) -> Any:
        link = next_of(page) or {"rel": "next", "href": full.url + "/search", "method": "POST"}
        link["body"] = {**request.body, "again": next(tokens)}  # the items' own token never changes
        page["links"] = [link]
        return page

    full.on_page, full.number_matched = again, count
    if page_size == 5 and count is None:
        figures = loaded(full, page_size=page_size)
    else:
        figures = read(full, tmp_path, page_size=page_size)
    assert figures.duplicates >= MAX_REPEATS
    if page_size == 5:
        assert figures.window_splits > 0
    else:  # without a count, ten items or more may have been cut off, until it is proven that they were not
        assert figures.window_splits == (count is None)


def test_empty_pages_with_next_are_passed(project: Path, full: StacApi) -> None:
    def empty_first(page: Any, request: Request) -> Any:
        tries = request.body.get("tries", 0)
        if tries < 3:
            body = {**request.body, "tries": tries + 1}
            page["features"] = []
            page["links"] = [{"rel": "next", "href": full.url + "/search", "method": "POST", "body": body}]
        elif link := next_of(page):
            link["body"]["tries"] = 0
        return page

    full.on_page = empty_first
    figures = loaded(full, page_size=5)
    assert (figures.pages, figures.window_splits) == (12 + 3, 0)  # and three for the proof of the count


def test_empty_pages_without_end_are_an_error_that_says_so(project: Path, full: StacApi) -> None:
    load_days(full)
    tokens = iter(range(100_000))

    def endless(page: Any, request: Request) -> Any:
        body = {**request.body, "n": next(tokens)}
        page["features"] = []
        page["links"] = [{"rel": "next", "href": full.url + "/search", "method": "POST", "body": body}]
        return page

    full.on_page, full.number_matched = endless, None
    result = load_days(full, fails=True)
    with pytest.raises(PagingError, match=rf"{MAX_EMPTY + 1} pages in a row.*cannot be split"):
        raise result.failed[0].error or AssertionError
    assert ids() == sorted(ids_of(COUNT))


@pytest.mark.parametrize("count", ["numberMatched", None])
def test_no_next_though_the_page_is_full(project: Path, full: StacApi, count: Any) -> None:
    full.on_page, full.number_matched = lambda page, _: without_next(page), count
    figures = loaded(full, page_size=5)
    assert figures.window_splits == 1 and figures.duplicates == 0  # pages of 5, of 10, then halves


@pytest.mark.parametrize("count", ["numberMatched", "context", None])
def test_no_next_though_the_page_of_the_items_endpoint_is_full(
    full: StacApi, tmp_path: Path, count: Any
) -> None:
    full.on_page, full.number_matched = lambda page, _: without_next(page), count
    assert read(full, tmp_path, resource="collection_items", page_size=5).window_splits == 1


def test_no_next_from_the_second_page_on(full: StacApi, tmp_path: Path) -> None:
    full.on_page = lambda page, request: without_next(page) if token_of(request) else page
    figures = read(full, tmp_path, page_size=5)
    assert figures.window_splits == 0
    assert figures.pages == 4 + 3  # pages of 5, then of 10, whose last is not full, and a proof


def test_a_full_last_page_that_is_the_end_costs_a_proof(full: StacApi, tmp_path: Path) -> None:
    counts: tuple[tuple[Any, int], ...] = (("numberMatched", 1 + 3), ("context", 1 + 3), (None, 3))
    for count, pages in counts:
        full.number_matched = count
        figures = read(full, tmp_path, page_size=COUNT)
        assert (figures.pages, figures.window_splits) == (pages, 0)


@pytest.mark.parametrize("count", ["numberMatched", None])
def test_an_api_that_limits_its_pages_below_what_was_asked_and_loses_next(
    api: StacApi, tmp_path: Path, count: Any
) -> None:
    for item in some_items(40):
        api.put(item)
    api.max_limit, api.number_matched = 12, count
    api.on_page = lambda page, _: without_next(page)
    [window] = fetched(api, tmp_path, page_size=200)
    assert spooled(window) == sorted(ids_of(40))


@pytest.mark.parametrize("count", ["numberMatched", None])
def test_such_an_api_whose_items_all_lie_in_one_part_of_the_window(
    api: StacApi, tmp_path: Path, count: Any
) -> None:
    for n in range(40):
        api.put(make_item(f"a{n}", datetime=f"2024-01-01T01:{n:02}:00Z"))
    api.max_limit, api.number_matched = 12, count
    api.on_page = lambda page, _: without_next(page)
    [window] = fetched(api, tmp_path, page_size=200)
    assert window.error is None and spooled(window) == sorted(ids_of(40))


def test_more_items_at_one_instant_than_a_page_holds_is_an_error_that_names_it(
    project: Path, api: StacApi
) -> None:
    for n in range(15):
        api.put(make_item(f"a{n}"))
    load_days(api)
    api.on_page, api.number_matched = lambda page, _: without_next(page), None
    result = load_days(api, page_size=3, fails=True)
    with pytest.raises(
        PagingError, match=r"one of 3 items and no `next`.*2024-01-01T10:00:00Z.* cannot be split"
    ):
        raise result.failed[0].error or AssertionError
    assert ids() == sorted(ids_of(15))


def test_items_repeated_across_pages_are_one_row_and_counted(project: Path, full: StacApi) -> None:
    last: list[Any] = []

    def overlap(page: Any, request: Request) -> Any:
        features = page["features"]
        page["features"] = (last[-1:] if token_of(request) else []) + features
        last[:] = features
        return page

    full.on_page = overlap
    assert loaded(full, page_size=5).duplicates == 2


def test_an_item_that_a_repeat_has_pushed_out_is_found(full: StacApi, tmp_path: Path) -> None:
    """An unstable order: the second page repeats an item of the first and so lacks another."""

    def unstable(page: Any, request: Request) -> Any:
        if token_of(request) and len(page["features"]) > 1:
            page["features"][0] = page["features"][1]
        return page

    full.on_page = unstable
    figures = read(full, tmp_path, page_size=5)
    assert figures.window_splits > 0 and figures.duplicates > 0


def test_links_without_rel(project: Path, full: StacApi) -> None:
    def odd(page: Any, _: Request) -> Any:
        page["links"] = [{"href": "x"}, {"rel": None, "href": "x"}, *page["links"]]
        return page

    full.on_page = odd
    assert loaded(full, page_size=5).window_splits == 0


@pytest.mark.parametrize("count", [None, "context", "numberMatched"])
def test_number_matched_in_every_place(full: StacApi, tmp_path: Path, count: Any) -> None:
    full.number_matched = count
    figures = read(full, tmp_path, page_size=5)
    assert (figures.window_splits, figures.number_matched) == (0, COUNT if count else None)


@pytest.mark.parametrize("said", [0, 3, 500])
def test_a_stale_number_matched_is_no_failure(
    project: Path, full: StacApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, said: int
) -> None:
    def stale(page: Any, _: Request) -> Any:
        return {**page, "numberMatched": said}

    full.on_page = stale
    with caplog.at_level(logging.WARNING, "stac_assets"):
        figures = loaded(full, page_size=5) if said == 500 else read(full, tmp_path, page_size=5)
    assert ("counts 500 matching items, but has 12" in caplog.text) == (said == 500)
    assert figures.requests < 20


def test_a_page_longer_than_asked(project: Path, full: StacApi) -> None:
    def longer(page: Any, request: Request) -> Any:
        if not token_of(request):
            page["features"] += [make_item("extra 1"), make_item("extra 2")]
        return page

    full.on_page, full.number_matched = longer, None
    load_days(full, page_size=5)
    assert ids() == sorted([*ids_of(COUNT), "extra 1", "extra 2"])


@pytest.mark.parametrize("status", [400, 404, 410])
@pytest.mark.parametrize("post", [True, False])
def test_a_token_that_expires_in_mid_crawl(full: StacApi, tmp_path: Path, status: int, post: bool) -> None:
    full.post_search = post
    full.fault(lambda request: token_of(request) is not None, status=status, times=None)
    [window] = fetched(full, tmp_path, page_size=5)
    assert window.error is None and spooled(window) == sorted(ids_of(COUNT))
    assert window.figures.window_splits >= 3


def test_a_token_that_expires_in_mid_crawl_through_a_whole_load(project: Path, full: StacApi) -> None:
    full.fault(lambda request: token_of(request) is not None, status=400, times=None)
    assert loaded(full, page_size=5).window_splits >= 3


def test_a_first_request_that_is_bad_is_no_expired_token(full: StacApi, tmp_path: Path) -> None:
    full.fault("/search", status=400)
    [window] = fetched(full, tmp_path)
    assert isinstance(window.error, RequestFailed) and window.error.status == 400
    assert window.figures.requests == 1


def test_a_split_keeps_what_the_window_owns_and_no_more(project: Path, api: StacApi) -> None:
    """Long intervals touch every part of a split; days before and after own what begins there."""
    for item in some_items(6):
        api.put(item)
    api.put(make_item("long", start="2024-01-01T00:00:00Z", end="2024-01-03T00:00:00Z"))
    api.put(make_item("before", start="2023-12-31T23:59:59Z", end="2024-01-02T00:00:00Z"))
    api.put(make_item("next midnight", datetime="2024-01-02T00:00:00Z"))
    api.put(make_item("last moment", datetime="2024-01-01T23:59:59.9999995Z"))
    api.put(make_item("noon", datetime="2024-01-01T12:00:00Z"))
    api.on_page, api.number_matched = lambda page, _: without_next(page), None
    result = load_days(api, page_size=5)
    expected = sorted([*ids_of(6), "long", "last moment", "noon"])
    assert ids() == expected
    assert result.figures.items_owned_elsewhere == 2
    assert result.figures.window_splits > 0 and result.figures.duplicates == 0


def test_documents_without_an_id_are_rejected_once_each_also_across_splits(
    project: Path, full: StacApi
) -> None:
    for n in range(2):
        nameless = make_item(f"n{n}", start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z", n=n)
        full.put(nameless)

    def strip(page: Any, _: Request) -> Any:
        for item in page["features"]:
            if item["id"].startswith("n"):
                del item["id"]
        return without_next(page)

    full.on_page, full.number_matched = strip, None
    result = load_days(full, page_size=5)
    assert ids() == sorted(ids_of(COUNT))
    assert result.figures.window_splits > 0
    assert result.figures.rejected_items == 2
    assert len(query(f"SELECT * FROM {DATASET}.rejected_items")) == 2


def test_a_sample_stops_early_and_says_so(full: StacApi, tmp_path: Path) -> None:
    for most, complete in ((4, False), (5, False), (COUNT, True), (99, True)):
        folder = tmp_path / str(most)
        folder.mkdir()
        [window] = fetch_windows(client(full, page_size=5), SEARCH, [WINDOW], folder, max_items=most)
        assert len(spooled(window)) == min(most, COUNT)
        assert window.figures.complete is complete


@pytest.mark.parametrize("count", ["numberMatched", None])
def test_items_that_fill_the_page_at_one_instant_are_proven_by_another_page_size(
    api: StacApi, tmp_path: Path, count: Any
) -> None:
    api.number_matched = count
    for n in range(24):
        api.put(make_item(f"a{n}"))
        if n + 1 in (1, 2, 8, 12, 24):
            [window] = fetched(api, tmp_path, page_size=min(n + 1, 12))
            assert window.error is None and len(spooled(window)) == n + 1


@pytest.mark.parametrize(("said", "page_size"), [(None, 200), (None, 20), (None, 10), (500, 200), (500, 10)])
def test_items_that_touch_every_part_of_the_window_do_not_multiply_the_requests(
    api: StacApi, tmp_path: Path, said: int | None, page_size: int
) -> None:
    for n in range(20):
        api.put(make_item(f"a{n}", start="2024-01-01T00:00:00Z", end="2024-01-03T00:00:00Z"))
    api.on_page = lambda page, _: {**page, "numberMatched": said}
    [window] = fetched(api, tmp_path, page_size=page_size)
    assert window.error is None and len(spooled(window)) == 20
    assert window.figures.window_splits <= 1
    assert window.figures.requests < 20


def test_items_of_one_instant_that_may_be_cut_off_cost_a_few_requests(api: StacApi, tmp_path: Path) -> None:
    for n in range(20):
        api.put(make_item(f"a{n}"))
    api.number_matched = None
    [window] = fetched(api, tmp_path, page_size=200)
    assert window.error is None and len(spooled(window)) == 20
    assert window.figures.requests < 40


def test_a_limit_that_hides_items_of_one_instant_is_an_error_where_the_api_counts_them(
    api: StacApi, tmp_path: Path
) -> None:
    for n in range(20):
        api.put(make_item(f"a{n}", start="2024-01-01T00:00:00Z", end="2024-01-03T00:00:00Z"))
    api.max_limit, api.on_page = 12, lambda page, _: without_next(page)
    [window] = fetched(api, tmp_path, page_size=200)
    with pytest.raises(PagingError, match=r"end with one of 12 items.*counts more.*cannot be split"):
        raise window.error or AssertionError


@pytest.mark.parametrize("too_large", [None, 1])
def test_pages_of_one_item_that_lasts_all_day_do_not_multiply_the_requests(
    api: StacApi, tmp_path: Path, too_large: int | None
) -> None:
    """The last page is always full, in whatever part of the window."""
    for n in range(3):
        api.put(make_item(f"a{n}", start="2024-01-01T00:00:00Z", end="2024-01-03T00:00:00Z"))
    api.number_matched = None
    if too_large is not None:
        api.fault(lambda request: limit_of(request) > too_large, status=413, times=None)
    [window] = fetched(api, tmp_path, page_size=1)
    if too_large is None:
        assert window.error is None and len(spooled(window)) == 3
        assert window.figures.requests < 10
    else:
        with pytest.raises(PagingError, match="cannot be split any further"):
            raise window.error or AssertionError
        assert window.figures.requests < 2000
