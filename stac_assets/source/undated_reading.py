"""One collection, or several small ones, read without a date and dealt into the windows of a load."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from stac_assets.source.dealing import Dealer
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.progress import SILENT
from stac_assets.source.question import Asking
from stac_assets.stac.documents import Item, Page, text_in
from stac_assets.stac.errors import PagingError
from stac_assets.stac.figures import Figures
from stac_assets.stac.item_times import ItemTimes
from stac_assets.stac.joined_parts import Joined
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.page_limits import SMALLEST_LIMIT
from stac_assets.stac.undated import Undated


class PagingProof:
    """The longest page of which it is proven that the API would have told of items behind it."""

    def __init__(self) -> None:
        self.length = SMALLEST_LIMIT - 1

    def saw(self, length: int) -> None:
        """Note a page that had a `next` link."""
        self.length = max(self.length, length)


class UndatedReading:
    """Reads without a date. What it costs is counted with the first of the windows.

    Args:
        asking: whom is asked, and how.
        asked: the collections.
        windows: their windows.
        proof: what is known of the ends of the API's pages.
    """

    is_outline = False
    """Whether only the documents that the windows own are read."""

    def __init__(
        self, asking: Asking, asked: Undated, windows: Sequence[FetchedWindow], proof: PagingProof
    ) -> None:
        self.asked = asked
        self.windows = windows
        self.total = 0
        """How many documents came."""
        self.may_be_cut_off = False
        """Whether a limit of answers that the API does not tell may have left so many: those are round."""
        self._asking = asking
        self._figures = Figures()
        self._first = windows[0]
        self._proof = proof
        self._is_needed = False
        self._dealer = self._new_dealer()
        self._unproven = 0

    @property
    def is_needed(self) -> bool:
        """Whether dates are known to hide something, so that also what tells no day has to be kept."""
        return self._is_needed

    @is_needed.setter
    def is_needed(self, value: bool) -> None:
        if value and not self._is_needed:
            self._is_needed = True
            self._dealer.dayless = self._first

    def pages(self) -> Iterator[Page]:
        """The pages to their end, each document once.

        Raises:
            PagingError: nothing proves that they are all.
            StacError: see `Crawl.pages`.
        """
        parts, joined = self._asking.narrowing.parts, Joined()
        for part in parts:
            joined.begin()
            for page in self._pages_of(part):
                yield joined.unseen(page) if len(parts) > 1 else page

    def _pages_of(self, part: Narrowing) -> Iterator[Page]:
        """The pages of one part of the box to their end, which is proven for itself."""
        endpoint, api = self._asking.endpoint, self._asking.api
        assert endpoint.pages is not None
        yield from self._proven(endpoint.pages(api, self.asked, part, self._figures), part)

    def is_owned(self, collection: str, time: datetime) -> bool:
        """Whether one of the windows owns the items of a collection at a time."""
        return self._dealer.owns(collection, time.date())

    def owned_in(self, page: Page) -> int:
        """How many items of a page the windows own; those that do not tell their day count too."""
        [*collections] = self.asked.collections
        found = 0
        for item in page.items:
            times = ItemTimes.of_item(item)
            collection = text_in(item.get("collection")) or collections[0]
            found += times is None or times.owner is None or self.is_owned(collection, times.owner)
        return found

    def _proven(self, pages: Iterator[Page], part: Narrowing) -> Iterator[Page]:
        """The pages of one part of the box, and once they end, the proof that they are all.

        Raises:
            PagingError: nothing proves it.
        """
        before = self.total
        self._unproven, self._figures.number_matched = 0, None
        count: int | None = None
        for number, page in enumerate(pages):
            length, goes_on = page.length, page.has_next
            if goes_on:
                self._proof.saw(length)
            count = page.number_matched
            is_proven = goes_on or number or (count is not None and count != length)
            self._unproven = 0 if is_proven else length
            self.total += length
            yield page
        # a count that equals the page may be that of the page, unless others were greater
        is_counted = count is not None and self._asking.api.counts.exceed_pages
        if self._unproven > self._proof.length and not is_counted:
            self._prove(part, self._unproven)
        self.may_be_cut_off |= _is_round(self.total - before)

    def deal(self, page: Page) -> None:
        """Make the items of a page rows of their windows.

        Raises:
            OfNoWindow: a document tells no day, and `is_needed` is not set.
        """
        for rejected in page.rejected:
            self._dealer.reject(rejected)
        for item in page.items:
            self._dealer.deal(item)
        for item in page.repeats:
            self._dealer.compare(item)
        if self._asking.progress is not SILENT:
            items = sum(fetched.figures.items for fetched in self.windows)
            # the API counts more than the windows hold
            told = replace(self._figures, items=items, number_matched=None)
            self._asking.progress.page(self._first.window, told)
        self._dealer.bound()

    def end(self) -> None:
        """Note what is true of all windows, once everything was read."""
        self._dealer.flush()
        self._figures.number_matched = None  # of all days together
        self._first.figures.add(self._figures)
        first_requests = self._asking.endpoint.first_requests
        assert first_requests is not None
        requests = cache(partial(first_requests, self._asking.api, self.asked, self._asking.narrowing))
        for fetched in self.windows:
            fetched.requests = requests

    def forget(self) -> None:
        """Throw away what was read; its cost stays."""
        for fetched in self.windows:
            fetched.forget(self._figures if fetched is self._first else None)

    def _prove(self, part: Narrowing, length: int) -> None:
        """Prove that a single page of so many items is the whole answer: fewer of them are not.

        Raises:
            PagingError: it has no `next` link, and no count of them all, where fewer are asked for.
        """
        page = self._first_page(part, length - 1)
        if not page.has_next and (page.number_matched or 0) < length:
            self._asking.api.counts.are_of_pages |= page.number_matched == page.length
            raise PagingError(f"{self.asked}: nothing proves that a page of {length} items is the last")
        self._proof.saw(length)

    def _first_page(self, part: Narrowing, size: int) -> Page:
        first_page = self._asking.endpoint.first_page
        assert first_page is not None
        self._figures.requests += 1
        return first_page(self._asking.api, self.asked, part, size, None)

    def _new_dealer(self) -> Dealer:
        strays, endpoint, dialect = self._asking.strays, self._asking.endpoint, self._asking.dialect
        tell = strays and strays.of(self._first, self.asked.interval, self.asked.collections)

        def elsewhere(item: Item, row: Mapping[str, Any]) -> None:
            # other days of the collections are no news
            if tell is not None and row["collection"] not in self.asked.collections:
                tell(item, row)

        return Dealer(self.windows, endpoint, dialect, Figures(), elsewhere, bbox=self._asking.narrowing.bbox)


def _is_round(total: int) -> bool:
    return total > 0 and total % SMALLEST_LIMIT == 0
