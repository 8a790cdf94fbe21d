"""The first half of a load: pages become rows in a spool, in parallel, without dlt and without a database."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from stac_assets.source.columns import PARTITION_KEY, rejected_key
from stac_assets.source.dialects import OTHER, Dialect
from stac_assets.source.grouping import Joining
from stac_assets.source.limits import refusal
from stac_assets.source.rows import NotARow, build_row, owner_time
from stac_assets.source.spool import BATCH_BYTES, Spool
from stac_assets.source.workers import work_off
from stac_assets.stac.api import StacApi
from stac_assets.stac.documents import DECODE_ERRORS, Item, Page, Rejected, decode_item, object_text, why
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import Cancelled, ConfigurationError, EndpointMissing, StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest, link
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Window, partition_key

logger = logging.getLogger("stac_assets")

Progress = Callable[[Window, Figures], None]
"""Called after every page with the window and its figures so far."""


class _OfNoDay(StacError):
    """A document cannot be a row, and does not say which of several windows owns it.

    The windows are then fetched one by one, which tells."""


@dataclass
class FetchedWindow:
    """What was fetched for one window: its rows in the spool, or the error that it ended with."""

    window: Window
    spool: Spool
    figures: Figures = field(default_factory=Figures)
    error: StacError | None = None
    seconds: float = 0.0
    request: PageRequest | None = None
    """The first request for it, and for people a link to the same; none where items are looked up."""
    link: str | None = None
    deleted: list[str] = field(default_factory=list)
    """Ids of items that the API no longer has, or as none that can be a row; of items that are looked up."""


def fetch_windows(
    api: StacApi,
    endpoint: Endpoint,
    windows: Sequence[Window],
    folder: Path,
    *,
    narrowing: Narrowing | None = None,
    item_ids: Mapping[Window, Sequence[str]] | None = None,
    max_items: int | None = None,
    dialect: Dialect = OTHER,
    progress: Progress | None = None,
    cancelled: threading.Event | None = None,
) -> list[FetchedWindow]:
    """Fetch every window, several at a time; a window that fails does not stop the others.

    Args:
        api: what is asked.
        endpoint: one whose rows are items.
        windows: what for.
        folder: where rows are spooled.
        narrowing: filters.
        item_ids: where items are looked up one by one, the ids of each window.
        max_items: of a window, for a sample.
        dialect: of the destination, for what that cannot hold.
        progress: called after every page.
        cancelled: set it to stop.

    Raises:
        Cancelled: `cancelled` was set.
        UnknownCollection: one of the windows' collections does not exist.
        EndpointMissing: the API lacks the endpoint.
    """
    stop = cancelled or threading.Event()
    narrowed = narrowing or Narrowing()
    at_once = api.options.max_concurrent_requests
    joining = Joining(api, endpoint, windows, narrowed)
    looks = [] if endpoint.looks_up_items or max_items is not None else joining.looks()
    collections = sorted({window.collection for window in windows})
    checks = [partial(_check_collection, api, endpoint, collection) for collection in collections]
    work_off([*checks, *looks], lambda ask: ask(), at_once, stop)

    def fetch(group: list[FetchedWindow]) -> None:
        reader = _Reader(api, endpoint, group, narrowed, max_items, dialect, progress)
        started = time.monotonic()
        try:
            if endpoint.looks_up_items:
                reader.read_items((item_ids or {}).get(group[0].window, ()))
            else:
                reader.read_pages()
        except (Cancelled, ConfigurationError, NotImplementedError):
            raise
        except StacError as error:
            for fetched in group:
                fetched.spool.discard()
            if len(group) == 1:
                logger.error("%s: %s", group[0].window, error)
                group[0].error = error
            else:
                logger.info("%s; going on with each of %d partitions", error, len(group))
                for fetched in group:
                    fetched.figures = Figures()
                group[0].figures = reader.figures.cost()
                for fetched in group:
                    fetch([fetched])
                return
        for fetched in group:
            fetched.seconds = (time.monotonic() - started) / len(group)

    jobs = {w: FetchedWindow(w, Spool(folder, f"{endpoint.name}-{n:05}")) for n, w in enumerate(windows)}
    groups = [[jobs[window] for window in group] for group in joining.groups()]
    # half as many threads again as requests at a time: pages become rows in some while others keep the API
    # busy. One stays one, so that what is learned of the API with a window serves the next
    work_off(groups, fetch, at_once + at_once // 2, stop)
    return list(jobs.values())


def _check_collection(api: StacApi, endpoint: Endpoint, collection: str) -> None:
    # a search works without /collections; only, then nothing tells an unknown collection from an empty one
    with nullcontext() if endpoint.needs_collections else suppress(EndpointMissing):
        api.collection(collection)


class _Reader:
    """Reads one window, or several neighbours by one request, into their spools.

    Only items that a window owns become its rows, each of them once.

    What a request of several windows costs is counted with the first of them.
    """

    def __init__(
        self,
        api: StacApi,
        endpoint: Endpoint,
        group: list[FetchedWindow],
        narrowing: Narrowing,
        max_items: int | None,
        dialect: Dialect,
        progress: Progress | None,
    ) -> None:
        self._api = api
        self._endpoint = endpoint
        self._group = group
        self._first = group[0]
        self._window = Window(self._first.window.collection, self._first.window.start, group[-1].window.end)
        self.figures = self._first.figures if len(group) == 1 else Figures()
        self._by_day = {day: fetched for fetched in group for day in fetched.window.days()}
        self._narrowing = narrowing
        self._max_items = max_items
        self._dialect = dialect
        self._progress = progress
        self._seen: set[str] = set()

    def read_pages(self) -> None:
        self._read(self._pages())
        for fetched in self._group:
            fetched.spool.flush()
            fetched.request, fetched.link = self._first_request(fetched.window)
        if self.figures is not self._first.figures:
            self.figures.number_matched = None  # of all windows together
            self._first.figures.add(self.figures)

    def _first_request(self, window: Window) -> tuple[PageRequest, str]:
        """The first request for the pages of a window alone, and a link that asks for the same."""
        assert self._endpoint.first_requests is not None
        request, by_link = self._endpoint.first_requests(self._api, window, self._narrowing)
        return request, link(by_link)

    def read_items(self, ids: Sequence[str]) -> None:
        window, figures = self._window, self.figures
        for item_id in dict.fromkeys(ids):
            answer = self._api.item(window.collection, item_id, figures)
            document = None if answer is None else decode_item(answer)
            if isinstance(document, Rejected):
                self._reject(document, item_id=item_id)
            elif document is not None:
                self._take(document, owned_only=False)
            if item_id not in self._seen:
                self._first.deleted.append(item_id)
            self._report()
        self._first.spool.flush()

    def _pages(self) -> Iterator[Page]:
        assert self._endpoint.pages is not None
        return self._endpoint.pages(self._api, self._window, self._narrowing, self.figures)

    def _read(self, pages: Iterator[Page]) -> None:
        figures = self.figures
        for page in pages:
            for rejected in page.rejected:
                self._reject(rejected)
            for item in page.items:
                if self._max_items is not None and figures.items >= self._max_items:
                    figures.complete = False
                    break
                self._take(item)
            self._report()
            self._bound()
            if not figures.complete:
                return
            if self._max_items is not None and figures.items >= self._max_items:
                figures.complete = not any(page.items for page in pages)
                return

    def _bound(self) -> None:
        """Write to files what the spools of the group have gathered, once that is much.

        A group holds much where the API has more items than it counts."""
        if sum(fetched.spool.gathered for fetched in self._group) >= BATCH_BYTES:
            for fetched in self._group:
                fetched.spool.flush()

    def _take(self, item: Item, owned_only: bool = True) -> None:
        window, figures = self._window, self.figures
        try:
            row, properties = build_row(item, window.collection)
        except NotARow as error:
            self._reject(Rejected(_text(item), str(error)))
            return
        except DECODE_ERRORS as error:
            self._reject(Rejected(_text(item), why(error)))
            return
        if row["collection"] != window.collection:
            figures.items_owned_elsewhere += 1
            return
        time = owner_time(row)
        if time is None:
            reason = "neither datetime nor start_datetime names a time"
            self._reject(Rejected(_text(item), reason), item_id=row["id"])
            return
        day = time.date()
        fetched = self._by_day.get(day)
        if fetched is None and owned_only:
            figures.items_owned_elsewhere += 1
            return
        fetched = fetched or self._first
        if row["id"] in self._seen:
            figures.duplicates += 1
            return
        reason = refusal(item, self._dialect)
        if reason is not None:
            self._reject(Rejected(_text(item), reason), day)
            return
        self._seen.add(row["id"])
        row[PARTITION_KEY] = partition_key(window.collection, day)
        fetched.spool.add(row, properties, sum(map(len, item.values())))
        fetched.figures.items += 1
        fetched.figures.saw(time)

    def _reject(self, rejected: Rejected, day: date | None = None, item_id: str | None = None) -> None:
        """Keep a document that cannot be a row, with its day, or else with the first day of the window."""
        window = self._window
        if day is None and len(self._group) > 1:
            raise _OfNoDay(f"{window}: a document cannot be a row, and does not tell its day")
        day = day or window.start
        fetched = self._by_day.get(day, self._first)
        fetched.figures.rejected_items += 1
        document: dict[str, Any] = {
            "resource": self._endpoint.name,
            "collection": window.collection,
            "id": None if item_id and "\0" in item_id else item_id,  # no destination need hold that
            "reason": rejected.reason,
            "document": rejected.text,
            PARTITION_KEY: rejected_key(self._endpoint.name, partition_key(window.collection, day)),
        }
        fetched.spool.rejected.append(document)

    def _report(self) -> None:
        if self._progress is not None:
            items = sum(fetched.figures.items for fetched in self._group)
            self._progress(self._first.window, replace(self.figures, items=items))


def _text(item: Item) -> str:
    return object_text(item).decode("utf-8", "replace")
