"""The STAC API that the other tests load from does what they rely on, over HTTP."""

import datetime as dt
import http.client
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urljoin
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest

from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)


class Answer(NamedTuple):
    status: int
    raw: bytes
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.json["features"]]


def fetch(url: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urlopen(HttpRequest(url, data, headers or {}), timeout=3) as got:
            return Answer(got.status, got.read(), got.headers)
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read(), error.headers)


def next_link(page: Any) -> dict[str, Any] | None:
    return next((link for link in page["links"] if link["rel"] == "next"), None)


def walk(url: str, body: Any = None, key: str = "features") -> list[list[str]]:
    """The ids of every page, with the next links followed as the STAC specification has it."""
    pages, headers = [], {}
    while True:
        got = fetch(url, body, headers)
        assert got.status == 200, got
        pages.append([entry["id"] for entry in got.json[key]])
        link = next_link(got.json)
        if link is None:
            return pages
        url, headers = urljoin(url, link["href"]), link.get("headers", {})
        body = {**(body if link.get("merge") else {}), **link["body"]} if link["method"] == "POST" else None


def five() -> list[Any]:
    return [make_item(id) for id in "abcde"]


@pytest.mark.parametrize("prefix", ["/v1", "", "/deep/er"])
def test_every_route_and_the_landing_pages_links_to_them(prefix: str) -> None:
    with StacApi(prefix=prefix, items=five()) as api:
        assert re.fullmatch(rf"http://127\.0\.0\.1:\d+{prefix}", api.url)
        root = fetch(api.url).json
        assert fetch(api.url + "/").json == root
        assert root["type"] == "Catalog"
        assert root["conformsTo"] == fetch(api.url + "/conformance").json["conformsTo"] == api.conforms_to
        assert [link["rel"].rpartition("/")[2] for link in root["links"]] == [
            *("self", "root", "service-desc", "service-doc", "data", "conformance", "search", "search"),
            *("queryables", "child"),
        ]
        assert [link["method"] for link in root["links"] if link["rel"] == "search"] == ["GET", "POST"]
        for link in root["links"]:
            got = fetch(link["href"])
            assert (got.status, got.headers["Content-Type"]) == (200, link["type"])
        collections = fetch(api.url + "/collections").json
        assert collections["collections"] == [make_collection("c1")]
        assert collections["numberMatched"] == 1
        assert fetch(api.url + "/collections/c1").json == make_collection("c1")
        assert fetch(api.url + "/collections/c1/queryables").json["properties"] == api.queryables
        assert fetch(api.url + "/collections/c1/items").json["features"] == five()
        assert fetch(api.url + "/collections/c1/items/c").json == make_item("c")
        assert fetch(api.url + "/search").json["features"] == five()
        assert fetch(api.url + "/search", {}).json["features"] == five()
    with pytest.raises(URLError):
        urlopen(api.url)


def test_what_is_not_there_is_404_in_json_and_what_is_not_allowed_405() -> None:
    with StacApi(items=five()) as api:
        for path in (
            "/no",
            "/collections/no",
            "/collections/no/items",
            "/collections/no/items/a",
            "/search/",
        ):
            got = fetch(api.url + path)
            assert got.status == 404 and got.json["description"], path
        assert fetch(api.url + "/collections/c1/items/no").status == 404
        assert fetch(api.url.removesuffix("/v1") + "/search").status == 404
        assert api.requests[-1].path == "/../search"
        assert fetch(api.url + "/collections", {}).status == 405


def test_ids_are_escaped_in_paths_and_links() -> None:
    with StacApi(items=[make_item("a/b c", "c/1 é"), make_item("z", "c/1 é")]) as api:
        child = next(it for it in fetch(api.url).json["links"] if it["rel"] == "child")
        assert fetch(child["href"]).json["id"] == "c/1 é"
        assert fetch(f"{child['href']}/items/{quote('a/b c', '')}").json["id"] == "a/b c"
        assert walk(f"{child['href']}/items?limit=1") == [["a/b c"], ["z"]]
        assert api.requests[-1].segments == ("collections", "c/1 é", "items")


def test_datetime_windows_touch_at_both_ends() -> None:
    items = [
        make_item("instant", datetime="2024-01-01T10:00:00Z"),
        make_item("offset", datetime="2024-01-01T13:00:00.5+02:00"),
        make_item("interval", start="2024-01-01T12:00:00Z", end="2024-02-01T00:00:00Z"),
        make_item("timeless", datetime="nonsense"),
    ]
    expected = {
        "2024-01-01T10:00:00Z": "instant",
        "2024-01-01T12:00:00+02:00": "instant",
        "2024-01-01T10:00:00.000001Z/2024-01-01T11:00:00.499999Z": "",
        "2024-01-01T10:00:00Z/2024-01-01T11:00:00.5Z": "instant offset",
        "../2024-01-01T12:00:00Z": "instant offset interval",
        "/2024-01-01T11:59:59.999Z": "instant offset",
        "2024-01-01T11:00:00.5Z/..": "offset interval",
        "2024-02-01T00:00:00Z/": "interval",
        "2024-01-15t00:00:00z/2024-01-16T00:00:00Z": "interval",
        "2024-02-01T00:00:00.001Z/..": "",
    }
    with StacApi(items=items) as api:
        for window, ids in expected.items():
            query = urlencode({"datetime": window})
            assert fetch(f"{api.url}/search?{query}").ids == ids.split(), window
            assert fetch(f"{api.url}/collections/c1/items?{query}").ids == ids.split()
            assert fetch(f"{api.url}/search", {"datetime": window}).ids == ids.split()
        assert len(fetch(f"{api.url}/search").ids) == 4
        for bad in (
            "2024-01-01",
            "2024-01-01T00:00:00",
            "../..",
            "/",
            "2024-01-02T00:00:00Z/2024-01-01T00:00:00Z",
        ):
            assert fetch(f"{api.url}/search", {"datetime": bad}).status == 400, bad
        # An unescaped plus is a space.
        assert fetch(f"{api.url}/search?datetime=2024-01-01T10:00:00+00:00").status == 400


def test_collections_ids_bbox_and_limit() -> None:
    fiji = {"bbox": [177.0, -20.0, 0.0, -178.0, -15.0, 9.0]}
    items = [make_item("a"), make_item("b"), make_item("a", "c2"), make_item("f", "c3", extra=fiji)]
    items.append(make_item("nowhere", "c3", extra={"bbox": None, "geometry": None}))
    searches: list[tuple[str, Any, str]] = [
        ("collections=c1", {"collections": ["c1"]}, "a b"),
        ("collections=c2,c3", {"collections": ["c2", "c3"]}, "a f nowhere"),
        ("collections=no", {"collections": ["no"]}, ""),
        ("ids=a,f", {"ids": ["a", "f"]}, "a a f"),
        ("collections=c2&ids=a", {"collections": ["c2"], "ids": ["a"]}, "a"),
        ("bbox=10,50,11,51", {"bbox": [10, 50, 11, 51]}, "a b a"),
        ("bbox=179,-16,-179,0", {"bbox": [179, -16, -179, 0]}, "f"),
        ("bbox=-180,-90,0,-179,90,9", {"bbox": [-180, -90, 0, -179, 90, 9]}, "f"),
        ("bbox=0,0,1,1", {"bbox": [0, 0, 1, 1]}, ""),
        ("limit=2", {"limit": 2}, "a b"),
        ("", {"collections": [], "ids": []}, "a b a f nowhere"),
    ]
    with StacApi(items=items) as api:
        for query, body, ids in searches:
            assert fetch(f"{api.url}/search?{query}").ids == ids.split(), query
            assert fetch(f"{api.url}/search", body).ids == ids.split(), body
        bodies: list[Any] = [
            {"limit": 0},
            {"limit": "x"},
            {"bbox": [1, 2, 3]},
            {"ids": "a"},
            {"token": "?"},
            [],
        ]
        for bad in [*bodies, b"no json"]:
            assert fetch(f"{api.url}/search", bad).status == 400, bad
    with StacApi(items=[make_item(str(n)) for n in range(12)]) as api:
        assert len(fetch(f"{api.url}/search").ids) == 10
        assert len(fetch(f"{api.url}/search?limit=12").ids) == 12
        api.max_limit = 3
        assert len(fetch(f"{api.url}/search?limit=12").ids) == len(fetch(f"{api.url}/search").ids) == 3


@pytest.mark.parametrize("style", ["token", "merge", "relative", "get_from_post", "headers"])
@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_paging_in_every_style(
    style: Literal["token", "merge", "relative", "get_from_post", "headers"], prefix: str
) -> None:
    pages = [["a", "b"], ["c", "d"], ["e"]]
    window = "2024-01-01T00:00:00+00:00/.."
    query = urlencode({"limit": 2, "collections": "c1", "datetime": window})
    body = {"limit": 2, "collections": ["c1"], "datetime": window, "bbox": [0, 0, 90, 90]}
    with StacApi(prefix=prefix, items=[*five(), make_item("other", "c2")], next_style=style) as api:
        assert walk(f"{api.url}/search?{query}") == pages
        assert walk(f"{api.url}/collections/c1/items?{query}") == pages
        api.reset()
        assert walk(f"{api.url}/search", body) == pages
        methods = ["POST", "GET", "GET"] if style == "get_from_post" else ["POST"] * 3
        assert [request.method for request in api.requests] == methods
        link = next_link(fetch(f"{api.url}/search", body).json)
        assert link
        assert link.get("merge", False) == (style == "merge")
        assert link["href"].startswith("http") != (style == "relative")
        if style == "merge":
            assert [*link["body"]] == ["token"]
        if style == "headers":
            assert fetch(link["href"], link["body"]).status == 400
        api.collections_page_size = 1
        assert walk(f"{api.url}/collections?limit=5", key="collections") == [["c1"], ["c2"]]


def test_collections_are_paged_only_when_asked_to() -> None:
    with StacApi(collections=[make_collection(str(n)) for n in range(12)]) as api:
        assert len(walk(f"{api.url}/collections?limit=2", key="collections")) == 1
        api.collections_page_size = 5
        sizes = [len(page) for page in walk(f"{api.url}/collections", key="collections")]
        assert sizes == [5, 5, 2]
        assert len(walk(f"{api.url}/collections?limit=3", key="collections")) == 4


def test_counts() -> None:
    with StacApi(items=five()) as api:
        page = fetch(f"{api.url}/search?limit=2").json
        assert (page["numberMatched"], page["numberReturned"], "context" in page) == (5, 2, False)
        api.number_matched = "context"
        page = fetch(f"{api.url}/search?limit=2").json
        assert (page["context"], "numberMatched" in page) == (
            {"matched": 5, "returned": 2, "limit": 2},
            False,
        )
        api.number_matched = None
        assert {*fetch(f"{api.url}/search?limit=2").json} == {"type", "features", "links"}


def test_items_change_while_it_runs() -> None:
    with StacApi() as api:
        assert fetch(f"{api.url}/collections").json["collections"] == []
        item = make_item("a", "new")
        api.put(item)
        item["id"] = "changed afterwards"
        assert fetch(f"{api.url}/collections/new/items").ids == ["a"]
        api.put(make_item("b", "new"))
        api.put(make_item("a", "new", cloud=3))
        found = fetch(f"{api.url}/search").json["features"]
        assert found == [make_item("a", "new", cloud=3), make_item("b", "new")]
        api.remove("new", "a")
        assert fetch(f"{api.url}/search").ids == ["b"]
        api.clear()
        assert fetch(f"{api.url}/search").ids == []
        assert fetch(f"{api.url}/collections/new").status == 200
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: api.put(make_item(str(n), str(n % 2))), range(200)))
        assert fetch(f"{api.url}/search").json["numberMatched"] == 200
        assert [it["id"] for it in api.collections] in (["new", "0", "1"], ["new", "1", "0"])


def test_raw_items_are_sent_byte_for_byte() -> None:
    texts = [
        b'{"id":"odd", "n": NaN, "i": 1E400, "x": 1.10, "s": "\\ud800 \\u0000", "z": -0}',
        b'{"id": "bytes", "s": "\xff\xfe"}',
        b"{broken \x00 \\1 \\g<0>",
    ]
    raws = [RawItem(text, "raw", NOON, NOON) for text in texts]
    with StacApi(items=[make_item("a", "raw"), *raws]) as api:
        page = fetch(f"{api.url}/search", {"datetime": "2024-01-01T12:00:00Z"}).raw
        assert b'"features": [' + b", ".join(texts) + b"]" in page
        assert fetch(f"{api.url}/search", {"ids": ["odd"]}).raw.count(texts[0]) == 1
        assert fetch(f"{api.url}/collections/raw/items/bytes").raw == texts[1]
        api.put(RawItem(b'{"id": "bytes"}', "raw", NOON, NOON, bbox=(0, 0, 1, 1)))
        assert texts[1] not in fetch(f"{api.url}/search").raw
        assert fetch(f"{api.url}/search?bbox=0,0,1,1").ids == ["bytes"]
        api.put(RawItem(b'{"id": 1}', "raw", NOON, NOON, id="known as"))
        assert fetch(f"{api.url}/search?ids=known+as").ids == [1]


def test_make_item() -> None:
    properties: dict[str, Any] = {"eo:cloud_cover": 5}
    interval = make_item("a", start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z", **properties)
    assert interval["properties"] == {
        "datetime": None,
        "start_datetime": "2024-01-01T00:00:00Z",
        "end_datetime": "2024-01-02T00:00:00Z",
        "eo:cloud_cover": 5,
    }
    assert make_item("a", "c2", "2020-01-01T00:00:00Z", extra={"assets": {}})["assets"] == {}


def test_switches() -> None:
    def rels() -> list[str]:
        return [link.get("method", link["rel"].rpartition("/")[2]) for link in fetch(api.url).json["links"]]

    with StacApi(items=five()) as api:
        for status in (405, 403, 404, 501):
            api.post_search = api.get_search = status
            assert fetch(f"{api.url}/search", {}).status == fetch(f"{api.url}/search").status == status
        api.post_search = api.get_search = False
        assert fetch(f"{api.url}/search", {}).status == fetch(f"{api.url}/search").status == 405
        assert {"GET", "POST"} < {*rels()}
        api.search_links = ("GET",)
        assert "POST" not in rels()
        api.has_search, api.get_search, api.post_search = False, True, True
        assert fetch(f"{api.url}/search", {}).status == fetch(f"{api.url}/search").status == 404
        assert "GET" not in rels()
        api.has_collections = False
        assert (fetch(f"{api.url}/collections").status, fetch(f"{api.url}/collections/c1").status) == (
            404,
            200,
        )
        api.has_conformance = api.has_queryables = False
        for path in ("/conformance", "/queryables", "/collections/c1/queryables"):
            assert fetch(api.url + path).status == 404
        assert rels() == ["self", "root", "service-desc", "service-doc", "child"]
        api.conforms_to_in_root = False
        assert "conformsTo" not in fetch(api.url).json


def test_post_fails_after_some_pages() -> None:
    with StacApi(items=five(), post_search=403, post_fails_after=2) as api:
        statuses = [fetch(f"{api.url}/search", {}).status for _ in range(4)]
        assert statuses == [200, 200, 403, 403]
        api.reset()
        assert fetch(f"{api.url}/search", {}).status == 200
        assert fetch(f"{api.url}/search").status == 200


def test_the_token_is_needed_everywhere() -> None:
    with StacApi(items=five(), token="secret") as api:
        for path in ("", "/search", "/collections/c1/items/a", "/no"):
            got = fetch(api.url + path)
            assert (got.status, got.headers["WWW-Authenticate"], "code" in got.json) == (401, "Bearer", True)
            assert fetch(api.url + path, headers={"Authorization": "Basic secret"}).status == 401
            assert fetch(api.url + path, headers={"Authorization": "Bearer wrong"}).status == 403
        right = {"Authorization": "Bearer secret"}
        assert fetch(f"{api.url}/search", {}, right).ids == [*"abcde"]
        api.token = "renewed"
        assert fetch(f"{api.url}/search", {}, right).status == 403


def test_faults_are_used_up_in_order() -> None:
    with StacApi(items=five()) as api:
        limited = api.fault("/search", times=2, status=429, headers={"Retry-After": "7"})
        api.fault("/search", status=500, body=b"oops", headers={"content-type": "text/plain"})
        down = api.fault(lambda request: request.method == "POST", times=None, status=503)
        assert fetch(f"{api.url}/collections").status == 200
        got = [fetch(f"{api.url}/search") for _ in range(4)]
        assert [it.status for it in got] == [429, 429, 500, 200]
        assert (got[0].headers["Retry-After"], got[0].json["code"]) == ("7", "429")
        assert (got[2].raw, got[2].headers.get_all("Content-Type")) == (b"oops", ["text/plain"])
        assert [fetch(f"{api.url}/search", {}).status for _ in range(3)] == [503] * 3
        assert (limited.used, down.used) == (2, 3)
        api.faults.clear()
        api.fault(body=b"<html>")
        api.fault(headers={"X-Extra": "1"})
        assert fetch(api.url).raw == b"<html>"
        got = fetch(f"{api.url}/search")
        assert (got.ids, got.headers["X-Extra"]) == ([*"abcde"], "1")
        api.fault("/search", status=302, headers={"Location": f"{api.url}/conformance"})
        assert "conformsTo" in fetch(f"{api.url}/search").json


def test_broken_transfers() -> None:
    with StacApi(items=five()) as api:
        whole = fetch(f"{api.url}/search").raw
        api.fault(drop=True)
        with pytest.raises(http.client.RemoteDisconnected):
            fetch(api.url)
        for size, sent in ((100, 100), (0, 0), (-1, len(whole) - 1)):
            api.fault("/search", truncate=size)
            with pytest.raises(http.client.IncompleteRead) as cut:
                fetch(f"{api.url}/search")
            assert cut.value.partial == whole[:sent]
            assert cut.value.expected == len(whole) - sent
        api.fault("/search", chunked_truncate=True)
        with pytest.raises(http.client.IncompleteRead) as cut:
            fetch(f"{api.url}/search")
        assert cut.value.partial == whole[: (len(whole) + 1) // 2]
        assert fetch(f"{api.url}/search").raw == whole


def test_slow_and_endless_answers() -> None:
    with StacApi(items=five()) as api:
        began = time.monotonic()
        api.fault("/search", delay=0.1)
        assert fetch(f"{api.url}/search").ids == [*"abcde"]
        assert time.monotonic() - began >= 0.1
        began = time.monotonic()
        api.fault(drip=0.01, body=b"0123456789")
        assert fetch(api.url).raw == b"0123456789"
        assert time.monotonic() - began >= 0.1
        api.fault(endless=True)
        with urlopen(api.url) as got:
            begun = got.read(1_000_000)
        assert begun.startswith(b'{"type": "Catalog"') and begun.endswith(b"  ")
        assert begun.rstrip() + b"}" == fetch(api.url).raw
        # None of them keeps the server from stopping.
        api.fault(times=3, delay=60, drop=True)
        api.fault(drip=60)
        stuck = [threading.Thread(target=swallow, args=(api.url,)) for _ in range(4)]
        for thread in stuck:
            thread.start()
        while len(api.requests) < 8:
            time.sleep(0.001)
    for thread in stuck:
        thread.join(1)
        assert not thread.is_alive()


def swallow(url: str) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        fetch(url)


def test_on_page_alters_any_page_of_items() -> None:
    def without_next(page: Any, request: Request) -> Any:
        page["features"][0]["properties"].clear()
        page["links"].clear()
        page["path"] = request.path
        return page

    raw = RawItem(b'{"id": "raw", "n": NaN}', "c1", NOON, NOON)
    with StacApi(items=[*five(), raw], on_page=without_next) as api:
        for path in ("/search", "/collections/c1/items"):
            got = fetch(f"{api.url}{path}?limit=2")
            assert (got.ids, got.json["links"], got.json["path"]) == (["a", "b"], [], path)
            assert got.json["features"][0]["properties"] == {}
        assert raw.text in fetch(f"{api.url}/search").raw
        assert fetch(f"{api.url}/collections/c1/items/a").json == make_item("a")
        api.on_page = lambda page, request: b"[" + request.method.encode()
        assert fetch(f"{api.url}/search", {}).raw == b"[POST"
        api.on_page = None
        assert fetch(f"{api.url}/search").json["features"][0] == make_item("a")


@pytest.mark.parametrize("misuse", ["hook", "match"])
def test_what_fails_in_a_hook_is_raised_at_the_end(misuse: str) -> None:
    def fails(*_: Any) -> Any:
        raise AssertionError("in the hook")

    with pytest.raises(AssertionError, match="in the hook"), StacApi(items=five()) as api:
        if misuse == "hook":
            api.on_page = fails
        else:
            api.fault(fails)
        assert fetch(f"{api.url}/search").status == 500


def test_requests_are_recorded() -> None:
    with StacApi(items=five()) as api:
        began = time.monotonic()
        fetch(f"{api.url}/search?limit=2&datetime=&q=a%20b", headers={"X-Mine": "1"})
        fetch(f"{api.url}/search", {"limit": 2})
        get, post = api.requests
        assert (get.method, get.path, get.body) == ("GET", "/search", None)
        assert get.query == {"limit": "2", "datetime": "", "q": "a b"}
        assert get.target == "/v1/search?limit=2&datetime=&q=a%20b"
        assert get.headers["x-mine"] == "1"
        assert (post.method, post.path, post.query, post.body) == ("POST", "/search", {}, {"limit": 2})
        assert began <= get.time <= post.time <= time.monotonic()
        api.reset()
        assert (api.requests, api.max_in_flight) == ([], 0)


def test_requests_in_flight_are_counted() -> None:
    with StacApi(items=five()) as api:
        for _ in range(50):
            fetch(f"{api.url}/search")
        assert api.max_in_flight == 1
        api.reset()
        together = threading.Barrier(4, timeout=3)

        def wait(page: Any, _: Request) -> Any:
            together.wait()
            return page

        api.on_page = wait
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fetch, [f"{api.url}/search"] * 4))
        assert api.max_in_flight == 4


def test_connections_are_kept_until_the_server_stops_and_it_can_start_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def ask() -> list[str]:
        connection.request("GET", "/v1/search")
        return [item["id"] for item in json.load(connection.getresponse())["features"]]

    api = StacApi(items=five())
    with api:
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=3)
        connection.connect()
        kept = connection.sock
        for _ in range(50):
            assert ask() == [*"abcde"]
        assert connection.sock is kept
        with socket.create_connection(("127.0.0.1", api.port)) as garbage:
            garbage.sendall(b"garbage\r\n\r\n")
            assert b"400" in garbage.recv(10_000)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask()
    connection.close()
    url = api.url
    with api:
        assert api.url == url
        assert fetch(f"{url}/search").ids == [*"abcde"]
    assert capfd.readouterr() == ("", "")
