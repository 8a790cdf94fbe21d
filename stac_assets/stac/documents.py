"""Documents of a STAC API, decoded only as far as needed: the members of an item stay JSON text.

Most of a page never becomes Python objects, but stays `msgspec.Raw`. That makes decoding fast, and keeps
every member as it was sent, whether it is known or not.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from stac_assets.numbers import may_hold_a_huge_number
from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.links import shown
from stac_assets.stac.partial_answers import SIGNS, Signs, check_whole
from stac_assets.stac.wording import counted

logger = logging.getLogger("stac_assets")

Item = dict[str, msgspec.Raw]
"""A STAC item: the JSON text of each of its members."""


class Link(msgspec.Struct):
    """A link of a page or of the landing page. A `next` link may hold a request (STAC API, paging)."""

    href: str = ""
    rel: str = ""
    type: str | None = None
    title: str | None = None
    method: str | None = None
    headers: dict[str, Any] | None = None
    body: dict[str, Any] | None = None
    merge: bool | None = None

    def __post_init__(self) -> None:
        self.href = self.href.strip()


@dataclass(frozen=True)
class Rejected:
    """A document that cannot be read as an item.

    Args:
        text: the document.
        reason: why it cannot be read.
    """

    text: str
    reason: str


@dataclass
class Page:
    """One page of items.

    Args:
        items: the items that can be read.
        links: its links, such as `next`.
        rejected: the documents that cannot be read.
        number_matched: the API's count of the whole result; None where it does not count.
        repeats: items of which an earlier page, or this one, has one with the same id and properties.
        bytes: the length of its text.
    """

    items: list[Item]
    links: list[Link]
    rejected: list[Rejected] = field(default_factory=list)
    number_matched: int | None = None
    repeats: list[Item] = field(default_factory=list)
    bytes: int = 0

    @property
    def length(self) -> int:
        """The number of documents on the page."""
        return len(self.items) + len(self.rejected)

    @property
    def has_next(self) -> bool:
        """Whether it links a page that follows it."""
        return any(link.rel == "next" and link.href for link in self.links)

    def let_go(self) -> None:
        """Forget the documents: who asks for the next page need not keep the text of this one meanwhile."""
        self.items, self.rejected, self.repeats = [], [], []


@dataclass(frozen=True)
class Listing:
    """One page of a list of objects that are no items, such as collections.

    Args:
        objects: the members of each.
        number_matched: the API's count of the whole list; None where it does not count.
    """

    objects: list[Item]
    number_matched: int | None = None


class _Wire(Signs):
    features: list[Item] | msgspec.UnsetType | None = msgspec.UNSET
    links: msgspec.Raw = msgspec.Raw(b"[]")
    numberMatched: Any = None  # noqa: N815 - the member's name


_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_item = msgspec.json.Decoder(Item).decode
_decode_items = msgspec.json.Decoder(list[Item]).decode
_decode_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_link = msgspec.json.Decoder(Link).decode

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
"""The parts of JSON text that tell how it is nested: brackets, and strings, whose brackets do not count."""
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of decoding a document that no table can hold; `why` puts them into words."""


def decode_page(answer: Answer) -> Page:
    """The page of items in `answer`. An item that cannot be decoded is rejected, and takes no other along.

    Raises:
        RequestFailed: the body is not a GeoJSON FeatureCollection, or says that it is not whole.
    """
    try:
        wire, rejected = _decode_wire(answer.body), []
    except DECODE_ERRORS:
        wire, rejected = _decode_leniently(answer)
    if wire.features is msgspec.UNSET:
        raise _not_a_page(answer)
    check_whole(answer, wire.given())
    matched = _matched(wire.numberMatched, wire.context)
    page = Page(wire.features or [], _links_in(wire.links), rejected, matched, bytes=len(answer.body))
    if not _is_utf8(answer.body) or may_hold_a_huge_number(answer.body):
        page.items = [item for item in page.items if _is_sound(item, page.rejected)]
    return page


def decode_item(answer: Answer) -> Item | Rejected:
    """The item in `answer`, which is rejected for the same reasons as an item on a page.

    Raises:
        RequestFailed: the body is not a JSON object.
    """
    body = answer.body.removeprefix(b"\xef\xbb\xbf").strip()
    page = decode_page(replace(answer, body=b'{"features":[' + body + b"]}"))
    found = [*page.items, *page.rejected]
    if len(found) != 1 or not body.startswith(b"{"):
        raise _not_an_object(answer)
    return found[0]


def decode_object(answer: Answer) -> dict[str, Any]:
    """The JSON object in `answer`, as Python values.

    Raises:
        RequestFailed: the body is something else; the message shows its first bytes.
    """
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _not_an_object(answer)
    return document


def decode_members(answer: Answer) -> Item:
    """The members of the JSON object in `answer`, each as its JSON text.

    Where the object is not quite JSON (NaN, half a surrogate pair), Python has read it and written it again.
    """
    document = decode_object(answer)
    try:
        return _decode_item(answer.body.removeprefix(b"\xef\xbb\xbf"))
    except DECODE_ERRORS:
        return _members(document)


def _members(document: dict[str, Any]) -> Item:
    return {_sound(name): msgspec.Raw(json.dumps(value).encode()) for name, value in document.items()}


def _sound(name: str) -> str:
    return name.encode(errors="replace").decode()


def decode_listing(answer: Answer, member: str) -> tuple[Listing, list[Link]]:
    """The objects listed under `member` of the JSON object in `answer`, and its links.

    Raises:
        RequestFailed: the object has no such list, or says that it is not whole.
    """
    members = decode_members(answer)
    check_whole(answer, {name: json.loads(bytes(members[name])) for name in SIGNS if name in members})
    listed, links = members.get(member, msgspec.Raw(b'""')), _links_in(members.get("links", b"[]"))
    matched = _matched(
        *(json.loads(bytes(members.get(name, b"null"))) for name in ("numberMatched", "context"))
    )
    if bytes(listed) == b"null":
        return Listing([], matched), links
    try:
        return Listing(_decode_items(listed), matched), links
    except DECODE_ERRORS:
        found = json.loads(bytes(listed))
        if isinstance(found, list):
            objects = [_members(each) for each in found if isinstance(each, dict)]
            if len(objects) < len(found):
                others = counted(len(found) - len(objects), "entry", "entries")
                logger.warning(
                    "%s: %s of its %s cannot be read, being no object", shown(answer.url), others, member
                )
            return Listing(objects, matched), links
        raise RequestFailed(
            f"{shown(answer.url)} answered {answer.status} without a list of {member}; "
            f"it begins with {answer.beginning()}"
        ) from None


def links_of(document: dict[str, Any]) -> list[Link]:
    """The well-formed links of a decoded document."""
    return _links_in(msgspec.json.encode(document.get("links")))


def _links_in(text: msgspec.Raw | bytes) -> list[Link]:
    """The links in the JSON text of a document's `links`; none where that is null or no list."""
    try:
        return list(_links(_decode_raws(text)))
    except msgspec.MsgspecError:
        return []


def _links(raws: list[msgspec.Raw]) -> Iterator[Link]:
    for raw in raws:
        try:
            yield _decode_link(raw)
        except msgspec.MsgspecError:
            continue  # real catalogs have links without rel, or with a null href, which lead nowhere


def _matched(found: Any, context: Any) -> int | None:
    """The count in a page's `numberMatched`, or else in its `context` of former versions."""
    if found is None and isinstance(context, dict):
        found = context.get("matched")
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _is_sound(item: Item, rejected: list[Rejected]) -> bool:
    """Whether every member of `item` can be decoded. If not, the item is added to `rejected`."""
    try:
        for raw in item.values():
            msgspec.json.decode(raw)
    except DECODE_ERRORS as error:
        rejected.append(Rejected(object_text(item).decode("utf-8", "replace"), why(error)))
        return False
    return True


def text_in(raw: msgspec.Raw | bytes | None) -> str | None:
    """The text that the JSON of a member holds; None where it is absent, or holds something else."""
    try:
        value = None if raw is None else msgspec.json.decode(raw)
    except DECODE_ERRORS:
        return None
    return value if isinstance(value, str) else None


def object_text(members: Mapping[str, msgspec.Raw | bytes]) -> bytes:
    """The JSON text of an object, put together from the texts of its members."""
    return b"{" + b",".join([msgspec.json.encode(k) + b":" + v for k, v in members.items()]) + b"}"


def _decode_leniently(answer: Answer) -> tuple[_Wire, list[Rejected]]:
    """Cut the features out of a page that is not quite JSON, so that only the bad ones are rejected."""
    text = answer.body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    match = re.search(r'"features"\s*:\s*(?=\[)', text)
    if match is None:
        raise _not_a_page(answer)
    try:
        spans, end = _elements(text, match.end())
        wire = _decode_wire((text[: match.end()] + "[]" + text[end:]).encode("utf-8", "surrogateescape"))
    except (IndexError, *DECODE_ERRORS):
        raise _not_a_page(answer) from None
    features, rejected = [], []
    for begin, stop in spans:
        try:
            features.append(_decode_item(text[begin:stop].encode("utf-8", "surrogateescape")))
        except DECODE_ERRORS as error:
            shown_text = text[begin:stop].encode("utf-8", "replace").decode()
            rejected.append(Rejected(shown_text, why(error)))
    edges = [match.end() + 1, *(edge for span in spans for edge in span), end - 1]
    between = ",".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)).split(",")
    rejected += [
        Rejected(piece, "no JSON object") for raw in between if (piece := raw.strip(" \t\r\n\ufeff"))
    ]
    wire.features = features
    return wire, rejected


def _elements(text: str, start: int) -> tuple[list[tuple[int, int]], int]:
    """Begin and end of each object of the array that begins at `start`, and the end of the array."""
    depth, spans, begin = 0, [], start
    for token in TOKEN.finditer(text, start):
        if token.group() in "{[":
            depth += 1
            if depth == 2:
                begin = token.start()
        elif token.group() in "}]":
            depth -= 1
            if depth == 1:
                spans.append((begin, token.end()))
            if depth == 0:
                return spans, token.end()
    raise IndexError("the array does not end")


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def why(error: Exception) -> str:
    """The reason of a rejection, in words."""
    if isinstance(error, msgspec.ValidationError):
        return f"not a JSON object that a table can hold: {error}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"no valid Unicode JSON: {error}"


def _not_an_object(answer: Answer) -> RequestFailed:
    return RequestFailed(
        f"{shown(answer.url)} answered {answer.status} with {answer.content_type or 'no content type'} "
        f"where a JSON object was expected; it begins with {answer.beginning()}"
    )


def _not_a_page(answer: Answer) -> RequestFailed:
    return RequestFailed(
        f"{shown(answer.url)} answered {answer.status} with {answer.content_type or 'no content type'} where "
        f"a GeoJSON FeatureCollection was expected; it begins with {answer.beginning()}"
    )
