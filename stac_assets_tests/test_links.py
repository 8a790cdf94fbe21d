"""Links as real landing pages have them: which one is followed, where it leads, and what is below it."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stac_assets.stac.documents import Link
from stac_assets.stac.errors import AuthenticationError, EndpointMissing, UntrustedLink
from stac_assets.stac.figures import Figures
from stac_assets.stac.representations import below, representation
from stac_assets_tests.asking import client, listed, searched
from stac_assets_tests.linked_api import SHAPES, LinkedApi, Relink, relative_to_the_folder
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request


@pytest.fixture
def linked() -> Iterator[LinkedApi]:
    """One item, `a`."""
    with LinkedApi(items=[make_item("a")]) as running:
        yield running


def everything(api: StacApi) -> dict[str, Any]:
    """What a client finds by each of the links."""
    asking = client(api)
    return {
        "search": searched(asking),
        "collection_items": listed(asking),
        "collections": asking.collection_ids(),
        "collection": json.loads(asking.collection("c1").body)["id"],
        "item": asking.item("c1", "a", Figures()) is not None,
        "queryables": sorted((asking.queryables("c1") or {})["properties"]),
        "conformance": len(asking.conformance()) > 3,
    }


FOUND = {
    "search": ["a"],
    "collection_items": ["a"],
    "collections": ["c1"],
    "collection": "c1",
    "item": True,
    "queryables": ["datetime", "id"],
    "conformance": True,
}


@pytest.mark.parametrize(("relink", "only"), SHAPES)
def test_every_shape_of_link(linked: LinkedApi, relink: Relink, only: Callable[[Request], bool]) -> None:
    linked.relink, linked.only = relink, only
    assert everything(linked) == FOUND


def test_a_template_alone_leads_to_the_usual_path(linked: LinkedApi) -> None:
    linked.relink = lambda url, link: [{**link, "href": link["href"] + "{?bbox}"}]
    assert everything(linked)["search"] == ["a"]


def test_a_search_that_is_linked_by_get_alone_is_sent_so(linked: LinkedApi) -> None:
    """Some of these APIs answer a POST too, and go by nothing of its body."""
    linked.search_links = ("GET",)
    assert everything(linked) == FOUND
    assert not [request for request in linked.requests if request.method == "POST"]


@pytest.mark.parametrize("relation", ["data", "search", "conformance"])
def test_a_missing_link_leads_to_the_usual_path(
    linked: LinkedApi, relation: str, caplog: pytest.LogCaptureFixture
) -> None:
    linked.relink = lambda url, link: [] if link["rel"] == relation else [link]
    with caplog.at_level(logging.WARNING, "stac_assets"):
        assert everything(linked) == FOUND
    told = [record.message for record in caplog.records if f"no usable link {relation!r}" in record.message]
    assert len(told) == 1


def test_what_is_neither_linked_nor_at_the_usual_path_is_missing(linked: LinkedApi) -> None:
    linked.has_search = linked.has_collections = False
    with pytest.raises(EndpointMissing, match="/search"):
        searched(client(linked))
    with pytest.raises(EndpointMissing, match="/collections"):
        client(linked).collection_ids()


def test_the_landing_page_is_found_with_and_without_a_slash(linked: LinkedApi) -> None:
    linked.relink = relative_to_the_folder
    linked.only = lambda request: request.target != "/v1"
    assert everything(linked) == FOUND


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("relink", [relative_to_the_folder, lambda url, link: [link]])
def test_a_base_url_that_redirects(linked: LinkedApi, status: int, relink: Relink) -> None:
    linked.relink = relink
    linked.fault(
        lambda request: request.target == "/latest",
        status=status,
        headers={"Location": "/v1/"},
        times=None,
    )
    asking = client(linked.url.replace("/v1", "/latest"))
    assert searched(asking) == ["a"]
    assert asking.collection_ids() == ["c1"]


def test_a_base_url_that_redirects_to_another_host_sends_it_no_credential(linked: LinkedApi) -> None:
    with StacApi() as former:
        former.fault("/", status=308, headers={"Location": linked.url}, times=None)
        assert searched(client(former, api_key="s3cr3t")) == ["a"]
    assert not any("authorization" in request.headers for request in linked.requests)


def test_that_no_credential_was_sent_to_another_host_is_told(linked: LinkedApi) -> None:
    linked.token = "s3cr3t"
    landing = json.dumps(linked._landing_page()).encode()
    linked.fault(lambda request: request.path == "/", body=landing, times=None)
    with StacApi() as former:
        former.fault("/", status=308, headers={"Location": linked.url}, times=None)
        with pytest.raises(AuthenticationError, match=r"no credential is sent there.*trusted_origins"):
            searched(client(former, api_key="s3cr3t"))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_search_keeps_its_question_and_learns(linked: LinkedApi, status: int) -> None:
    for n in range(5):
        linked.put(make_item(f"b{n}"))
        linked.put(make_item(f"other{n}", "c2"))
    linked.relink = lambda url, link: [{**link, "href": link["href"].replace("/search", "/old")}]
    linked.fault("/old", status=status, headers={"Location": "/v1/search"}, times=None)
    asking = client(linked)
    for _ in range(3):
        assert searched(asking) == ["a", "b0", "b1", "b2", "b3", "b4"]
    assert all(request.body for request in linked.requests if request.method == "POST")
    assert not [
        request for request in linked.requests if request.method == "GET" and request.path == "/search"
    ]
    assert len([request for request in linked.requests if request.path == "/old"]) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_get_keeps_its_query(linked: LinkedApi, status: int) -> None:
    linked.post_search = False
    linked.put(make_item("other", "c2"))
    linked.relink = lambda url, link: [{**link, "href": link["href"].replace("/search", "/old")}]
    linked.fault(lambda request: request.path == "/old" and request.method == "POST", status=405, times=None)
    linked.fault("/old", status=status, headers={"Location": "/v1/search"}, times=None)
    assert searched(client(linked)) == ["a"]


def test_a_question_is_not_sent_to_a_stranger(linked: LinkedApi) -> None:
    with StacApi(items=[make_item("elsewhere")]) as other:
        linked.fault("/search", status=307, headers={"Location": other.url + "/search"}, times=None)
        with pytest.raises(UntrustedLink, match="trusted_origins"):
            searched(client(linked))
        assert not other.requests
        assert searched(client(linked, trusted_origins=(other.url,))) == ["elsewhere"]


def test_the_kind_of_json_that_is_followed() -> None:
    links = [
        Link(href="x", rel="search", type="application/vnd.oai.openapi+json"),
        Link(href="html", rel="search", type="text/html"),
        Link(href="plain", rel="search"),
        Link(href="json", rel="search", type="application/json; charset=utf-8", method="GET"),
        Link(href="geo", rel="search", type="application/geo+json", method="POST"),
        Link(href="data", rel="data", type="text/html"),
    ]
    found = {method: representation(links, "search", method) for method in ("GET", "POST", None)}
    assert {method: link and link.href for method, link in found.items()} == {
        "GET": "json",
        "POST": "geo",
        None: "geo",
    }
    assert representation(links, "data") is None


def test_what_is_below_a_url() -> None:
    assert below("http://x/v1/collections?f=json#top", "a/b c") == "http://x/v1/collections/a%2Fb%20c?f=json"
    assert below("http://x/v1/collections/", "a", "items") == "http://x/v1/collections/a/items/"
