"""What an API does not have, and listings that it cuts off: nothing is gone without two witnesses."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import RequestFailed, StacError, UnknownCollection
from stac_assets.stac.figures import Figures
from stac_assets_tests.asking import asked, client, fetched, spooled
from stac_assets_tests.stac_api import StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Reply, Request

NOT_FOUND = {
    "status 404": Reply.error(404, "not found"),
    "status 410": Reply.error(410, "gone"),
    "error document": Reply(200, b'{"code": 404, "message": "Not found"}'),
    "nothing": Reply(200, b"{}"),
    "another document": Reply(200, json.dumps(make_item("z", "c9")).encode()),
}


@dataclass(kw_only=True, eq=False)
class Absent(StacApi):
    """An API that says in its own way that it does not have a document."""

    saying: Reply = NOT_FOUND["status 404"]
    hides: str = ""
    """Documents whose URL holds this text are not found, although they are there."""

    def answer(self, request: Request) -> Reply:
        if self.hides and self.hides in request.target and request.path != "/search":
            return self.saying
        reply = super().answer(request)
        return self.saying if reply.status == 404 and request.path != "/search" else reply


@pytest.fixture
def absent() -> Iterator[Absent]:
    with Absent(items=[make_item("a"), make_item("b/c")]) as running:
        yield running


def found(api: StacApi, item_id: str) -> str | None:
    answer = client(api).item("c1", item_id, Figures())
    return None if answer is None else json.loads(answer.body)["id"]


@pytest.mark.parametrize("saying", NOT_FOUND.values(), ids=list(NOT_FOUND))
def test_an_item_is_absent_once_a_search_agrees(absent: Absent, saying: Reply) -> None:
    absent.saying = saying
    assert found(absent, "gone") is None
    assert asked(absent) == ["POST"]
    assert [found(absent, name) for name in ("a", "b/c")] == ["a", "b/c"]


@pytest.mark.parametrize("saying", NOT_FOUND.values(), ids=list(NOT_FOUND))
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_item_that_only_a_search_finds_is_there(absent: Absent, saying: Reply, method: str) -> None:
    absent.saying, absent.hides = saying, "/items/"
    absent.post_search = method == "POST"
    assert [found(absent, name) for name in ("a", "b/c", "gone")] == ["a", "b/c", None]


def test_a_slash_that_a_proxy_does_not_take_encoded(absent: Absent) -> None:
    absent.hides, absent.has_search = "%2F", False
    absent.fault(lambda request: request.target.endswith("/items/b/c"), body=b'{"id": "b/c"}', times=None)
    assert found(absent, "b/c") == "b/c"


def test_a_failing_search_is_no_witness(absent: Absent) -> None:
    absent.fault("/search", status=500, times=None)
    with pytest.raises(RequestFailed, match="500"):
        found(absent, "gone")


def test_without_a_search_the_url_is_the_only_witness(absent: Absent) -> None:
    absent.has_search = False
    assert (found(absent, "a"), found(absent, "gone")) == ("a", None)


@pytest.mark.parametrize("saying", NOT_FOUND.values(), ids=list(NOT_FOUND))
def test_an_unknown_collection_is_named(absent: Absent, saying: Reply) -> None:
    absent.saying = saying
    with pytest.raises(UnknownCollection, match="no collection 'c1-mistyped'; it has 1, among them: c1"):
        client(absent).collection("c1-mistyped")
    assert [client(absent).has_collection(name) for name in ("c1", "c1-mistyped")] == [True, False]


@pytest.mark.parametrize("name", ["status 404", "status 410", "error document", "nothing"])
def test_no_queryables(absent: Absent, name: str) -> None:
    absent.has_queryables, absent.saying = False, NOT_FOUND[name]
    assert client(absent).queryables("c1") is None


# Listings


@dataclass(kw_only=True, eq=False)
class CutOff(StacApi):
    """An API that lists ten collections, or as many as `limit` says up to `highest`, and no `next`."""

    highest: int = 10_000
    counts: bool = True
    links: bool = False

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        if request.path == "/" and not self.links:
            page = json.loads(reply.body)
            page["links"] = [link for link in page["links"] if link["rel"] != "child"]
            return replace(reply, body=json.dumps(page).encode())
        if request.path != "/collections":
            return reply
        limit = int(request.query.get("limit", 10))
        if limit > self.highest:
            return Reply.error(400, "limit is too large")
        page: dict[str, Any] = {"collections": self.collections[:limit], "links": None}
        if self.counts:
            page["numberMatched"] = len(self.collections)
        return Reply(200, json.dumps(page).encode(), reply.headers)


@pytest.fixture
def cut_off() -> Iterator[CutOff]:
    with CutOff(collections=[make_collection(f"c{n:02}") for n in range(25)]) as running:
        yield running


ALL = [f"c{n:02}" for n in range(25)]


@pytest.mark.parametrize("evidence", ["counts", "links", "ten"])
@pytest.mark.parametrize("highest", [10_000, 1_000, 100])
def test_a_listing_that_is_cut_off_is_asked_with_a_limit(
    cut_off: CutOff, evidence: str, highest: int
) -> None:
    cut_off.counts, cut_off.links, cut_off.highest = evidence == "counts", evidence == "links", highest
    assert client(cut_off).collection_ids() == ALL


@pytest.mark.parametrize(
    ("evidence", "named"), [("counts", "it does not say which"), ("links", "c10, c11, c12")]
)
def test_what_a_listing_still_lacks_is_named(
    cut_off: CutOff, evidence: str, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    cut_off.counts, cut_off.links, cut_off.highest = evidence == "counts", evidence == "links", 10
    with caplog.at_level(logging.WARNING, "stac_assets"):
        assert client(cut_off).collection_ids() == ALL[:10]
    assert f"lists 10 collections, but the API has 25; missing: {named}" in caplog.text


@pytest.mark.parametrize("entry", [None, "c9", 5, ["c9"]])
def test_an_entry_that_is_no_collection_takes_no_other_along(
    cut_off: CutOff, entry: Any, caplog: pytest.LogCaptureFixture
) -> None:
    names = client(cut_off).collection_ids()
    listing = {"collections": [entry, *cut_off.collections], "links": []}
    cut_off.fault("/collections", body=json.dumps(listing).encode(), times=None)
    assert client(cut_off).collection_ids() == names
    assert "1 entry of its collections cannot be read" in caplog.text


@pytest.mark.parametrize("number", [0, 3, 10, 30])
def test_a_whole_listing_costs_one_request(cut_off: CutOff, number: int) -> None:
    cut_off.collections = [make_collection(f"c{n:02}") for n in range(number)][:10]
    assert len(client(cut_off).collection_ids()) == min(number, 10)
    assert asked(cut_off, "/collections") == ["GET"]


# Links of the landing page


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_broken_link_of_the_landing_page_takes_no_other_along(api: StacApi, status: int) -> None:
    api.fault("/api", status=status, times=None)
    asking = client(api)
    found = {link.rel: asking.link_document(link) for link in asking.landing.links()}
    described, conformance = found["service-desc"], found["conformance"]
    assert described is not None and described[0] == status
    assert conformance is not None and conformance[0] == 200


def test_a_link_that_hangs_up(api: StacApi) -> None:
    api.fault("/api", drop=True, times=None)
    asking = client(api)
    found = {link.rel: asking.link_document(link) for link in asking.landing.links()}
    assert found["service-desc"] == (None, b"")
    with pytest.raises(StacError):
        client(api, max_retries=0).transport.get(api.url + "/api")


# A search that answers 404


@dataclass(kw_only=True, eq=False)
class NothingIs404(StacApi):
    """An API that answers 404 to a question that finds nothing."""

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        is_search = request.path == "/search" or request.path.endswith("/items")
        is_empty = is_search and reply.status == 200 and not json.loads(reply.body)["features"]
        return Reply.error(404, "No items found") if is_empty else reply


@pytest.mark.parametrize("resource", ["search", "collection_items"])
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("at_once", [1, 8])
def test_a_404_for_nothing_found_is_an_empty_window(
    tmp_path: Path, resource: str, method: str, at_once: int
) -> None:
    with NothingIs404(items=[make_item("a", datetime="2024-01-05T00:00:00Z")]) as api:
        api.post_search = method == "POST"
        windows = fetched(api, tmp_path, days=9, resource=resource, max_concurrent_requests=at_once)
    assert [window.error for window in windows] == [None] * 9
    assert [spooled(window) for window in windows] == [["a"] if n == 4 else [] for n in range(9)]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_404_that_passes_empties_nothing(api: StacApi, tmp_path: Path, method: str) -> None:
    """As one of a proxy, while the API behind it has the items."""
    api.put(make_item("a", datetime="2024-01-05T00:00:00Z"))
    api.post_search = method == "POST"
    api.fault(lambda request: request.method == method and request.path == "/search", status=404)
    windows = fetched(api, tmp_path, days=9, max_concurrent_requests=1)
    assert windows[4].error or spooled(windows[4]) == ["a"]


def test_a_404_to_the_number_of_items_empties_nothing(api: StacApi, tmp_path: Path) -> None:
    api.put(make_item("a", datetime="2024-01-05T00:00:00Z"))
    api.fault(lambda request: (request.body or {}).get("limit", 0) > 1, status=404, times=None)
    windows = fetched(api, tmp_path, days=9)
    assert windows[4].error or spooled(windows[4]) == ["a"]


def test_an_endpoint_that_is_gone_is_no_empty_window(api: StacApi, tmp_path: Path) -> None:
    api.put(make_item("a"))
    api.fault("/search", times=2)
    api.fault("/search", status=404, times=None)
    windows = fetched(api, tmp_path, days=9, max_concurrent_requests=1)
    assert all(window.error for window in windows[2:])
