"""A survey of a STAC API: each endpoint is asked once, before anything is loaded."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from stac_assets.stac.api import MISSING, StacApi
from stac_assets.stac.documents import Page, object_text
from stac_assets.stac.endpoints import ENDPOINTS, ITEM_ENDPOINTS, Endpoint
from stac_assets.stac.endpoints.collection import COLLECTION
from stac_assets.stac.endpoints.conformance import CONFORMANCE
from stac_assets.stac.errors import AuthenticationError, EndpointMissing, RequestFailed, StacError
from stac_assets.stac.extensions import claims
from stac_assets.stac.http.identity import PLACEHOLDER
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted

SAMPLE_ITEMS = 10
"""The items of the small page from which the size of all items is estimated."""


class Credential(StrEnum):
    """Whether the API accepts the credentials."""

    NOT_CONFIGURED = "not configured"
    NEEDED = "not configured, and the API asks for one"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not sent, as base_url is redirected to an origin that is not in `trusted_origins`"


class Presence(StrEnum):
    """Whether the API has an endpoint."""

    PRESENT = "yes"
    ABSENT = "no"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Probe:
    """What came of asking one endpoint.

    Args:
        endpoint: its name.
        presence: whether the API has it.
        detail: what came, in words.
    """

    endpoint: str
    presence: Presence
    detail: str

    @property
    def is_lacking(self) -> bool:
        """Whether a load from the endpoint would fail."""
        return self.presence in (Presence.ABSENT, Presence.REFUSED, Presence.FAILED)


@dataclass(frozen=True)
class CollectionEstimate:
    """How many items a collection has in a range of days, and how large they are, by one page of them.

    Args:
        window: the collection and the days.
        items: the number of items; None where the API does not tell.
        item_bytes: the average size of an item's JSON text; None where no item was seen.
        page: the page.
        error: why the collection cannot be read.
    """

    window: Window
    items: int | None = None
    item_bytes: float | None = None
    page: Page | None = None
    error: StacError | None = None

    @property
    def total_bytes(self) -> float | None:
        """The estimated size of the JSON text of all items; None where it is not known."""
        if self.items == 0:
            return 0
        return None if self.items is None or self.item_bytes is None else self.items * self.item_bytes


@dataclass(frozen=True)
class Survey:
    """The result of a survey.

    Args:
        base_url: the URL of the landing page.
        credential: whether the API accepts the credentials.
        probes: one for each endpoint.
        estimates: one for each collection.
        unclaimed: those of `query` and `filter` that narrow a search although the API does not claim their
            extensions.
        classes: the conformance classes; empty where the API does not tell them.
    """

    base_url: str
    credential: Credential
    probes: tuple[Probe, ...]
    estimates: tuple[CollectionEstimate, ...]
    unclaimed: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def probe(self, endpoint: str) -> Probe:
        """The probe of one endpoint."""
        return next(probe for probe in self.probes if probe.endpoint == endpoint)

    def lacking(self, endpoints: Iterable[str]) -> list[Probe]:
        """The probes of the landing page and of `endpoints` at which a load would fail."""
        probes = (self.probe(name) for name in dict.fromkeys(("client_root", *endpoints)))
        return [probe for probe in probes if probe.is_lacking]

    @property
    def unreadable(self) -> list[CollectionEstimate]:
        """The collections that cannot be read."""
        return [estimate for estimate in self.estimates if estimate.error is not None]


def survey(api: StacApi, ranges: Sequence[Window], narrowing: Narrowing | None = None) -> Survey:
    """Ask each endpoint, and for each collection of `ranges` for a small page of items.

    Args:
        api: the API, with few retries.
        ranges: the days to be loaded of each collection, as one window; at least one.
        narrowing: the filters of a search.

    Raises:
        NotAStacApi: the base URL answers with something else.
        Unreachable: the host gave no answer.
    """
    surveyor = Surveyor(api, ranges, narrowing or Narrowing())
    probes = tuple(surveyor.probes())
    estimates = tuple(surveyor.estimates()) if probes[0].presence is Presence.PRESENT else ()
    refused = any(probe.presence is Presence.REFUSED for probe in probes) or any(
        isinstance(estimate.error, AuthenticationError) for estimate in estimates
    )
    unclaimed = tuple(surveyor.unclaimed()) if estimates else ()
    is_elsewhere = probes[0].presence is Presence.PRESENT and not api.transport.credentials.trusts(
        api.landing.url
    )
    credential, classes = _credential(api.options, refused, is_elsewhere), tuple(surveyor.classes)
    return Survey(api.options.base_url, credential, probes, estimates, unclaimed, classes)


def credential_settings(options: ApiOptions) -> list[str]:
    """The names of the options from which a credential is sent."""
    held = {
        "api_key": options.api_key not in (None, PLACEHOLDER),
        "username": options.credentials.username is not None,
        "client_id": options.credentials.oauth is not None,
        "headers": bool(options.headers),
    }
    return [name for name, is_held in held.items() if is_held]


def _credential(options: ApiOptions, refused: bool, is_elsewhere: bool) -> Credential:
    if credential_settings(options):
        if is_elsewhere:
            return Credential.NOT_SENT
        return Credential.REFUSED if refused else Credential.ACCEPTED
    return Credential.NEEDED if refused else Credential.NOT_CONFIGURED


class NothingToAsk(Exception):
    """An endpoint cannot be asked; the text says what is missing."""


class Surveyor:
    """Asks one API, in an order in which one answer tells what to ask for next.

    Args:
        api: the API.
        ranges: the days of each collection, as one window.
        narrowing: the filters of a search.
    """

    def __init__(self, api: StacApi, ranges: Sequence[Window], narrowing: Narrowing) -> None:
        self.api = api
        self.ranges = ranges
        self.narrowing = narrowing
        self.window = ranges[0]
        """The window for which the endpoints are asked."""
        self.classes: list[str] = []
        """The conformance classes, once they were asked for."""
        self._presence: dict[str, Presence] = {}
        self._item_id: str | None = None

    def probes(self) -> Iterator[Probe]:
        """The probe of each endpoint, that of the landing page first."""
        root, *others = ENDPOINTS.values()
        found = self._probe(root)
        yield found
        for endpoint in others:
            if found.presence is Presence.PRESENT:
                yield self._probe(endpoint)
            else:
                yield Probe(endpoint.name, Presence.NOT_ASKED, "the landing page is not to be had")

    def first_page(self, endpoint: Endpoint, window: Window) -> Page:
        """A small first page of items, by an endpoint that lists them.

        A survey does not do what a load does to get the items of an API that fails: it asks for no smaller
        page and no shorter interval, but reports the failure.

        Raises:
            EndpointMissing: the API does not have the endpoint.
            StacError: the API failed.
        """
        assert endpoint.first_page is not None, f"{endpoint.name} lists no items"
        return endpoint.first_page(self.api, window, self.narrowing, SAMPLE_ITEMS, None)

    def described(self, page: Page) -> str:
        """A first page of items in a few words. The id of one item is kept for `known_item`."""
        for item in page.items:
            if self._item_id is None and "id" in item:
                self._item_id = str(msgspec.json.decode(item["id"]))
        return f"{counted(len(page.items), 'item')} in the first page of {self.window.collection}"

    def known_item(self) -> str:
        """The id of an item that was seen.

        Raises:
            NothingToAsk: no item was seen.
        """
        if self._item_id is None:
            raise NothingToAsk("no item was seen in the range of days")
        return self._item_id

    def estimates(self) -> Iterator[CollectionEstimate]:
        """The estimate of each collection, several of which are asked for at a time."""
        workers = ThreadPoolExecutor(self.api.options.max_concurrent_requests)
        try:
            yield from workers.map(self._estimate, self.ranges)
        finally:
            workers.shutdown(cancel_futures=True)

    def unclaimed(self) -> Iterator[str]:
        """The filters whose extension the API does not claim to have."""
        asked = {"query": self.narrowing.query, "filter": self.narrowing.filter}
        if self._presence[CONFORMANCE.name] is Presence.PRESENT:
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

    def _estimate(self, window: Window) -> CollectionEstimate:
        lists = [endpoint for endpoint in ITEM_ENDPOINTS if endpoint.first_page is not None]
        there = [endpoint for endpoint in lists if self._presence[endpoint.name] is Presence.PRESENT]
        try:
            if self._presence[COLLECTION.name] is Presence.PRESENT:
                self.api.collection(window.collection)
            page = self.first_page((there or lists[-1:])[0], window)
        except StacError as error:
            return CollectionEstimate(window, error=error)
        sizes = [len(object_text(item)) for item in page.items]
        items = page.number_matched
        if items is None and not page.has_next:
            items = len(page.items)
        return CollectionEstimate(window, items, sum(sizes) / len(sizes) if sizes else None, page)
