"""A question: neighbouring windows that are asked for by one crawl, and whose items are dealt locally."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stac_assets.source.dealing import Dealer
from stac_assets.source.dialects import Dialect
from stac_assets.source.fetched import FetchedWindow, Progress
from stac_assets.stac.api import StacApi
from stac_assets.stac.documents import Page, Rejected, decode_item
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import link
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Window


@dataclass(frozen=True)
class Asking:
    """What all questions of a load have in common.

    Args:
        api: what is asked.
        endpoint: one whose rows are items.
        narrowing: filters.
        dialect: of the destination, for what that cannot hold.
        max_items: of a window, for a sample.
        progress: called after every page.
    """

    api: StacApi
    endpoint: Endpoint
    narrowing: Narrowing
    dialect: Dialect
    max_items: int | None = None
    progress: Progress | None = None


class Question:
    """Reads one window, or several neighbours by one request, into their spools.

    Only items that a window owns become its rows, each of them once. What a request of several windows costs
    is counted with the first of them.

    Args:
        asking: whom is asked, and how.
        windows: what is asked for.
    """

    def __init__(self, asking: Asking, windows: Sequence[FetchedWindow]) -> None:
        self._asking = asking
        self._windows = windows
        self._first = windows[0]
        self.figures = self._first.figures if len(windows) == 1 else Figures()
        self._dealer = Dealer(windows, asking.endpoint, asking.dialect, self.figures)

    def read_pages(self) -> None:
        """Read all items that touch the windows."""
        self._read(self._pages())
        self._dealer.flush()
        for fetched in self._windows:
            self._tell_request(fetched)
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

    def _pages(self) -> Iterator[Page]:
        endpoint, first = self._asking.endpoint, self._first.window
        assert endpoint.pages is not None
        span = Window(first.collection, first.start, self._windows[-1].window.end)
        return endpoint.pages(self._asking.api, span, self._asking.narrowing, self.figures)

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
            self._report()
            self._dealer.bound()
            if not figures.complete:
                return
            if most is not None and figures.items >= most:
                figures.complete = not any(page.items for page in pages)
                return

    def _tell_request(self, fetched: FetchedWindow) -> None:
        """Note the first request for the pages of a window alone, and a link that asks for the same."""
        assert self._asking.endpoint.first_requests is not None
        requests = self._asking.endpoint.first_requests
        fetched.request, by_link = requests(self._asking.api, fetched.window, self._asking.narrowing)
        fetched.link = link(by_link)

    def _report(self) -> None:
        if self._asking.progress is not None:
            items = sum(fetched.figures.items for fetched in self._windows)
            self._asking.progress(self._first.window, replace(self.figures, items=items))
