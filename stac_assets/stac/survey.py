"""What a STAC API has, found out by asking each of its endpoints once, before anything is loaded."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from stac_assets.stac.api import MISSING, QUERYABLES, StacApi
from stac_assets.stac.documents import Page, object_text
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import AuthenticationError, EndpointMissing, RequestFailed, StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.identity import PLACEHOLDER
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.watch.updated_filter import claims
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted

SAMPLE_ITEMS = 10
"""Items of the small page from which the size of all is estimated."""
MAX_RETRIES = 2
"""A survey reports trouble, where a load would wait for its end."""


class Credential(StrEnum):
    """What became of the token (or the headers that stand for one)."""

    NOT_CONFIGURED = "not configured"
    NEEDED = "not configured, and the API asks for one"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Presence(StrEnum):
    """Whether the API has an endpoint."""

    PRESENT = "yes"
    ABSENT = "no"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Probe:
    """One endpoint, and what came when it was asked."""

    endpoint: str
    presence: Presence
    detail: str

    @property
    def is_lacking(self) -> bool:
        """Whether a load from this endpoint would fail."""
        return self.presence in (Presence.ABSENT, Presence.REFUSED, Presence.FAILED)


@dataclass(frozen=True)
class Holding:
    """What the API holds of a collection in a range of days.

    `items` is None where the API does not say, `item_bytes` (JSON text, on average) where no item was seen.
    """

    window: Window
    items: int | None = None
    item_bytes: float | None = None
    error: StacError | None = None

    @property
    def total_bytes(self) -> float | None:
        """Estimated size of the JSON text of all items."""
        if self.items == 0:
            return 0
        return None if self.items is None or self.item_bytes is None else self.items * self.item_bytes


@dataclass(frozen=True)
class Survey:
    """What was found."""

    base_url: str
    credential: Credential
    probes: tuple[Probe, ...]
    holdings: tuple[Holding, ...]
    unclaimed: tuple[str, ...] = ()
    """What narrows a search by an extension that the API does not claim to have: `query`, `filter`."""

    def probe(self, endpoint: str) -> Probe:
        """What came from one endpoint."""
        return next(probe for probe in self.probes if probe.endpoint == endpoint)

    def lacking(self, endpoints: Iterable[str]) -> list[Probe]:
        """Those of `endpoints`, and the landing page before them, that a load would fail at."""
        probes = (self.probe(name) for name in dict.fromkeys(("client_root", *endpoints)))
        return [probe for probe in probes if probe.is_lacking]

    @property
    def unreadable(self) -> list[Holding]:
        """The collections that cannot be read."""
        return [holding for holding in self.holdings if holding.error is not None]


def survey(options: ApiOptions, ranges: Sequence[Window], narrowing: Narrowing | None = None) -> Survey:
    """Ask every endpoint once, and for every collection of `ranges` a small page of items.

    Args:
        options: the API.
        ranges: for each collection the days that are to be loaded, as one window; at least one.
        narrowing: what narrows a search.

    Raises:
        NotAStacApi: the base URL answers with something else.
        Unreachable: no answer came from the host.
    """
    small = replace(options, page_size=SAMPLE_ITEMS, max_retries=min(options.max_retries, MAX_RETRIES))
    surveyor = _Surveyor(StacApi(small), ranges, narrowing or Narrowing())
    probes = tuple(surveyor.probes())
    holdings = tuple(surveyor.holdings()) if probes[0].presence is Presence.PRESENT else ()
    refused = any(probe.presence is Presence.REFUSED for probe in probes) or any(
        isinstance(holding.error, AuthenticationError) for holding in holdings
    )
    unclaimed = tuple(surveyor.unclaimed()) if holdings else ()
    return Survey(options.base_url, _credential(options, refused), probes, holdings, unclaimed)


def credential_settings(options: ApiOptions) -> list[str]:
    """Names of the settings that hold a credential which is sent."""
    held = {
        "api_key": options.api_key not in (None, PLACEHOLDER),
        "username": options.credentials.username is not None,
        "client_id": options.credentials.oauth is not None,
        "headers": bool(options.headers),
    }
    return [name for name, is_held in held.items() if is_held]


def _credential(options: ApiOptions, refused: bool) -> Credential:
    if credential_settings(options):
        return Credential.REFUSED if refused else Credential.ACCEPTED
    return Credential.NEEDED if refused else Credential.NOT_CONFIGURED


class _NothingToAsk(Exception):
    """An endpoint cannot be asked; the text says for want of what."""


class _Surveyor:
    """Asks one API, in an order in which an answer tells what to ask for next."""

    def __init__(self, api: StacApi, ranges: Sequence[Window], narrowing: Narrowing) -> None:
        self._api = api
        self._ranges = ranges
        self._narrowing = narrowing
        self._window = ranges[0]  # of the collection by which the endpoints are asked
        self._presence: dict[str, Presence] = {}
        self._item_id: str | None = None
        self._classes: list[str] = []

    def probes(self) -> Iterator[Probe]:
        root = self._probe("client_root", self._client_root)
        yield root
        for endpoint in ENDPOINTS[1:]:
            if root.presence is Presence.PRESENT:
                yield self._probe(endpoint, getattr(self, f"_{endpoint}"))
            else:
                yield Probe(endpoint, Presence.NOT_ASKED, "the landing page is not to be had")

    def holdings(self) -> Iterator[Holding]:
        workers = ThreadPoolExecutor(self._api.options.max_concurrent_requests)
        try:
            yield from workers.map(self._holding, self._ranges)
        finally:
            workers.shutdown(cancel_futures=True)

    def unclaimed(self) -> Iterator[str]:
        asked = {"query": self._narrowing.query, "filter": self._narrowing.filter}
        if self._presence["conformance"] is Presence.PRESENT:
            yield from (name for name, given in asked.items() if given and not claims(self._classes, name))

    def _probe(self, endpoint: str, ask: Callable[[], str]) -> Probe:
        try:
            presence, detail = Presence.PRESENT, ask()
        except _NothingToAsk as reason:
            presence, detail = Presence.NOT_ASKED, str(reason)
        except EndpointMissing:
            presence, detail = Presence.ABSENT, "the API offers none"
        except AuthenticationError as error:
            presence, detail = Presence.REFUSED, f"answered {error.status}" if error.status else str(error)
        except RequestFailed as error:
            presence = Presence.ABSENT if error.status in MISSING else Presence.FAILED
            detail = str(error)
        except StacError as error:
            if endpoint == "client_root":
                raise
            presence, detail = Presence.FAILED, str(error)
        self._presence[endpoint] = presence
        return Probe(endpoint, presence, detail)

    # Each asks one endpoint, and returns in a few words what came.

    def _client_root(self) -> str:
        root = self._api.landing.document()
        return f"{root.get('title') or root.get('id') or 'no title'}, STAC {root.get('stac_version')}"

    def _conformance(self) -> str:
        self._classes = self._api.conformance()
        return f"{len(self._classes)} classes"

    def _landing_pages(self) -> str:
        links = self._api.landing.links()
        for link in links:
            if found := self._api.link_document(link):
                return f"{len(links)} links; {link.rel} answers {found[0]}"
        return f"{len(links)} links, none to another JSON document"

    def _collections(self) -> str:
        known = self._api.collection_ids()
        configured = [window for window in self._ranges if window.collection in known]
        if configured:
            self._window = configured[0]
        elif known:
            self._window = replace(self._window, collection=known[0])
        return f"{len(known)} listed"

    def _collection(self) -> str:
        self._api.collection(self._window.collection)
        return self._window.collection

    def _queryables(self) -> str:
        for collection in (None, self._window.collection):
            schema = self._api.queryables(collection)
            if schema is not None:
                return f"{len(schema.get('properties') or ())} of {collection or 'the root'}"
        raise self._api.landing.missing(QUERYABLES)

    def _collection_items(self) -> str:
        return self._described(next(self._api.collection_items(self._window, self._narrowing, Figures())))

    def _search(self) -> str:
        page = next(self._api.search(self._window, self._narrowing, Figures()))
        return f"{self._api.search_method}; {self._described(page)}"

    def _item(self) -> str:
        if self._item_id is None:
            raise _NothingToAsk("no item was seen in the range of days")
        if self._api.item(self._window.collection, self._item_id, Figures()) is None:
            raise self._api.landing.missing("data")
        return self._item_id

    def _described(self, page: Page) -> str:
        for item in page.items:
            if self._item_id is None and "id" in item:
                self._item_id = str(msgspec.json.decode(item["id"]))
        return f"{counted(len(page.items), 'item')} in the first page of {self._window.collection}"

    def _holding(self, window: Window) -> Holding:
        try:
            if self._presence["collection"] is Presence.PRESENT:
                self._api.collection(window.collection)
            page = next(self._pages(window))
        except StacError as error:
            return Holding(window, error=error)
        sizes = [len(object_text(item)) for item in page.items]
        items = page.number_matched
        if items is None and not any(link.rel == "next" for link in page.links):
            items = len(page.items)
        return Holding(window, items, sum(sizes) / len(sizes) if sizes else None)

    def _pages(self, window: Window) -> Iterator[Page]:
        searchable = self._presence["search"] is Presence.PRESENT
        read = self._api.search if searchable else self._api.collection_items
        return read(window, self._narrowing, Figures())
