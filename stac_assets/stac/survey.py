"""What a STAC API has, found out by asking each of its endpoints once, before anything is loaded."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from stac_assets.stac.api import MISSING, StacApi
from stac_assets.stac.documents import Page, object_text
from stac_assets.stac.endpoints import ENDPOINTS, Endpoint
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
    surveyor = Surveyor(StacApi(small), ranges, narrowing or Narrowing())
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


class NothingToAsk(Exception):
    """An endpoint cannot be asked; the text says for want of what."""


class Surveyor:
    """Asks one API, in an order in which an answer tells what to ask for next.

    Args:
        api: what is asked.
        ranges: the days of each collection, as one window.
        narrowing: what narrows a search.
    """

    def __init__(self, api: StacApi, ranges: Sequence[Window], narrowing: Narrowing) -> None:
        self.api = api
        self.ranges = ranges
        self.narrowing = narrowing
        self.window = ranges[0]
        """Of the collection by which the endpoints are asked."""
        self.classes: list[str] = []
        """The conformance classes, once that endpoint was asked."""
        self._presence: dict[str, Presence] = {}
        self._item_id: str | None = None

    def probes(self) -> Iterator[Probe]:
        """What came from each endpoint, the landing page first."""
        root, *others = ENDPOINTS.values()
        found = self._probe(root)
        yield found
        for endpoint in others:
            if found.presence is Presence.PRESENT:
                yield self._probe(endpoint)
            else:
                yield Probe(endpoint.name, Presence.NOT_ASKED, "the landing page is not to be had")

    def described(self, page: Page) -> str:
        """A first page of items in a few words; one of its items is remembered."""
        for item in page.items:
            if self._item_id is None and "id" in item:
                self._item_id = str(msgspec.json.decode(item["id"]))
        return f"{counted(len(page.items), 'item')} in the first page of {self.window.collection}"

    def known_item(self) -> str:
        """Id of an item that was seen.

        Raises:
            NothingToAsk: none was.
        """
        if self._item_id is None:
            raise NothingToAsk("no item was seen in the range of days")
        return self._item_id

    def holdings(self) -> Iterator[Holding]:
        workers = ThreadPoolExecutor(self.api.options.max_concurrent_requests)
        try:
            yield from workers.map(self._holding, self.ranges)
        finally:
            workers.shutdown(cancel_futures=True)

    def unclaimed(self) -> Iterator[str]:
        asked = {"query": self.narrowing.query, "filter": self.narrowing.filter}
        if self._presence["conformance"] is Presence.PRESENT:
            yield from (name for name, given in asked.items() if given and not claims(self.classes, name))

    def _probe(self, endpoint: Endpoint) -> Probe:
        try:
            presence, detail = Presence.PRESENT, endpoint.probe(self)
        except NothingToAsk as reason:
            presence, detail = Presence.NOT_ASKED, str(reason)
        except EndpointMissing:
            presence, detail = Presence.ABSENT, "the API offers none"
        except AuthenticationError as error:
            presence, detail = Presence.REFUSED, f"answered {error.status}" if error.status else str(error)
        except RequestFailed as error:
            presence = Presence.ABSENT if error.status in MISSING else Presence.FAILED
            detail = str(error)
        except StacError as error:
            if endpoint.upstream is None:
                raise
            presence, detail = Presence.FAILED, str(error)
        self._presence[endpoint.name] = presence
        return Probe(endpoint.name, presence, detail)

    def _holding(self, window: Window) -> Holding:
        try:
            if self._presence["collection"] is Presence.PRESENT:
                self.api.collection(window.collection)
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
        read = self.api.search if searchable else self.api.collection_items
        return read(window, self.narrowing, Figures())
