"""Links as real landing pages have them: which one is followed, where it leads, and what is below it."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from stac_assets.stac.documents import Link
from stac_assets.stac.errors import EndpointMissing, UntrustedLink
from stac_assets.stac.figures import Figures
from stac_assets.stac.representations import below, representation
from stac_assets_tests.asking import client, listed, searched
from stac_assets_tests.stac_api import Document, StacApi, make_item
from stac_assets_tests.stac_api_faults import Reply, Request

Relink = Callable[[str, Document], list[Document]]
"""Takes the URL of the API and a link, and gives what the landing page has instead."""


@dataclass(kw_only=True, eq=False)
class Linked(StacApi):
    """An API whose landing page has other links than usual."""

    relink: Relink = lambda url, link: [link]
    only: Callable[[Request], bool] = lambda request: True
    """Whether the API knows a URL at all; it answers 404 to any other."""

    def answer(self, request: Request) -> Reply:
        if not self.only(request):
            return Reply.error(404, f"there is no {request.target}")
        return super().answer(replace(request, segments=tuple(filter(None, request.segments))))

    def _landing_page(self) -> Document:
        page = super()._landing_page()
        page["links"] = [new for link in page["links"] for new in self.relink(self.url, link)]
        return page


@pytest.fixture
def linked() -> Iterator[Linked]:
    """One item, `a`."""
    with Linked(items=[make_item("a")]) as running:
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


def _with_query(url: str, link: Document) -> list[Document]:
    return [{**link, "href": link["href"] + "?f=json"}]


def _with_slash(url: str, link: Document) -> list[Document]:
    return [{**link, "href": link["href"].rstrip("/") + "/"}]


def _for_people_first(url: str, link: Document) -> list[Document]:
    others = ("text/html", "application/opensearchdescription+xml", "application/xml", "TEXT/HTML; charset=x")
    return [*({**link, "type": other, "href": f"{link['href']}.page"} for other in others), link]


def _untyped(url: str, link: Document) -> list[Document]:
    return [{**link, "type": "text/html", "href": url + "/nowhere"}, {**link, "type": None}]


def _relative_to_the_page(url: str, link: Document) -> list[Document]:
    return [{**link, "href": urlsplit(link["href"]).path.lstrip("/") or "."}]


def _relative_to_the_folder(url: str, link: Document) -> list[Document]:
    return [{**link, "href": "." + link["href"].removeprefix(url)}]


def _by_path(url: str, link: Document) -> list[Document]:
    return [{**link, "href": urlsplit(link["href"]).path}]


def _with_blanks(url: str, link: Document) -> list[Document]:
    return [{**link, "href": f" \n{link['href']} "}]


@pytest.mark.parametrize(
    ("relink", "only"),
    [
        (_with_query, lambda request: request.path == "/" or request.query.get("f") == "json"),
        (
            _with_slash,
            lambda request: request.target.partition("?")[0].endswith("/") or request.path == "/",
        ),
        (_for_people_first, lambda request: ".page" not in request.target),
        (_untyped, lambda request: "nowhere" not in request.target),
        (_relative_to_the_page, lambda request: True),
        (_relative_to_the_folder, lambda request: True),
        (_by_path, lambda request: True),
        (_with_blanks, lambda request: True),
    ],
)
def test_every_shape_of_link(linked: Linked, relink: Relink, only: Callable[[Request], bool]) -> None:
    linked.relink, linked.only = relink, only
    assert everything(linked) == FOUND


@pytest.mark.parametrize("relation", ["data", "search", "conformance"])
def test_a_missing_link_leads_to_the_usual_path(
    linked: Linked, relation: str, caplog: pytest.LogCaptureFixture
) -> None:
    linked.relink = lambda url, link: [] if link["rel"] == relation else [link]
    with caplog.at_level(logging.WARNING, "stac_assets"):
        assert everything(linked) == FOUND
    told = [record.message for record in caplog.records if f"no usable link {relation!r}" in record.message]
    assert len(told) == 1


def test_what_is_neither_linked_nor_at_the_usual_path_is_missing(linked: Linked) -> None:
    linked.has_search = linked.has_collections = False
    with pytest.raises(EndpointMissing, match="/search"):
        searched(client(linked))
    with pytest.raises(EndpointMissing, match="/collections"):
        client(linked).collection_ids()


def test_the_landing_page_is_found_with_and_without_a_slash(linked: Linked) -> None:
    linked.relink = _relative_to_the_folder
    linked.only = lambda request: request.target != "/v1"
    assert everything(linked) == FOUND


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("relink", [_relative_to_the_folder, lambda url, link: [link]])
def test_a_base_url_that_redirects(linked: Linked, status: int, relink: Relink) -> None:
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


def test_a_base_url_that_redirects_to_another_host_sends_it_no_credential(linked: Linked) -> None:
    with StacApi() as former:
        former.fault("/", status=308, headers={"Location": linked.url}, times=None)
        assert searched(client(former, api_key="s3cr3t")) == ["a"]
    assert not any("authorization" in request.headers for request in linked.requests)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_search_keeps_its_question_and_learns(linked: Linked, status: int) -> None:
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
def test_a_redirected_get_keeps_its_query(linked: Linked, status: int) -> None:
    linked.post_search = False
    linked.put(make_item("other", "c2"))
    linked.relink = lambda url, link: [{**link, "href": link["href"].replace("/search", "/old")}]
    linked.fault(lambda request: request.path == "/old" and request.method == "POST", status=405, times=None)
    linked.fault("/old", status=status, headers={"Location": "/v1/search"}, times=None)
    assert searched(client(linked)) == ["a"]


def test_a_question_is_not_sent_to_a_stranger(linked: Linked) -> None:
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
