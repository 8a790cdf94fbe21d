"""One collection that is not to be had takes no other along, and many cost no request each."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from stac_assets.api import request_for
from stac_assets.pipeline.load import load
from stac_assets.pipeline.load_result import DocumentsRefused, WindowsFailed
from stac_assets.source.reader import fetch_windows
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import UnknownCollection
from stac_assets.stac.windows import Window
from stac_assets_tests.asking import client, spooled
from stac_assets_tests.loads import catalog_for, ids, load_catalog, load_days, rows
from stac_assets_tests.stac_api import StacApi, make_collection, make_item

DAY = date(2024, 1, 1)
STATUSES = pytest.mark.parametrize("status", [403, 404, 500])


def window(collection: str) -> Window:
    return Window(collection, DAY, DAY + timedelta(1))


def documents_asked(api: StacApi) -> list[str]:
    return [
        each.segments[1]
        for each in api.requests
        if each.segments[:1] == ("collections",) and len(each.segments) == 2
    ]


@pytest.fixture
def three(api: StacApi) -> StacApi:
    """An API with an item in each of three collections."""
    for number in (1, 2, 3):
        api.put(make_item(f"a{number}", f"c{number}"))
    return api


def test_many_collections_are_looked_up_in_the_list(api: StacApi, tmp_path: Path) -> None:
    api.collections_page_size = 5
    names = [f"c{n:02}" for n in range(20)]
    for name in names:
        api.put(make_item("a", name))
    for n in range(5):
        api.put(make_item("a", f"another{n}"))
    asking = client(api, page_size=100)
    fetched = fetch_windows(asking, ENDPOINTS["search"], [window(name) for name in names], tmp_path)
    assert [spooled(each) for each in fetched] == [["a"]] * 20
    assert documents_asked(api) == []
    assert len([each for each in api.requests if each.path == "/collections"]) == 4, "not the page behind"


def test_all_collections_of_an_api_are_listed_once(three: StacApi, project: Path) -> None:
    catalog = catalog_for(three, collections="*", start_date=DAY, end_date=DAY)
    load(request_for(ENDPOINTS["search"], catalog), catalog)
    assert ids() == ["a1", "a2", "a3"]
    assert len([each for each in three.requests if each.path == "/collections"]) == 1
    assert documents_asked(three) == []


@STATUSES
def test_a_collection_without_a_document_is_searched_for_itself(
    three: StacApi, tmp_path: Path, status: int
) -> None:
    three.fault("/collections/c2", times=None, status=status)
    windows = [window("c1"), window("c2"), window("c3")]
    fetched = fetch_windows(client(three), ENDPOINTS["search"], windows, tmp_path)
    assert [spooled(each) for each in fetched] == [["a1"], ["a2"], ["a3"]]
    assert not any(each.error for each in fetched)


@STATUSES
def test_one_that_is_not_to_be_had_fails_alone_and_is_named(
    three: StacApi, project: Path, status: int
) -> None:
    three.fault("/collections/c2", times=None, status=status)
    three.clear()
    three.put(make_item("a1", "c1"))
    three.put(make_item("a3", "c3"))
    result = load_days(three, collections=["c1", "c2", "c3"], last="2024-01-02", fails=True)
    with pytest.raises(
        WindowsFailed, match=r"(?s)2 partitions failed.*\n  c2, 2024-01-01 and 1 more: "
    ) as told:
        result.raise_on_failures()
    assert str(told.value).count("\n") == 1
    assert ids() == ["a1", "a3"]


def test_where_none_is_to_be_had_the_first_error_is_raised(three: StacApi, tmp_path: Path) -> None:
    windows = [window("c9"), window("c8")]
    with pytest.raises(UnknownCollection, match="no collection 'c9'"):
        fetch_windows(client(three), ENDPOINTS["search"], windows, tmp_path)


@STATUSES
@pytest.mark.parametrize("resource", ["collection", "queryables"])
def test_a_refused_document_is_named_and_the_others_are_stored(
    three: StacApi, project: Path, resource: str, status: int
) -> None:
    is_queryables = resource == "queryables"
    three.fault(
        "/collections/c2/queryables" if is_queryables else "/collections/c2", times=None, status=status
    )
    result = load_catalog(three, resource, ["c1", "c2", "c3"])
    column = "collection" if is_queryables else "id"
    assert sorted({row[column] for row in rows(resource) if row[column]}) == ["c1", "c3"]
    if is_queryables and status == 404:
        result.raise_on_failures()  # it has none
        return
    with pytest.raises(DocumentsRefused, match=r"1 document was not to be had.*\n  c2: "):
        result.raise_on_failures()


def test_a_collection_with_a_slash_in_its_id_is_one_as_any_other(api: StacApi, tmp_path: Path) -> None:
    api.collections.append(make_collection("a/b"))
    api.put(make_item("a1", "a/b"))
    api.put(make_item("a2", "c2"))
    api.fault("/collections/a", times=None, status=404)
    fetched = fetch_windows(client(api), ENDPOINTS["search"], [window("a/b"), window("c2")], tmp_path)
    assert [spooled(each) for each in fetched] == [["a1"], ["a2"]]
