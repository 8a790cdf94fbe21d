"""All collections of an API, also where its listing is cut off.

Many servers list ten collections unless they are asked for more, and some of them say nothing of the others.
"""

import json
import logging
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from stac_assets.stac.documents import Item
from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.http.links import shown
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.transport import Transport
from stac_assets.stac.landing import Landing
from stac_assets.stac.paging import object_pages
from stac_assets.stac.refused_sizes import largest_told
from stac_assets.stac.wording import counted

ROUND = 10
"""A listing whose length is a multiple of this may have been cut off at a default limit."""
LIMITS = (10_000, 1_000, 100)
"""What is asked for then; an API that refuses one is asked for what its error names, or for the next."""
NAMED = 20
"""The most ids that a message names."""

logger = logging.getLogger("stac_assets")


class CollectionListing:
    """Reads `/collections` and every page of it.

    Args:
        transport: sends the requests.
        landing: says where the endpoint is, and what collections the landing page links.
    """

    def __init__(self, transport: Transport, landing: Landing) -> None:
        self.unasked: int | None = None
        """How many collections came without a `limit`, if that looked cut off, so that one was asked for."""
        self.missing: list[str] = []
        """The ids that are still missing in the end, as far as they are known."""
        self._transport = transport
        self._landing = landing
        self._seen: set[str | bytes] = set()
        self._matched = 0
        self._pages = 0

    @property
    def listed(self) -> int:
        """How many collections came."""
        return len(self._seen)

    @property
    def expected(self) -> int:
        """How many there are by the API's count, and by the landing page's links."""
        return max(self._matched, self.listed + len(self.missing))

    def documents(self) -> Iterator[Item]:
        """The members of every collection document, each collection once.

        A listing that ends without all collections that the API counts or its landing page links is asked
        for again with a larger `limit`. What is missing even then is named in a warning.
        """
        url = self._landing.endpoint("data")
        yield from self._listed(url, None)
        linked = self._linked(url)
        if self._may_be_cut_off(linked):
            self.unasked = self.listed
            limits = list(LIMITS)
            while limits:
                limit = limits.pop(0)
                try:
                    yield from self._listed(url, limit)
                except RequestFailed as error:
                    told = largest_told(error.body.decode(errors="replace"), limit)
                    limits = [*told[:1], *(each for each in limits if each not in told[:1])]
                    continue
                break
        self._warn(url, linked)

    def _listed(self, url: str, limit: int | None) -> Iterator[Item]:
        """The documents that did not come before."""
        params = None if limit is None else {"limit": limit}
        for page in object_pages(self._transport, PageRequest("GET", url, params=params), "collections"):
            self._pages += 1
            self._matched = max(self._matched, page.number_matched or 0)
            for members in page.objects:
                identity = _identity(members)
                if identity not in self._seen:
                    self._seen.add(identity)
                    yield members

    def _linked(self, url: str) -> list[str]:
        """The ids of the collections that the landing page links as its children."""
        folder = urlsplit(url).path.rstrip("/") + "/"
        paths = [
            urlsplit(self._landing.resolved(link.href)).path
            for link in self._landing.links()
            if link.rel == "child"
        ]
        ids = [path.removeprefix(folder).rstrip("/") for path in paths if path.startswith(folder)]
        return [unquote(identifier) for identifier in ids if identifier and "/" not in identifier]

    def _may_be_cut_off(self, linked: list[str]) -> bool:
        if self._matched > len(self._seen) or set(linked) - self._seen:
            return True
        says_all = self._matched == len(self._seen) or bool(linked)
        return self._pages == 1 and bool(self._seen) and len(self._seen) % ROUND == 0 and not says_all

    def _warn(self, url: str, linked: list[str]) -> None:
        self.missing = [identifier for identifier in dict.fromkeys(linked) if identifier not in self._seen]
        if self.expected <= self.listed:
            return
        names = ", ".join(self.missing[:NAMED]) or "it does not say which"
        logger.warning(
            "%s lists %s, but the API has %d; missing: %s",
            shown(url),
            counted(self.listed, "collection"),
            self.expected,
            names,
        )


def _identity(members: Item) -> str | bytes:
    """The id of a collection, or its JSON text where that is no text."""
    raw = bytes(members.get("id", b""))
    try:
        identifier = json.loads(raw)
    except ValueError:
        return raw
    return identifier if isinstance(identifier, str) else raw
