"""From when to when the items of collections reach, by the items themselves: what an adviser has to know.

A collection's temporal extent is only what somebody wrote down. Where an API sorts, its first and last item
tell; where it does not, the extent is all that a few requests can learn, and is called a claim.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from stac_assets.stac.api import StacApi
from stac_assets.stac.documents import Item, Page, text_in
from stac_assets.stac.endpoints.collections import collection_row
from stac_assets.stac.errors import MethodRefused, StacError
from stac_assets.stac.extensions import claims
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.item_times import ItemTimes, time_texts
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.paging import item_pages
from stac_assets.stac.survey import SAMPLE_ITEMS
from stac_assets.stac.windows import ALWAYS, parse_time

MOST_COLLECTIONS = 20
"""The collections of which the first and the last item are asked for; of more, so many evenly chosen ones."""
STRANGERS = 100
"""Items of the whole API that are looked at for collections which the API does not list."""


@dataclass(frozen=True)
class Span:
    """From when to when a collection has items.

    Args:
        collection: its id.
        first: the UTC day of its first item; None where it is not known.
        last: the UTC day of its last item, or None.
        is_seen: whether items were seen on these days; otherwise the collection's extent claims them.
        items: the number of all its items; None where the API does not count.
        days_per_page: the days over which its newest `SAMPLE_ITEMS` items are spread, where they were seen.
    """

    collection: str
    first: date | None = None
    last: date | None = None
    is_seen: bool = False
    items: int | None = None
    days_per_page: float | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it has no last day: some catalogs write 9999-12-31 instead."""
        return self.last is None or self.last.year == date.max.year

    @property
    def estimate(self) -> int | None:
        """The number of items: counted, or else as if all were as dense as the newest."""
        if self.items is not None or not self.days_per_page or self.first is None or self.last is None:
            return self.items
        return round(SAMPLE_ITEMS * ((self.last - self.first).days + 1) / self.days_per_page)


@dataclass(frozen=True)
class Spans:
    """The spans of some collections.

    Args:
        spans: one of each collection.
        claims_to_sort: whether the API claims to sort.
        sorts: whether it does sort items by their time.
        unlisted: collections that items name, and which `/collections` does not list.
    """

    spans: tuple[Span, ...]
    claims_to_sort: bool
    sorts: bool
    unlisted: tuple[str, ...] = ()


def spans(
    api: StacApi, collections: Sequence[str], narrowing: Narrowing, *, can_search: bool = True
) -> Spans:
    """Ask for the first and the last items of collections: two requests each, for 20 collections at most.

    What cannot be learned is left out; an API that fails here is reported by a survey.

    Args:
        api: the API, with few retries.
        collections: their ids.
        narrowing: the filters of a search.
        can_search: whether the API has `/search`; without it, only what is claimed is told.
    """
    asker = _Asker(api, narrowing)
    claimed = asker.claimed()
    sorts = can_search and asker.sorts()
    asked = set(evenly_chosen(collections)) if sorts else set[str]()

    def span(name: str) -> Span:
        claim = claimed.get(name, Span(name))
        return asker.seen(name, claim) if name in asked else claim

    with ThreadPoolExecutor(api.options.max_concurrent_requests) as workers:
        found = tuple(workers.map(span, collections))
    unlisted = [
        name for name in (named_by_items(api) if can_search and claimed else ()) if name not in claimed
    ]
    return Spans(found, sorts, sorts and any(one.is_seen for one in found), tuple(unlisted))


def evenly_chosen(collections: Sequence[str]) -> Sequence[str]:
    """All collections, or `MOST_COLLECTIONS` of them at most."""
    return collections[:: max(1, -(-len(collections) // MOST_COLLECTIONS))]


def named_by_items(api: StacApi) -> list[str]:
    """The collections that some items of the whole API name; none where it is not to be searched so."""
    try:
        request = PageRequest("GET", api.landing.endpoint("search"), params={"limit": STRANGERS})
        page = _first(api, request)
    except StacError:
        return []
    names = (text_in(item.get("collection")) for item in page.items)
    return list(dict.fromkeys(name for name in names if name))


def _first(api: StacApi, request: PageRequest) -> Page:
    return next(item_pages(api.transport, request, Figures(), api.options.max_retries))


class _Asker:
    """Asks one API."""

    def __init__(self, api: StacApi, narrowing: Narrowing) -> None:
        self._api, self._narrowing = api, narrowing.around

    def claimed(self) -> dict[str, Span]:
        """What each listed collection claims to be its extent."""
        found: dict[str, Span] = {}
        try:
            for members in self._api.collections():
                row = collection_row(members)
                start, end = row["start_datetime"], row["end_datetime"]
                if row["id"] is not None:
                    found[row["id"]] = Span(row["id"], _day(start), _day(end))
        except StacError:  # which the survey tells
            return found
        return found

    def sorts(self) -> bool:
        """Whether the API claims to sort."""
        try:
            return claims(self._api.conformance(), "sort")
        except StacError:
            return False

    def seen(self, name: str, claim: Span) -> Span:
        """The span by the first and the last items; the claim where they are not sorted, or not to be had."""
        try:
            oldest, newest = (self._page(name, direction) for direction in ("asc", "desc"))
        except StacError:
            return claim
        first, last = ([time for item in page.items if (time := _time(item))] for page in (oldest, newest))
        last.reverse()
        items = newest.number_matched
        in_order = first == sorted(first) and last == sorted(last)
        shows_no_order = newest.has_next and first[:1] == last[-1:]  # all that is seen is of one instant
        if not first or not last or not in_order or first[0] > last[-1] or shows_no_order:
            return replace(claim, items=items)
        if items is None and len(newest.items) < SAMPLE_ITEMS:
            items = len(newest.items)
        spread = max((last[-1] - last[0]).total_seconds() / 86_400, 1 / 1440)
        return Span(name, first[0].date(), last[-1].date(), True, items, spread)

    def _page(self, name: str, direction: str) -> Page:
        """The first page of all items of a collection, sorted by their time."""
        api = self._api
        method = api.search_method
        request = api.requests.search(method, [name], self._narrowing, ALWAYS, SAMPLE_ITEMS)
        given = dict((request.body if method == "POST" else request.params) or {})
        given["sortby"] = (
            [{"field": "properties.datetime", "direction": direction}]
            if method == "POST"
            else f"{'+' if direction == 'asc' else '-'}properties.datetime"
        )
        request = replace(request, **{"body" if method == "POST" else "params": given})
        try:
            return _first(api, request)
        except MethodRefused as error:
            if method == "GET":
                raise
            api.search_with_get(error.status)
            return self._page(name, direction)


def _time(item: Item) -> datetime | None:
    """When an item is, by its `datetime` or else its `start_datetime`."""
    texts = time_texts(item)
    return None if texts is None else ItemTimes(*map(parse_time, texts)).owner


def _day(time: datetime | None) -> date | None:
    return None if time is None else time.astimezone(UTC).date()
