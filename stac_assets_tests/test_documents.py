"""Pages are decoded no further than needed, and one bad document harms no other."""

import json
from typing import Any

import pytest

from stac_assets.stac.documents import (
    decode_listing,
    decode_members,
    decode_object,
    decode_page,
    links_of,
    object_text,
)
from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.http.answer import Answer


def answer(body: bytes, content_type: str = "application/geo+json") -> Answer:
    return Answer("http://h/search?token=hidden", 200, body, content_type)


def page(*features: bytes, more: bytes = b"") -> Answer:
    return answer(b'{"type":"FeatureCollection","features":[' + b",".join(features) + b"]" + more + b"}")


GOOD = b'{"id": "good", "properties": {"n": 1.50}}'


def test_the_members_of_an_item_stay_the_text_that_was_sent() -> None:
    [item] = decode_page(page(b'{"id": "a", "x:y": {"z": [1.50, 1e2]}, "links": null}')).items
    assert {name: bytes(raw) for name, raw in item.items()} == {
        "id": b'"a"',
        "x:y": b'{"z": [1.50, 1e2]}',
        "links": b"null",
    }
    assert object_text(item) == b'{"id":"a","x:y":{"z": [1.50, 1e2]},"links":null}'


@pytest.mark.parametrize(
    "bad",
    [
        b'{"id": "bad", "v": NaN}',
        b'{"id": "bad", "v": -Infinity}',
        b'{"id": "bad", "v": "\\ud800"}',
        b'{"id": "bad", "v": "\xff"}',
        b'{"id": "bad", "v": 1e999}',
        b'{"id": "bad", "v": [' + b"9" * 400 + b".5e1]}",
        b'{"id": "bad", "v": [1,-2.5E0309]}',
        b'{"id": "bad", "v":\n' + b"9" * 250 + b"e99}",
        b'{"id": "bad", "v": "\x01"}',
    ],
)
def test_a_bad_document_is_rejected_alone_with_its_text_and_reason(bad: bytes) -> None:
    decoded = decode_page(page(GOOD, bad, GOOD, more=b', "numberMatched": 3'))
    assert [bytes(item["id"]) for item in decoded.items] == [b'"good"', b'"good"']
    [rejected] = decoded.rejected
    assert '"bad"' in rejected.text and rejected.reason
    assert decoded.number_matched == 3


@pytest.mark.parametrize(
    "number",
    [b"1.7e308", b"-0.0E-999", b"9" * 308, b"1" + b"0" * 200 + b".5e+99", b'"1e999"', b'["a,1e999"]'],
)
def test_a_number_that_a_double_holds_is_no_reason_and_stays_as_it_is(number: bytes) -> None:
    decoded = decode_page(page(b'{"id": "a", "v": ' + number + b"}"))
    assert not decoded.rejected
    assert bytes(decoded.items[0]["v"]) == number


def test_deep_nesting_is_either_read_or_rejected_alone() -> None:
    deep = b'{"id": "deep", "v": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    decoded = decode_page(page(GOOD, deep))
    assert len(decoded.items) + len(decoded.rejected) == 2
    assert bytes(decoded.items[0]["id"]) == b'"good"'


def test_a_byte_order_mark_is_no_harm() -> None:
    decoded = decode_page(answer(b"\xef\xbb\xbf" + page(GOOD).body))
    assert len(decoded.items) == 1 and not decoded.rejected


def test_brackets_inside_texts_do_not_confuse_the_lenient_decoder() -> None:
    odd = b'{"id": "odd", "v": "}]\\"{["}'
    decoded = decode_page(page(odd, b'{"id": "bad", "v": NaN}', GOOD))
    assert [bytes(item["id"]) for item in decoded.items] == [b'"odd"', b'"good"']
    assert len(decoded.rejected) == 1


@pytest.mark.parametrize(
    ("more", "matched"),
    [
        (b', "numberMatched": 7', 7),
        (b', "context": {"matched": 8}', 8),
        (b', "numberMatched": null, "context": {"matched": 8}', 8),
        (b', "numberMatched": "7"', None),
        (b', "numberMatched": true', None),
        (b', "numberMatched": -1', None),
        (b', "context": []', None),
        (b"", None),
    ],
)
def test_how_many_items_match(more: bytes, matched: int | None) -> None:
    assert decode_page(page(more=more)).number_matched == matched


def test_links_of_every_shape() -> None:
    links: list[Any] = [
        {"rel": "next", "href": "u", "method": "POST", "body": {"a": 1}, "merge": True, "odd": []},
        {"href": "no rel"},
        {"rel": "next", "href": None},
        "x",
        None,
    ]
    found = decode_page(page(more=b', "links": ' + json.dumps(links).encode())).links
    assert [(link.rel, link.href) for link in found] == [("next", "u"), ("", "no rel")]
    assert found[0].body == {"a": 1} and found[0].merge is True
    assert links_of({"links": links}) == found
    assert links_of({}) == links_of({"links": 7}) == []


@pytest.mark.parametrize(
    "body",
    [
        b"<html>busy</html>",
        b"",
        b"null",
        b"[]",
        b'{"features": {}}',
        b'{"links": []}',
        b'{"features": [{"id": "a"}',
        b'{"features": [{"id": "a", "v": NaN}',
    ],
)
def test_what_is_no_page_is_an_error_with_its_first_bytes(body: bytes) -> None:
    with pytest.raises(RequestFailed) as caught:
        decode_page(answer(body, "text/html"))
    message = str(caught.value)
    assert "http://h/search?token=…" in message and "hidden" not in message
    assert "text/html" in message and repr(body.decode()[:20])[1:-1] in message


@pytest.mark.parametrize("links", [b"null", b"{}", b'"x"', b"7", b"[]", b"[null, 1, {}]"])
def test_null_and_empty_are_empty_lists(links: bytes) -> None:
    page = decode_page(answer(b'{"features": null, "links": ' + links + b"}"))
    assert (page.items, page.rejected) == ([], []) and not any(link.href for link in page.links)
    assert (
        decode_listing(answer(b'{"collections": null, "links": ' + links + b"}"), "collections")[0].objects
        == []
    )


def test_objects_and_listings() -> None:
    assert decode_object(answer(b'\xef\xbb\xbf{"a": 1}'.removeprefix(b"\xef\xbb\xbf"))) == {"a": 1}
    assert bytes(decode_members(answer(b'{"a": 1.0}'))["a"]) == b"1.0"
    listing = b'{"collections": [{"id": "c"}], "links": [{"rel": "next", "href": "u"}]}'
    found, links = decode_listing(answer(listing), "collections")
    assert bytes(found.objects[0]["id"]) == b'"c"' and links[0].href == "u"
    assert found.number_matched is None
    counted = b'{"collections": null, "numberMatched": 7}'
    assert decode_listing(answer(counted), "collections")[0].number_matched == 7
    for body in (b"[]", b"x", b"", b'"a"'):
        with pytest.raises(RequestFailed, match="JSON object was expected; it begins with"):
            decode_object(answer(body))
    with pytest.raises(RequestFailed, match="without a list of collections"):
        decode_listing(answer(b'{"collections": 7}'), "collections")
