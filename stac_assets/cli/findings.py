"""What `stac-assets check` tells of how an API is asked and what it can do: a label and a line for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from stac_assets.stac.asked_once import AskedOnce
from stac_assets.stac.documents import Page
from stac_assets.stac.endpoints.endpoint import QUERYABLES
from stac_assets.stac.errors import RequestFailed, StacError
from stac_assets.stac.http.links import shown
from stac_assets.stac.largest_page import LARGEST, LargestPage
from stac_assets.stac.spans import Spans
from stac_assets.stac.support import DateSupport, counts_pages, filter_claims
from stac_assets.stac.survey import Presence, Survey
from stac_assets.stac.used_links import UsedLink, used_link
from stac_assets.stac.watch.state import State
from stac_assets.stac.wording import counted

NAMED = 5
"""Names that a line has at most."""
RELATIONS = {
    "conformance": "conformance",
    "data": "collections",
    "search": "search",
    QUERYABLES: "queryables",
}
"""The endpoint that each link relation leads to."""

Line = tuple[str, str]


@dataclass(frozen=True)
class Findings:
    """What was found out beside the survey; None where it was not asked.

    Args:
        spans: what the collections hold.
        largest: the largest page.
        dates: what dates find.
        watched: how a sensor would watch a collection.
        not_watched: why that is not known.
    """

    spans: Spans | None = None
    largest: LargestPage | None = None
    dates: DateSupport | None = None
    watched: State | None = None
    not_watched: StacError | None = None


def lines(api: AskedOnce, found: Survey, further: Findings) -> Iterator[Line]:
    """The lines, in the order in which a load needs what they tell."""
    yield from _links(api, found)
    if found.probe("search").presence is Presence.PRESENT:
        yield from _search(api)
    pages = [estimate.page for estimate in found.estimates if estimate.page is not None]
    if further.largest is not None:
        yield "page size", _page_size(further.largest)
        pages += [further.largest.page] if further.largest.page is not None else []
    if pages:
        yield "counts", _counts(pages)
    if found.probe("conformance").presence is Presence.PRESENT:
        filters = ", ".join(filter_claims(found.classes)) or "not claimed"
        yield "filter", f"{filters}; sort: {_sort(further.spans)}"
    if further.dates is not None:
        yield "dates", _dates(further.dates)
    if further.watched is not None or further.not_watched is not None:
        yield "sensor", _sensor(further.watched, further.not_watched)
    if api.listing is not None and (api.listing.unasked is not None or api.listing.missing):
        yield "listing", _listing(api)


def _links(api: AskedOnce, found: Survey) -> Iterator[Line]:
    """The relations whose link is used as usual in one line, and one for each that is not."""
    if api.landing.url.rstrip("/") != found.base_url:
        yield "base_url", f"redirected to {shown(api.landing.url)}"
    plain, odd = dict[str, list[str]](), list[str]()
    for relation, endpoint in RELATIONS.items():
        presence = found.probe(endpoint).presence
        if relation == QUERYABLES and presence is not Presence.PRESENT:
            continue
        method = api.search_method if relation == "search" else None
        link, name = used_link(api.landing, relation, method), relation.rpartition("/")[2]
        if link.is_linked and not link.passed_over:
            plain.setdefault(_kind(link.media_type), []).append(name)
        else:
            odd.append(f"{name}: {_why(link, api, presence)}")
    label, usual = "links", "; ".join(f"{kind}: {', '.join(names)}" for kind, names in plain.items())
    for line in ([usual] if usual else []) + odd:
        yield label, line
        label = ""


def _why(link: UsedLink, api: AskedOnce, presence: Presence) -> str:
    if link.is_linked:
        return f"{_kind(link.media_type)} is taken, not {', '.join(map(_kind, link.passed_over))}"
    path = _path(link.url, api.landing.url)
    works = "works" if presence is Presence.PRESENT else "does not work"
    if link.refused is not None:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(shown(link.refused)))
        return f"links to {origin}, which is not in `trusted_origins`; {path} {works}"
    linked = f"linked as {', '.join(map(_kind, link.passed_over))} only" if link.passed_over else "not linked"
    return f"{linked}; the usual path {path} {works}"


def _kind(media_type: str) -> str:
    """A media type without what all of them have in common."""
    return media_type.partition(";")[0].strip().removeprefix("application/") or "no type"


def _path(url: str, root: str) -> str:
    """A URL for people: its path below `root`, or the whole of it; the values of its query are not shown."""
    folder, whole = shown(root).rstrip("/"), shown(url)
    return whole.removeprefix(folder) if whole.startswith(f"{folder}/") else whole


def _search(api: AskedOnce) -> Iterator[Line]:
    """How searches are sent, where that is not by POST to where it is linked."""
    linked = api.landing.methods("search")
    url = api.landing.endpoint("search", "POST")
    moved = api.transport.moved(url)
    if linked == {"GET"}:
        yield "search", "by GET, the only method that is linked"
    elif api.search_method == "GET":
        status = f" ({api.post_refused})" if api.post_refused else ""
        yield "search", f"by GET; POST is refused{status}{', though linked' if 'POST' in linked else ''}"
    elif moved != url:
        yield "search", f"by POST, which is redirected to {_path(moved, api.landing.url)}"


def _page_size(largest: LargestPage) -> str:
    if largest.limit is None and largest.page is None:
        return f"not known: {told(largest.error)}"
    refused = f"a limit of {LARGEST:,} is refused ({largest.refused})" if largest.refused else ""
    if largest.is_cut:
        cut = f"{largest.limit:,} items, where {largest.asked:,} are asked for"
        return f"{cut}; {refused}" if refused else cut
    failed = f"; {largest.asked or 'more'} not read: {told(largest.error)}" if largest.error else ""
    if refused:
        return f"{largest.limit:,} is answered, {refused}{failed}"
    came = f"; a page of {largest.proven:,} came" if largest.proven else ""
    return f"a limit of {LARGEST:,} is answered{came}{failed}"


def _counts(pages: Sequence[Page]) -> str:
    if any(map(counts_pages, pages)):
        return "those of the page, which say nothing of the whole result"
    counting = sum(page.number_matched is not None for page in pages)
    if counting in (0, len(pages)):
        return "yes" if counting else "no"
    return f"on {counting} of {counted(len(pages), 'page')}"


def _sort(spans: Spans | None) -> str:
    if spans is None:
        return "not asked"
    if not spans.claims_to_sort:
        return "not claimed"
    return "yes, by time as asked" if spans.sorts else "claimed, but items do not come as asked"


def _dates(dates: DateSupport) -> str:
    names = ", ".join(dates.hidden[:NAMED])
    if dates.hidden or dates.count:
        many = f"do not find {dates.count:,} of {counted(dates.looked_at, 'item')}" if dates.count else ""
        some = f"do not find all items of {names}" if names and not many else f" ({names})" if names else ""
        return f"{many}{some}: such a collection is read whole"
    return f"find all {counted(dates.looked_at, 'item')}" if dates.count == 0 else "find the items looked for"


def _sensor(state: State | None, error: StacError | None) -> str:
    if state is None or state.strategy == "empty":
        return f"not known: {told(error) if error else 'no item'}"
    if state.updated_filter is None:
        return f"strategy `{state.strategy}`"
    return f"strategy `updated`, by the {state.updated_filter}{', sorted' if state.is_sorted else ''}"


def _listing(api: AskedOnce) -> str:
    listing = api.listing
    assert listing is not None
    whole = f"{counted(listing.listed, 'collection')}"
    if listing.unasked is not None and listing.unasked < listing.listed:
        whole = f"{listing.unasked:,} of {listing.expected:,} come by themselves, {whole} with a larger limit"
    if listing.listed >= listing.expected:
        return whole
    names = f": {', '.join(listing.missing[:NAMED])}" if listing.missing else ""
    return f"{whole}; {listing.expected - listing.listed:,} more are missing{names}"


def told(error: StacError | None) -> str:
    """An error in a few words: its status where it has one."""
    if isinstance(error, RequestFailed) and error.status is not None:
        return f"answered {error.status}"
    return str(error or "nothing came").splitlines()[0]
