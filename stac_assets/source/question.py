"""A question: neighbouring windows that are asked for by one crawl, and whose items are dealt locally."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from stac_assets.source.dealing import Dealer
from stac_assets.source.dialects import Dialect
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.progress import SILENT, Progress
from stac_assets.source.strays import Strays
from stac_assets.stac.api import StacApi
from stac_assets.stac.documents import Page, Rejected, decode_item
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.figures import Figures
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Span

MOST_PAGES = 2
"""The pages of a question of several windows that are read before it is known how many there are.

With more the answer is long: single windows are read in parallel, and one that fails takes none along."""
MOST_COUNTED_PAGES = 20
"""The pages that are read of a question of which the API has told how many there are."""


class LongAnswer(Exception):
    """The answer to a question of several windows is longer than such a question is meant to be.

    Args:
        count: the API's count of its items; None where it does not count, or counts wrongly.
    """

    def __init__(self, count: int | None = None) -> None:
        super().__init__(count)
        self.count = count


@dataclass(frozen=True)
class Asking:
    """What all questions of a load have in common.

    Args:
        api: what is asked.
        endpoint: one whose rows are items.
        narrowing: filters.
        dialect: of the destination, for what that cannot hold.
        max_items: of a window, for a sample.
        progress: is told how far each question is.
        strays: what the answers bring for other windows; without it that is only counted.
    """

    api: StacApi
    endpoint: Endpoint
    narrowing: Narrowing
    dialect: Dialect
    max_items: int | None = None
    progress: Progress = SILENT
    strays: Strays | None = None


class Question:
    """Reads one window, or several neighbours by one request, into their spools.

    Only items that a window owns become its rows, each of them once. What a request of several windows costs
    is counted with the first of them.

    Args:
        asking: whom is asked, and how.
        windows: what is asked for: neighbours of one collection, or the same windows of several.
        most_counted: the pages that are read of several windows where the API counts.
        goes_on: called when the first page of a single window is not the last.
    """

    def __init__(
        self,
        asking: Asking,
        windows: Sequence[FetchedWindow],
        most_counted: int = MOST_COUNTED_PAGES,
        goes_on: Callable[[], None] | None = None,
    ) -> None:
        self._asking = asking
        self._windows = windows
        self._first = windows[0]
        self._most_counted = most_counted
        self._goes_on = goes_on
        self.figures = self._first.figures if len(windows) == 1 else Figures()
        self.room = asking.api.page_size
        """The items that a page has room for, as far as this answer shows."""
        asked = [fetched.window for fetched in windows]
        self._asked = asked[0] if len(asked) == 1 else Span.of(asked)
        strays = asking.strays
        elsewhere = strays and strays.of(self._first, self._asked.interval, self._asked.collections)
        self._dealer = Dealer(
            windows, asking.endpoint, asking.dialect, self.figures, elsewhere, bbox=asking.narrowing.bbox
        )

    @property
    def items(self) -> int:
        """The documents that came, whatever became of them."""
        own = sum(fetched.figures.items + fetched.figures.rejected_items for fetched in self._windows)
        return own + self.figures.items_owned_elsewhere + self.figures.duplicates

    def read_pages(self) -> None:
        """Read all items that touch the windows.

        Raises:
            LongAnswer: several windows have more items than should be read by one request.
            OfNoWindow: nothing tells to which of several windows a document belongs.
            StacError: the API failed.
        """
        pages = self._pages()
        self._read(self._announced(pages) if len(self._windows) == 1 else self._short(pages))
        self._dealer.flush()
        for fetched in self._windows:
            make, window = self._asking.endpoint.first_requests, fetched.window
            assert make is not None
            fetched.requests = partial(make, self._asking.api, window, self._asking.narrowing)
        if self.figures is not self._first.figures:
            self.figures.number_matched = None  # of all windows together
            self._first.figures.add(self.figures)

    def read_items(self, ids: Sequence[str]) -> None:
        """Look items up one by one, for a single window."""
        fetched, collection = self._first, self._first.window.collection
        for item_id in dict.fromkeys(ids):
            answer = self._asking.api.item(collection, item_id, self.figures)
            document = None if answer is None else decode_item(answer)
            if isinstance(document, Rejected):
                self._dealer.reject(document, item_id=item_id)
            elif document is not None:
                self._dealer.deal(document, to=fetched)
            if not self._dealer.has_seen(collection, item_id):
                fetched.deleted.append(item_id)
            self._report()
        self._dealer.flush()

    def forget(self, count: int | None = None) -> None:
        """Throw away what was read, so that the windows can be asked for otherwise; its cost stays.

        Args:
            count: the API's count of their items, which is told to who wants to know how far the load is.
        """
        cost = self.figures if self.figures is not self._first.figures else None
        for fetched in self._windows:
            fetched.forget(cost if fetched is self._first else None)
        self._asking.progress.given_back(self._windows, count)

    def _pages(self) -> Iterator[Page]:
        endpoint = self._asking.endpoint
        assert endpoint.pages is not None
        return endpoint.pages(self._asking.api, self._asked, self._asking.narrowing, self.figures)

    def _announced(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The pages of a single window, of which it is told early that they are several."""
        for number, page in enumerate(pages, 1):
            if number == 1 and self._goes_on is not None and page.has_next:
                self._goes_on()
            yield page

    def _short(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The pages of an answer that turns out not to be long.

        Raises:
            LongAnswer: it is long. What of it was read before is in vain.
        """
        expected: int | None = None
        for number, page in enumerate(pages, 1):
            goes_on = page.has_next
            if number == 1 and goes_on:  # later pages lack what came before, where an interval is read again
                self.room = max(1, min(self.room, page.length))
            if number == 1 and page.number_matched is not None:
                expected = -(-page.number_matched // self.room)
                if expected > self._most_counted:
                    raise LongAnswer(page.number_matched)
            yield page
            most = MOST_PAGES if expected is None else max(MOST_PAGES, expected) + 1
            if goes_on and number >= most:
                raise LongAnswer()

    def _read(self, pages: Iterator[Page]) -> None:
        figures, most = self.figures, self._asking.max_items
        for page in pages:
            for rejected in page.rejected:
                self._dealer.reject(rejected)
            for item in page.items:
                if most is not None and figures.items >= most:
                    figures.complete = False
                    break
                self._dealer.deal(item)
            for item in page.repeats if most is None else ():
                self._dealer.compare(item)
            self._report()
            page.let_go()
            self._dealer.bound()
            if not figures.complete:
                return
            if most is not None and figures.items >= most:
                figures.complete = not any(page.items for page in pages)
                return

    def _report(self) -> None:
        if self._asking.progress is not SILENT:
            items = sum(fetched.figures.items for fetched in self._windows)
            self._asking.progress.page(self._first.window, replace(self.figures, items=items))
