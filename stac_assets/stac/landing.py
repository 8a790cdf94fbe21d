"""The landing page of a STAC API, and where it says that the endpoints are."""

import threading
from typing import Any

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
    """The landing page, read once, when first needed.

    Args:
        base_url: where it is, without a trailing slash.
        transport: reads it.
    """

    def __init__(self, base_url: str, transport: Transport) -> None:
        self.base_url = base_url
        self._transport = transport
        self._read: tuple[Answer, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def document(self) -> dict[str, Any]:
        """What it says.

        Raises:
            NotAStacApi: the base URL answers with something else.
        """
        return self._answered()[1]

    def members(self) -> Item:
        """The JSON text of its members."""
        return decode_members(self._answered()[0])

    def links(self) -> list[Link]:
        """Its links."""
        return links_of(self.document())

    def endpoint(self, relation: str, *, required: bool = True) -> str:
        """URL of an endpoint: what the landing page links, or the usual path where that leads elsewhere.

        Raises:
            EndpointMissing: it is `required`, and not linked.
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
        """URL at which one of the endpoints that are no items begins; the root's for all that it lists."""
        relation = ENDPOINTS[endpoint].relation
        return self.endpoint(relation, required=False) if relation else self.base_url

    def missing(self, relation: str) -> EndpointMissing:
        """The error for an endpoint, by link relation, that the API lacks."""
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
    """The answer that holds one JSON object, or has a status in `allow`; errors as of `Transport.read`."""

    def checked(answer: Answer) -> Answer:
        if answer.status < 300:
            decode_object(answer)
        return answer

    return transport.read(checked, "GET", url, allow=allow)
