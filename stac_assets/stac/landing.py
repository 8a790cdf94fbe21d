"""The landing page of a STAC API, and the URLs of the endpoints that it tells."""

import logging
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
from stac_assets.stac.extensions import claims
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.links import absolute, shown
from stac_assets.stac.http.transport import Transport
from stac_assets.stac.representations import below, representation, representations

PATHS = {
    "conformance": "/conformance",
    "data": "/collections",
    "items": "/collections/{id}/items",
    QUERYABLES: "/queryables",
    "search": "/search",
}
"""The usual path behind each link relation (STAC API - Core, Features, Item Search, Filter)."""
ALWAYS_LINKED = ("conformance", "data", "search")
"""Relations that the landing page of an API links where it has the endpoint."""

logger = logging.getLogger("stac_assets")


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
        self._links: list[Link] | None = None
        self._lock = threading.Lock()
        self._guessed: set[str] = set()

    def document(self) -> dict[str, Any]:
        """Its document.

        Raises:
            NotAStacApi: the base URL answers with something else.
            StacError: the API failed.
        """
        return self._answered()[1]

    def claims(self, extension: str) -> bool:
        """Whether the landing page's `conformsTo` promises an extension, which is a key of `CLAIMS`."""
        classes = self.document().get("conformsTo")
        return isinstance(classes, list) and claims(
            (uri for uri in classes if isinstance(uri, str)), extension
        )

    def members(self) -> Item:
        """The members of its document, each as its JSON text."""
        return decode_members(self._answered()[0])

    def links(self) -> list[Link]:
        """Its links. There may be one for each collection, and so they are decoded once."""
        if self._links is None:
            self._links = links_of(self.document())
        return self._links

    @property
    def url(self) -> str:
        """The URL that answered, without its query; after a redirect it is not the base URL."""
        return self._answered()[0].url.partition("?")[0]

    def resolved(self, href: str) -> str:
        """The URL that a link of the landing page leads to.

        A relative one is resolved as RFC 3986 says, if that leads below the landing page. Else the page is
        taken for a folder, although its URL lacks the slash at the end, as many APIs mean it.
        """
        as_file, folder = absolute(self.url, href), self.url.rstrip("/") + "/"
        return as_file if as_file.startswith(folder) else absolute(folder, href)

    def endpoint(self, relation: str, method: str | None = None) -> str:
        """The URL of an endpoint, by its link relation.

        It is what the landing page links to. Where that is an origin that is not followed, or no JSON is
        linked, it is the usual path, which may lead nowhere.

        Args:
            relation: the link relation.
            method: the HTTP method that is going to be used.
        """
        link = representation(self.links(), relation, method)
        url = self.resolved(link.href) if link is not None else ""
        if self._transport.follows(url):
            return url
        usual = self.url.rstrip("/") + PATHS[relation]
        if relation in ALWAYS_LINKED and relation not in self._guessed:
            self._guessed.add(relation)
            logger.warning(
                "the landing page %s has no usable link %r; the usual path %s is tried",
                shown(self.base_url),
                relation,
                shown(usual),
            )
        return usual

    def methods(self, relation: str) -> set[str]:
        """The HTTP methods that the links to JSON of a relation name, `""` for one that names none."""
        return {(link.method or "").upper() for link in representations(self.links(), relation)}

    def has_guessed(self, relation: str) -> bool:
        """Whether the usual path was tried, because the landing page has no usable link of that relation."""
        return relation in self._guessed

    def url_of(self, endpoint: str) -> str:
        """The URL at which an endpoint without items begins: the landing page, if it has no link relation."""
        relation = ENDPOINTS[endpoint].relation
        return self.endpoint(relation) if relation else self.base_url

    def collection_url(self, collection: str) -> str:
        """The URL of the document of one collection."""
        return below(self.endpoint("data"), collection)

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
            answer = self._with_or_without_slash()
        except (AuthenticationError, RequestTooHeavy):
            raise
        except RequestFailed as error:
            raise NotAStacApi(f"{what}: {error}. {advice}") from None
        self._transport.moved_to(answer.url)
        document = decode_object(answer)
        if "stac_version" not in document:
            raise NotAStacApi(
                f"{what}: its JSON has no `stac_version`; it begins with {answer.beginning()}. {advice}"
            )
        relations = {link.rel for link in links_of(document)}
        if "conformsTo" not in document and not relations & {"search", "data", "conformance"}:
            raise NotAStacApi(
                f"{what}: it is a static STAC catalog (no conformsTo, no search, no data link), "
                f"which has no endpoints to ask. {advice}"
            )
        return answer, document

    def _with_or_without_slash(self) -> Answer:
        """The answer of the base URL, or else of the same with a slash at its end."""
        try:
            return read_object(self._transport, self.base_url)
        except (AuthenticationError, RequestTooHeavy):
            raise
        except RequestFailed as error:
            try:
                return read_object(self._transport, self.base_url + "/")
            except RequestFailed:
                raise error from None


def read_object(transport: Transport, url: str, allow: frozenset[int] = frozenset()) -> Answer:
    """The answer with one JSON object, or with a status in `allow`. Raises what `Transport.read` raises."""

    def checked(answer: Answer) -> Answer:
        if answer.status < 300:
            decode_object(answer)
        return answer

    return transport.read(checked, "GET", url, allow=allow)
