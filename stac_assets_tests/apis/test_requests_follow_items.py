"""The cost of a fetch follows the items, whether or not the API counts, and every window is exact."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.reader import fetch_windows
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.windows import Window
from stac_assets_tests.asking import OnPage, client, interval_of, limit_of, spooled
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request

FIRST = date(2022, 1, 1)
YEARS = 730
PAGE = 20
COUNTED = pytest.mark.parametrize("counted", ["numberMatched", None], ids=["counted", "uncounted"])
Owned = dict[tuple[str, date], list[str]]


def days_from(number: int) -> list[date]:
    return [FIRST + timedelta(n) for n in range(number)]


def fill(api: StacApi, collections: int, days: Sequence[date], each: int, seed: int = 7) -> Owned:
    """Items of every collection on random ones of some days, one in five lasting for more than its day."""
    random, owned = Random(seed), Owned()
    for c in range(collections):
        api.collections.append(make_collection(f"c{c}"))
        for n in range(each):
            day, name = random.choice(days), f"i{n:04}"  # the ids of all collections are the same
            if n % 5:
                api.put(make_item(name, f"c{c}", f"{day}T12:00:00Z"))
            else:
                end = day + timedelta(random.randrange(4))
                api.put(make_item(name, f"c{c}", start=f"{day}T01:00:00Z", end=f"{end}T02:00:00Z"))
            owned.setdefault((f"c{c}", day), []).append(name)
    return owned


def fetch(
    api: StacApi, folder: Path, collections: int, days: int, resource: str = "search", **options: Any
) -> list[FetchedWindow]:
    names = [f"c{number}" for number in range(collections)]
    windows = [Window(name, day, day + timedelta(1)) for name in names for day in days_from(days)]
    options = {"page_size": PAGE, "max_concurrent_requests": 4, **options}
    return fetch_windows(client(api, **options), ENDPOINTS[resource], windows, folder)


def found(windows: Sequence[FetchedWindow]) -> Owned:
    return {(each.window.collection, each.window.start): ids for each in windows if (ids := spooled(each))}


def asked(api: StacApi) -> list[Request]:
    return [request for request in api.requests if request.path.endswith(("/search", "/items"))]


@COUNTED
@pytest.mark.parametrize("resource", ["search", "collection_items"])
@pytest.mark.parametrize("collections", [1, 3])
@pytest.mark.parametrize("shape", ["empty", "sparse", "clustered"])
def test_years_of_days_cost_what_their_items_do(
    api: StacApi, tmp_path: Path, shape: str, collections: int, resource: str, counted: Any
) -> None:
    api.number_matched = counted
    days = days_from(YEARS)[200:205] if shape == "clustered" else days_from(YEARS)
    owned = fill(api, collections, days, 0 if shape == "empty" else 200)
    windows = fetch(api, tmp_path, collections, YEARS, resource)
    assert found(windows) == owned
    most = {"empty": 1, "sparse": 40, "clustered": 45}[shape]  # of ten full pages each
    assert len(asked(api)) <= most * collections
    assert sum(each.figures.requests for each in windows) == len(asked(api)), "those in vain are counted too"
    if shape == "empty" and resource == "search":
        assert len(asked(api)) == 1


@COUNTED
@pytest.mark.parametrize("collections", [1, 2])
def test_days_of_many_pages_cost_hardly_more_than_one_by_one(
    api: StacApi, tmp_path: Path, collections: int, counted: Any
) -> None:
    api.number_matched = counted
    days = 48 // collections
    owned = fill(api, collections, days_from(days), 5 * PAGE * days)
    for number, day in enumerate(days_from(days)):
        windows = [Window(f"c{c}", day, day + timedelta(1)) for c in range(collections)]
        for window in windows:
            folder = tmp_path / f"{number}-{window.collection}"
            folder.mkdir()
            fetch_windows(client(api, page_size=PAGE), ENDPOINTS["search"], [window], folder)
    alone, _ = len(asked(api)), api.reset()
    windows = fetch(api, tmp_path, collections, days)
    assert found(windows) == owned
    assert len(asked(api)) <= 1.1 * alone


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_few_days_of_a_collection_are_asked_for_one_by_one(
    api: StacApi, tmp_path: Path, resource: str
) -> None:
    fill(api, 1, days_from(7), 7)
    fetch(api, tmp_path, 1, 7, resource)
    assert len({interval_of(request) for request in asked(api)}) == 7


def test_one_day_of_many_collections_is_one_request(api: StacApi, tmp_path: Path) -> None:
    api.number_matched = None
    owned = fill(api, 9, days_from(1), 1)
    windows = fetch(api, tmp_path, 9, 1)
    assert found(windows) == owned
    assert [request.body["collections"] for request in asked(api)] == [[f"c{n}" for n in range(9)]]
    assert all(each.figures.number_matched is None for each in windows)
    for each in windows:
        assert each.request is not None and each.request.body is not None
        assert list(each.request.body["collections"]) == [each.window.collection], (
            "as it would be asked for alone"
        )
        assert each.link is not None and f"collections={each.window.collection}&" in f"{each.link}&"


@COUNTED
def test_a_window_that_fails_amid_others_of_several_collections_fails_alone(
    api: StacApi, tmp_path: Path, counted: Any
) -> None:
    api.number_matched = counted
    owned = fill(api, 4, days_from(60), 30)
    bad = next(key for key in owned if key[0] == "c2" and key[1] > FIRST + timedelta(20))

    def touches(request: Request) -> bool:
        body = request.body if isinstance(request.body, dict) else {}
        first, _, last = interval_of(request).partition("/")
        return bad[0] in body.get("collections", ()) and first[:10] <= str(bad[1]) < last[:10]

    api.fault(touches, times=None, status=400)
    windows = fetch(api, tmp_path, 4, 60)
    assert [(each.window.collection, each.window.start) for each in windows if each.error] == [bad]
    assert found(windows) == {key: ids for key, ids in owned.items() if key != bad}
    assert len([request for request in asked(api) if limit_of(request) > 1]) < 60, "of 240"


def test_a_document_that_names_neither_day_nor_collection_is_kept_by_its_own_window(
    api: StacApi, tmp_path: Path
) -> None:
    owned = fill(api, 3, days_from(30), 20)
    day = FIRST + timedelta(17)
    item = make_item("x", "c1", f"{day}T10:00:00Z")
    nameless = RawItem.of({**item, "id": ""})
    api.put(nameless)
    stranger = RawItem.of(make_item("y", "c2", f"{day}T10:00:00Z"))
    without = stranger.text.replace(b'"collection": "c2", ', b"")
    assert without != stranger.text
    api.put(RawItem(without, "c2", stranger.start, stranger.end, "y", stranger.bbox))
    windows = fetch(api, tmp_path, 3, 30)
    owned.setdefault(("c2", day), []).append("y")
    assert found(windows) == owned
    kept = {each.window: each.spool.rejected for each in windows if each.spool.rejected}
    assert list(kept) == [Window("c1", day, day + timedelta(1))]
    assert len(asked(api)) < 60, "of 90"


def test_a_search_by_get_names_no_more_collections_than_a_url_takes(api: StacApi, tmp_path: Path) -> None:
    api.post_search = False
    names = [f"{'a-collection-with-a-long-name-' * 3}{n:02}" for n in range(40)]
    for name in names:
        api.put(make_item("a", name, f"{FIRST}T10:00:00Z"))
    windows = [Window(name, FIRST, FIRST + timedelta(1)) for name in names]
    fetched = fetch_windows(client(api, page_size=PAGE), ENDPOINTS["search"], windows, tmp_path)
    assert [spooled(each) for each in fetched] == [["a"]] * 40
    assert max(len(request.target) for request in asked(api) if request.method == "GET") < 2000
    assert len(asked(api)) < 20
    assert sum(each.figures.requests for each in fetched) == len(asked(api))


def test_a_count_that_is_that_of_the_page_is_not_believed_for_long(api: StacApi, tmp_path: Path) -> None:
    owned = fill(api, 1, days_from(60), 60 * PAGE)
    api.number_matched = None
    api.on_page = lambda page, _: {**page, "numberMatched": len(page["features"])}
    longest: list[int] = []

    def note(window: Window, figures: Any) -> None:
        longest.append(figures.pages)

    windows = [Window("c0", day, day + timedelta(1)) for day in days_from(60)]
    fetched = fetch_windows(
        client(api, page_size=PAGE, max_concurrent_requests=4),
        ENDPOINTS["search"],
        windows,
        tmp_path,
        progress=OnPage(note),
    )
    assert found(fetched) == owned
    assert max(longest) <= 6, "no question went on for ever"
