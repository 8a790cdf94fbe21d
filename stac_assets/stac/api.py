"""The client of one STAC API: a method for each of its endpoints."""

import difflib
import json
import logging
import threading
from collections.abc import Collection, Iterator
from typing import Any

from stac_assets.stac.collection_listing import CollectionListing
from stac_assets.stac.documents import Item, Link, decode_object
from stac_assets.stac.endpoints.endpoint import QUERYABLES
from stac_assets.stac.errors import (
    EndpointMissing,
    RequestFailed,
    StacError,
    UnknownCollection,
    Unreachable,
    UntrustedLink,
)
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.links import shown
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.item_reading import MISSING, ItemReading
from stac_assets.stac.landing import read_object
from stac_assets.stac.representations import below

GONE = MISSING | {410}
"""Statuses that say that an API does not have a document."""
NEVER_FETCHED = {"child", "item", "data", "search", "self", "root"}
"""Link relations of the landing page whose documents other endpoints load."""
LINK_RETRIES = 1
"""The retries of a request for such a document, which may be broken for good."""

logger = logging.getLogger("stac_assets")


class StacApi(ItemReading):
    """A client of one STAC API, which any number of threads may share.

    Args:
        options: the URL, the credentials, and how politely requests are sent.
        cancelled: once it is set, requests raise `Cancelled`.
    """

    def __init__(self, options: ApiOptions, cancelled: threading.Event | None = None) -> None:
        super().__init__(options, cancelled)
        self._ids: list[str] | None = None
        self._lock = threading.Lock()

    # What the landing page tells --------------------------------------------------------------

    def link_document(self, link: Link) -> tuple[int | None, bytes] | None:
        """The status and the JSON text behind a link of the landing page; None if the link is not followed.

        The status is None, too, where no answer came.

        Only links to JSON documents at a trusted origin are followed, and only if no other endpoint loads
        what they lead to.
        """
        if link.rel in NEVER_FETCHED or "json" not in (link.type or ""):
            return None
        url = self.landing.resolved(link.href)
        if not self.transport.follows(url):
            return None
        try:
            answer = self.transport.send("GET", url, allow=frozenset(range(400, 500)), retries=LINK_RETRIES)
        except (RequestFailed, Unreachable, UntrustedLink) as error:  # one link takes no other along
            logger.warning("the link %r of the landing page cannot be read: %s", link.rel, error)
            return error.status if isinstance(error, RequestFailed) else None, b""
        try:
            decode_object(answer)
        except RequestFailed:
            return answer.status, b""
        if answer.status >= 400:  # an error may echo the request
            return answer.status, self.transport.credentials.hide(answer.body.decode()).encode()
        return answer.status, answer.body

    def conformance(self) -> list[str]:
        """The conformance classes, from `/conformance` or else from the landing page's `conformsTo`."""
        classes = None
        url = self.landing.endpoint("conformance")
        answer = read_object(self.transport, url, MISSING)
        if answer.status < 300:
            classes = decode_object(answer).get("conformsTo")
        if not isinstance(classes, list):
            classes = self.landing.document().get("conformsTo")
        if not isinstance(classes, list):
            raise self.landing.missing("conformance")
        return list(dict.fromkeys(str(uri) for uri in classes))

    # Collections ------------------------------------------------------------------------------

    def collections(self) -> Iterator[Item]:
        """The members of every collection document, from all pages, each collection once."""
        try:
            yield from CollectionListing(self.transport, self.landing).documents()
        except RequestFailed as error:
            raise self.not_listed(error) from None

    def not_listed(self, error: RequestFailed) -> StacError:
        """The error for an answer to `/collections`: an API that lacks it is told from one that fails."""
        return self.landing.missing("data") if error.status in MISSING else error

    def collection_ids(self) -> list[str]:
        """The ids of all collections, in the API's order."""
        return [identifier for identifier in self._listed_ids() if identifier is not None]

    def listed(self, wanted: Collection[str]) -> list[str]:
        """Those of the wanted collections that the API lists.

        Its list is read until all are found, and by no more requests than there are wanted ones.
        """
        totals, found = self.transport.totals, list[str]()
        most = totals.requests + len(wanted)
        for identifier in self._listed_ids():
            if identifier is not None and identifier in wanted:
                found.append(identifier)
            if len(found) == len(wanted) or totals.requests > most:
                break
        return found

    def _listed_ids(self) -> Iterator[str | None]:
        """The id of each listed collection; None where that is no text."""
        for members in self.collections():
            identifier = json.loads(bytes(members.get("id", b"null")))
            yield identifier if isinstance(identifier, str) else None

    def collection(self, collection: str) -> Answer:
        """The answer with the document of one collection.

        Raises:
            UnknownCollection: the API has no collection of that id; the message lists similar ids.
            EndpointMissing: it has no collections at all.
        """
        answer = read_object(self.transport, self.landing.collection_url(collection), GONE)
        if _is_collection(answer, collection):
            return answer
        known = self._known_ids()
        near = difflib.get_close_matches(collection, known, n=5, cutoff=0.5)
        listing = ", ".join(near or sorted(known)[:10]) or "none at all"
        raise UnknownCollection(
            f"{shown(self.landing.base_url)} has no collection {collection!r}; "
            f"{'near matches' if near else f'it has {len(known)}, among them'}: {listing}. "
            f"Set {self.options.where('collections')}"
        )

    def _known_ids(self) -> list[str]:
        """The ids of all collections, for messages; asked for once.

        Raises:
            EndpointMissing: the API has no collections at all, neither linked nor at the usual path.
        """
        with self._lock:
            if self._ids is None:
                try:
                    self._ids = self.collection_ids()
                except (EndpointMissing, RequestFailed) as error:
                    if isinstance(error, EndpointMissing) and self.landing.has_guessed("data"):
                        raise
                    self._ids = []
            return self._ids

    def has_collection(self, collection: str) -> bool:
        """Whether the API has a collection of that id."""
        url = self.landing.collection_url(collection)
        return _is_collection(read_object(self.transport, url, frozenset({404, 410})), collection)

    def queryables(self, collection: str | None) -> dict[str, Any] | None:
        """The queryables of a collection, or of the root for None; None where the API has none."""
        if collection is None:
            url = self.landing.endpoint(QUERYABLES)
        else:
            url = below(self.landing.collection_url(collection), "queryables")
        answer = read_object(self.transport, url, GONE)
        schema = decode_object(answer) if answer.status < 300 else {}
        return schema if {"properties", "$schema", "$id", "additionalProperties"} & schema.keys() else None


def _is_collection(answer: Answer, collection: str) -> bool:
    """Whether an answer is the document of that collection, and no other one, such as one that says 404."""
    return answer.status < 300 and decode_object(answer).get("id") == collection
