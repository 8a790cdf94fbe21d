"""The pages of a result, from one `next` link to the next (STAC API - Item Search, paging)."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from stac_assets.stac.documents import Link, Listing, Page, decode_listing, decode_page
from stac_assets.stac.errors import LoopingNext, UntrustedLink
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.links import followed, shown
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.transport import Transport
from stac_assets.stac.representations import representation

T = TypeVar("T")


def item_pages(
    transport: Transport, request: PageRequest, figures: Figures, retries: int | None = None
) -> Iterator[Page]:
    """Every page of items, beginning with the answer to `request`.

    Args:
        transport: sends the requests.
        request: asks for the first page.
        figures: counts requests and pages.
        retries: how often the request for the first page is sent again after a fault; by default as the
            options say.

    Raises:
        LoopingNext, UntrustedLink: a `next` link cannot be followed.
        StacError: see `Transport.read`.
    """

    def decode(answer: Answer) -> tuple[Page, list[Link]]:
        page = decode_page(answer)
        figures.pages += 1
        return page, page.links

    return _pages(transport, request, decode, figures, retries)


def object_pages(transport: Transport, request: PageRequest, member: str) -> Iterator[Listing]:
    """Every page of a list of other objects, such as those of `/collections`; see `item_pages`."""
    return _pages(transport, request, lambda answer: decode_listing(answer, member), transport.totals)


def _pages(
    transport: Transport,
    request: PageRequest,
    decode: Callable[[Answer], tuple[T, list[Link]]],
    figures: Figures,
    retries: int | None = None,
) -> Iterator[T]:
    """What `decode` makes of each page; it also returns the links of the page.

    Raises:
        LoopingNext: a `next` link leads back to a page that was already read.
        UntrustedLink: a `next` link leads to an origin that is not trusted.
    """

    def decoded(answer: Answer) -> tuple[Answer, T, list[Link]]:
        return answer, *decode(answer)

    seen = set()
    following: PageRequest | None = request
    while following is not None:
        if following.identity in seen:
            raise LoopingNext(
                f"{shown(following.url)}: the `next` link leads back to a page that was already read"
            )
        seen.add(following.identity)
        answer, page, links = transport.read(
            decoded,
            following.method,
            following.url,
            params=following.params,
            json=following.body,
            headers=following.headers,
            figures=figures,
            retries=retries,
        )
        url = answer.url
        del answer  # nor the page: while the next is read, no text of theirs need stay
        yield page
        del page
        following, retries = _next_request(transport, following, url, links), None


def _next_request(
    transport: Transport, request: PageRequest, url: str, links: list[Link]
) -> PageRequest | None:
    link = representation(links, "next")
    if link is None:
        return None
    target = followed(url, link.href)
    if not transport.follows(target):
        raise UntrustedLink(
            f"the `next` link of {shown(url)} leads to another origin, {shown(target)}, and is not followed; "
            "if that is right, list the origin in `trusted_origins`"
        )
    headers = {k: str(v) for k, v in (link.headers or {}).items() if k.lower() != "authorization"}
    if (link.method or "GET").upper() == "POST":
        body = link.body or {}
        if link.merge or link.body is None:
            body = {**(request.body or {}), **body}
        return PageRequest("POST", target, body=body, headers=headers)
    return PageRequest("GET", target, headers=headers)
