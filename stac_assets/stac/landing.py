"""The landing page of a STAC API, and the URLs of the endpoints that it tells."""

import threading
from typing import Any
from urllib.parse import quote

from stac_assets.stac.documents import Item, Link, decode_members, decode_object, links_of
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.endpoints.endpoint import QUERYABLES
from stac_assets.stac.errors import (
    AuthenticationError,
    EndpointMissing,
    NotAStacApi,
    RequestFailed,
    RequestTooHeavy,
)
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.links import absolute, shown
from stac_assets.stac.http.transport import Transport

PATHS = {
    "conformance": "/conformance",
    "data": "/collections",
    "items": "/collections/{id}/items",
    QUERYABLES: "/queryables",
    "search": "/search",
}
"""The usual path behind each link relation (STAC API - Core, Features, Item Search, Filter)."""


class Landing:
    """The landing page, which is read once, when it is first needed. Threads may share it.

    Args:
        base_url: its URL, without a trailing slash.
        transport: sends the request.
    """

    def __init__(self, base_url: str, transport: Transport) -> None:
        self.base_url = base_url
        self._transport = transport
        self._read: tuple[Answer, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def document(self) -> dict[str, Any]:
        """Its document.

        Raises:
            NotAStacApi: the base URL answers with something else.
            StacError: the API failed.
        """
        return self._answered()[1]

    def members(self) -> Item:
        """The members of its document, each as its JSON text."""
        return decode_members(self._answered()[0])

    def links(self) -> list[Link]:
        """Its links."""
        return links_of(self.document())

    def endpoint(self, relation: str, *, required: bool = True) -> str:
        """The URL of an endpoint, by its link relation.

        It is what the landing page links to. Where that is an origin that is not trusted, or nothing is
        linked and the endpoint is not `required`, it is the usual path.

        Raises:
            EndpointMissing: the endpoint is `required`, and the landing page has no link to it.
        """
        usual = self.base_url + PATHS[relation]
        for link in self.links():
            if link.rel == relation and link.href:
                url = absolute(self.base_url + "/", link.href).rstrip("/")
                return url if self._transport.credentials.trusts(url) else usual
        if required:
            raise self.missing(relation)
        return usual

    def url_of(self, endpoint: str) -> str:
        """The URL at which an endpoint without items begins: the landing page, if it has no link relation."""
        relation = ENDPOINTS[endpoint].relation
        return self.endpoint(relation, required=False) if relation else self.base_url

    def collection_url(self, collection: str) -> str:
        """The URL of the document of one collection.

        Raises:
            EndpointMissing: the API has no collections.
        """
        return f"{self.endpoint('data')}/{quote(collection, safe='')}"

    def missing(self, relation: str) -> EndpointMissing:
        """The error for an endpoint that the API lacks, by its link relation."""
        lost = [name for name, endpoint in ENDPOINTS.items() if relation in endpoint.relations]
        left = [name for name in ENDPOINTS if name not in lost]
        verb = "reads" if len(lost) == 1 else "read"
        return EndpointMissing(
            f"the landing page {shown(self.base_url)} offers no usable {PATHS[relation]} "
            f"(link relation {relation!r}), which {', '.join(lost)} {verb}; "
            f"these assets can still run: {', '.join(left)}"
        )

    def _answered(self) -> tuple[Answer, dict[str, Any]]:
        with self._lock:
            if self._read is None:
                self._read = self._asked()
            return self._read

    def _asked(self) -> tuple[Answer, dict[str, Any]]:
        what = f"{shown(self.base_url)} is no STAC API"
        advice = "base_url must be the URL of a landing page, as in https://earth-search.aws.element84.com/v1"
        try:
            answer = read_object(self._transport, self.base_url)
        except (AuthenticationError, RequestTooHeavy):
            raise
        except RequestFailed as error:
            raise NotAStacApi(f"{what}: {error}. {advice}") from None
        document = decode_object(answer)
        if not isinstance(document.get("links"), list) or "stac_version" not in document:
            raise NotAStacApi(
                f"{what}: its JSON has no `stac_version` and `links`; it begins with {answer.beginning()}. "
                f"{advice}"
            )
        relations = {link.rel for link in links_of(document)}
        if "conformsTo" not in document and not relations & {"search", "data", "conformance"}:
            raise NotAStacApi(
                f"{what}: it is a static STAC catalog (no conformsTo, no search, no data link), "
                f"which has no endpoints to ask. {advice}"
            )
        return answer, document


def read_object(transport: Transport, url: str, allow: frozenset[int] = frozenset()) -> Answer:
    """The answer with one JSON object, or with a status in `allow`. Raises what `Transport.read` raises."""

    def checked(answer: Answer) -> Answer:
        if answer.status < 300:
            decode_object(answer)
        return answer

    return transport.read(checked, "GET", url, allow=allow)
