"""Whatever is wrong with the base URL or a name, the error says what came and what to do."""

import socket
from typing import Any

import pytest

from stac_assets.stac.errors import (
    EndpointMissing,
    NotAStacApi,
    RequestFailed,
    UnknownCollection,
    Unreachable,
)
from stac_assets_tests.asking import client, searched
from stac_assets_tests.stac_api import StacApi, make_collection, make_item


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!doctype html><title>Welcome</title>", "Welcome"),
        (b'{"hello": "world"}', "hello"),
        (b'["a list"]', "a list"),
        (b"", "''"),
        (b'{"stac_version": "1.0.0", "type": "Catalog", "links": [{"rel": "child", "href": "a"}]}', "static"),
    ],
)
def test_a_base_url_that_is_no_stac_api_is_told_by_its_first_bytes(
    api: StacApi, body: bytes, said: str
) -> None:
    api.fault("/", body=body, times=None)
    with pytest.raises(NotAStacApi) as caught:
        client(api).landing.document()
    message = str(caught.value)
    assert api.url in message and said in message and "base_url must be" in message


def test_a_base_url_that_is_not_found_is_no_stac_api(api: StacApi) -> None:
    with pytest.raises(NotAStacApi, match="404"):
        client(api.url + "/elsewhere").landing.document()


def test_a_failing_api_is_not_said_to_be_no_stac_api(api: StacApi) -> None:
    api.fault("/", status=503, times=None)
    with pytest.raises(RequestFailed, match=r"503.*tried 3 times"):
        client(api).landing.document()


def test_an_unknown_host_is_named_with_the_proxy_settings() -> None:
    with pytest.raises(Unreachable, match=r"http://no-such-host\.invalid/v1.*HTTPS_PROXY.*NO_PROXY"):
        client("http://no-such-host.invalid/v1").landing.document()


def test_a_refused_connection_is_named(api: StacApi) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+/v1.*refused.*tried 3 times"):
            client(url, max_retries=6).landing.document()


def test_a_root_with_only_conformance_or_only_conforms_to_works(api: StacApi) -> None:
    api.put(make_item("a"))
    expected = api.conforms_to
    for only in ("conformance", "conformsTo"):
        api.has_conformance = only == "conformance"
        api.conforms_to_in_root = only == "conformsTo"
        asking = client(api)
        assert asking.conformance() == expected
        assert searched(asking) == ["a"]


def test_a_root_with_neither_lacks_only_conformance(api: StacApi) -> None:
    api.has_conformance = api.conforms_to_in_root = False
    asking = client(api)
    with pytest.raises(EndpointMissing, match=r"'conformance'.*client_root, landing_pages, collections"):
        asking.conformance()
    assert searched(asking) == []


def test_a_conformance_of_another_shape_gives_way_to_the_root(api: StacApi) -> None:
    api.fault("/conformance", body=b'{"conformsTo": "all of it"}')
    assert client(api).conformance() == api.conforms_to


def test_an_unknown_collection_lists_near_matches(api: StacApi) -> None:
    api.collections = [make_collection(id) for id in ("sentinel-2-l2a", "sentinel-2-l1c", "naip", "dem")]
    with pytest.raises(UnknownCollection) as caught:
        client(api).collection("sentinel-2-l2")
    message = str(caught.value)
    assert "'sentinel-2-l2'" in message and api.url in message
    assert "near matches: sentinel-2-l2a, sentinel-2-l1c" in message and "naip" not in message
    with pytest.raises(UnknownCollection, match=r"it has 4, among them: dem, naip, sentinel-2-l1c"):
        client(api).collection("xyzzy")


def test_an_unknown_collection_of_an_api_that_lists_none_is_still_told(api: StacApi) -> None:
    api.fault(lambda request: request.path == "/collections", status=404, times=None)
    with pytest.raises(UnknownCollection, match="'nope'"):
        client(api).collection("nope")


def test_collection_ids_are_escaped(api: StacApi) -> None:
    odd = "a/b c?é"
    api.put(make_item("x/y", odd))
    asking = client(api)
    assert asking.collection(odd).status == 200
    assert asking.item(odd, "x/y", asking.transport.totals) is not None
    assert asking.item(odd, "missing", asking.transport.totals) is None


@pytest.mark.parametrize(
    "link", [{"rel": "license", "href": "file:///x"}, {"rel": "x", "href": "http://[bad"}]
)
def test_a_landing_link_that_cannot_be_followed_harms_nothing(api: StacApi, link: Any) -> None:
    api.put(make_item("a"))
    asking = client(api)
    asking.landing.document()["links"].insert(0, {**link, "type": "application/json"})
    asking.landing.document()["links"].insert(0, {"rel": "search", "href": link["href"]})
    assert asking.link_document(asking.landing.links()[1]) is None
    assert searched(asking) == ["a"]
