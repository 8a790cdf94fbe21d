"""From page to page: whatever form `next` has, every item comes, and comes once."""

import json
from typing import Any

import pytest

from stac_assets.stac.errors import (
    AuthenticationError,
    EndpointMissing,
    RequestFailed,
    StacError,
    UntrustedLink,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.narrowing import Narrowing
from stac_assets_tests.asking import WINDOW, asked, client, ids_of, listed, page_ids, searched, some_items
from stac_assets_tests.stac_api import StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request

STYLES = ["token", "merge", "relative", "get_from_post", "headers"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("post", [True, False])
def test_every_form_of_next_leads_to_the_end(api: StacApi, style: Any, post: bool) -> None:
    api.next_style, api.post_search = style, post
    for item in some_items(7):
        api.put(item)
    assert searched(client(api)) == ids_of(7)
    methods = asked(api)
    if post and style != "get_from_post":
        assert methods == ["POST"] * 4
    elif post:
        assert methods == ["POST", "GET", "GET", "GET"]
    else:
        assert methods == ["POST", "GET", "GET", "GET", "GET"]


@pytest.mark.parametrize("style", STYLES)
def test_the_items_endpoint_is_paged_in_the_same_way(api: StacApi, style: Any) -> None:
    api.next_style = style
    for item in some_items(5):
        api.put(item)
    assert listed(client(api)) == ids_of(5)
    assert asked(api, "/collections/c1/items") == ["GET"] * 3


def test_a_page_size_is_always_sent(api: StacApi) -> None:
    api.put(make_item("a"))
    asking = client(api, page_size=3)
    searched(asking)
    listed(asking)
    api.post_search = False
    searched(client(api, page_size=4))
    sizes = [
        (request.method, request.path, (request.body or request.query).get("limit"))
        for request in api.requests
        if request.path != "/"
    ]
    assert sizes == [
        ("POST", "/search", 3),
        ("GET", "/collections/c1/items", "3"),
        ("POST", "/search", 4),
        ("GET", "/search", "4"),
    ]


def test_a_merged_next_keeps_the_search_and_a_whole_body_replaces_it(api: StacApi) -> None:
    for item in some_items(3):
        api.put(item)
    styles: tuple[Any, ...] = ("merge", "token")
    for style in styles:
        api.reset()
        api.next_style = style
        searched(client(api), narrowing=Narrowing(bbox=(0, 0, 20, 60)))
        first, second = (request.body for request in api.requests if request.path == "/search")
        assert second == {**first, "token": second["token"]}


def test_a_post_next_without_a_body_sends_the_same_body_again(api: StacApi) -> None:
    for item in some_items(3):
        api.put(item)

    def bodiless(page: Any, request: Request) -> Any:
        for link in page["links"]:
            if link["rel"] == "next":
                link["href"] += f"?token={link.pop('body')['token']}"
        if "token" in request.query:
            page["features"], page["links"] = [json.loads(json.dumps(make_item("z")))], []
        return page

    api.on_page = bodiless
    assert searched(client(api)) == ["a0", "a1", "z"]
    first, second = (request for request in api.requests if request.path == "/search")
    assert (second.method, second.body) == ("POST", first.body)


def test_headers_of_a_next_link_are_sent_but_never_its_authorization(api: StacApi) -> None:
    api.next_style, api.token = "headers", "right"
    for item in some_items(3):
        api.put(item)

    def sly(page: Any, _: Request) -> Any:
        for link in page["links"]:
            if link["rel"] == "next":
                link["headers"]["Authorization"] = "Bearer wrong"
        return page

    api.on_page = sly
    assert searched(client(api, api_key="right")) == ids_of(3)
    assert api.requests[-1].headers["search-after"]
    assert api.requests[-1].headers["authorization"] == "Bearer right"


def test_odd_links_lead_nowhere_and_harm_nothing(api: StacApi) -> None:
    for item in some_items(3):
        api.put(item)

    def odd(page: Any, _: Request) -> Any:
        page["links"] = [{"href": "x"}, {"rel": "next"}, {"rel": "next", "href": None}, 7, *page["links"]]
        return page

    api.on_page = odd
    assert searched(client(api)) == ids_of(3)


def test_collections_are_read_to_their_last_page_each_once(api: StacApi) -> None:
    api.collections = [make_collection(f"c{n}") for n in range(5)] + [make_collection("c0")]
    api.collections_page_size = 2
    assert client(api).collection_ids() == ["c0", "c1", "c2", "c3", "c4"]


# POST, or GET where POST is refused


@pytest.mark.parametrize("status", [405, 404, 501, 403])
def test_post_refused_is_get_for_the_rest_of_the_run(api: StacApi, status: int) -> None:
    api.post_search = status
    for item in some_items(3):
        api.put(item)
    asking = client(api)
    assert searched(asking) == ids_of(3)
    assert searched(asking) == ids_of(3)
    once_more = ["POST"] if status == 404 else []  # it may have meant that nothing was found
    assert asked(api) == ["POST", *once_more, "GET", "GET", "GET", "GET"]


@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.parametrize("status", [405, 404, 501, 403])
def test_post_refused_at_a_later_page_loses_and_repeats_nothing(
    api: StacApi, pages: int, status: int
) -> None:
    api.post_fails_after, api.post_search = pages, status
    for item in some_items(7):
        api.put(item)
    asking = client(api)
    assert sorted(searched(asking)) == ids_of(7)
    assert asked(api) == ["POST"] * (pages + 1) + ["GET"] * 4
    api.reset()
    assert searched(asking) == ids_of(7)
    assert asked(api) == ["GET"] * 4


def test_403_on_both_is_authentication_while_nothing_has_succeeded(api: StacApi) -> None:
    api.fault("/", status=403, times=None)
    with pytest.raises(AuthenticationError, match="api_key"):
        searched(client(api))


def test_403_on_both_after_a_success_is_throttling(api: StacApi) -> None:
    api.put(make_item("a"))
    api.fault("/search", status=403, times=3)
    asking = client(api, max_retries=4)
    assert searched(asking) == ["a"]
    assert asked(api) == ["POST", "GET", "GET", "GET"]
    assert api.requests[0].path == "/"


def test_403_on_both_that_stays_ends_as_an_authentication_error(api: StacApi) -> None:
    api.fault("/search", status=403, times=None)
    with pytest.raises(AuthenticationError, match=r"403.*api_key.*tried"):
        searched(client(api))


@pytest.mark.parametrize(("status", "get_status"), [(404, 404), (501, 501), (405, 404), (404, 501)])
def test_a_search_that_is_not_there_names_root_relation_and_what_still_runs(
    api: StacApi, status: int, get_status: int
) -> None:
    api.post_search, api.get_search = status, get_status
    with pytest.raises(EndpointMissing) as caught:
        searched(client(api))
    assert isinstance(caught.value, NotImplementedError) and isinstance(caught.value, StacError)
    message = str(caught.value)
    assert api.url in message and "'search'" in message
    assert message.endswith(
        "still run: client_root, conformance, landing_pages, collections, collection, queryables, "
        "collection_items, item"
    )


@pytest.mark.parametrize("relation", ["search", "data"])
def test_a_root_without_the_link_raises_once_the_usual_path_is_missing_too(
    api: StacApi, relation: str
) -> None:
    api.has_search, api.has_collections = relation != "search", relation != "data"
    asking = client(api)
    with pytest.raises(EndpointMissing, match=f"'{relation}'.*still run: client_root, conformance"):
        searched(asking) if relation == "search" else asking.collection_ids()
    usual = {"search": ["/search"] * 4, "data": ["/collections"]}  # POST and GET, each twice
    assert [request.path for request in api.requests] == ["/", *usual[relation]]


@pytest.mark.parametrize("status", [404, 501])
def test_an_items_endpoint_that_is_not_there_keeps_only_its_own_asset_from_running(
    api: StacApi, status: int
) -> None:
    api.fault("/collections/c1/items", status=status)
    with pytest.raises(EndpointMissing, match=r"items.*still run: client_root.*collection, .*search, item"):
        listed(client(api))


def test_a_refused_search_is_an_error_with_the_answer(api: StacApi) -> None:
    api.fault("/search", status=400)
    with pytest.raises(RequestFailed, match=r"/search answered 400.*on request"):
        searched(client(api))


def test_a_filter_goes_into_both_methods(api: StacApi) -> None:
    for item in (make_item("in"), make_item("out", extra={"bbox": [80, 0, 81, 1]})):
        api.put(item)
    narrowing = Narrowing(bbox=(0, 40, 20, 60))
    assert searched(client(api), narrowing=narrowing) == ["in"]
    assert listed(client(api), narrowing=narrowing) == ["in"]
    api.post_search = False
    assert searched(client(api), narrowing=narrowing) == ["in"]


def test_pages_longer_than_asked_are_taken_whole(api: StacApi) -> None:
    for item in some_items(3):
        api.put(item)

    def longer(page: Any, request: Request) -> Any:
        if not request.body.get("token"):
            page["features"].append(make_item("more"))
        return page

    api.on_page = longer
    assert sorted(searched(client(api))) == ["a0", "a1", "a2", "more"]


def test_figures_count_pages_and_requests(api: StacApi) -> None:
    for item in some_items(5):
        api.put(item)
    figures = Figures()
    assert page_ids(client(api).search(WINDOW, Narrowing(), figures)) == ids_of(5)
    assert (figures.pages, figures.requests, figures.number_matched) == (3, 3, 5)
    assert figures.bytes > 1000 and figures.retries == 0


def test_no_next_of_which_readers_of_urls_name_different_hosts(api: StacApi) -> None:
    with StacApi(items=[make_item("forged")]) as other:
        host = other.url.partition("//")[2].partition("/")[0]

        def sly(page: Any, _: Any) -> Any:
            mine = api.url.partition("//")[2]
            page["links"] = [{"rel": "next", "href": f"http://{host}\\@{mine}/search"}]
            return page

        api.put(make_item("a"))
        api.on_page = sly
        with pytest.raises(UntrustedLink, match="no plain http"):
            searched(client(api))
        assert not other.requests
