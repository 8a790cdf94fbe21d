"""The first half of a load: pages become rows in a spool, in parallel, without dlt and without a database."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from stac_assets.source.agenda import Agenda, Taken
from stac_assets.source.beyond_dates import fetch_beyond_dates
from stac_assets.source.dialects import OTHER, Dialect
from stac_assets.source.existence import missing_collections
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.grouping import Stretch, stretches
from stac_assets.source.progress import SILENT, Progress
from stac_assets.source.question import MOST_COUNTED_PAGES, MOST_PAGES, Asking, LongAnswer, Question
from stac_assets.source.shrunk import HeldRows
from stac_assets.source.spool import Spool
from stac_assets.source.workers import work_off
from stac_assets.stac.api import StacApi
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import Cancelled, ConfigurationError, LongRequest, StacError
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Window

logger = logging.getLogger("stac_assets")


def fetch_windows(
    api: StacApi,
    endpoint: Endpoint,
    windows: Sequence[Window],
    folder: Path,
    *,
    narrowing: Narrowing | None = None,
    item_ids: Mapping[Window, Sequence[str]] | None = None,
    max_items: int | None = None,
    largest_whole: int = 0,
    dialect: Dialect = OTHER,
    listed: Sequence[str] = (),
    held: HeldRows | None = None,
    progress: Progress = SILENT,
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
        largest_whole: the items of a collection that is read whole at most, where dates do not find all of
            them; with 0 that is not asked.
        dialect: of the destination, for what that cannot hold.
        listed: collections that the API is known to have.
        held: counts what the table holds of windows; without it no answer that has shrunk is doubted.
        progress: is told how far it is.
        cancelled: set it to stop.

    Raises:
        Cancelled: `cancelled` was set.
        StacError: none of the windows' collections is there, or all fail; it is the error of the first.
        EndpointMissing: the API lacks the endpoint.
    """
    stop = cancelled or threading.Event()
    jobs = {w: FetchedWindow(w, Spool(folder, f"{endpoint.name}-{n:05}")) for n, w in enumerate(windows)}
    asking = Asking(api, endpoint, narrowing or Narrowing(), dialect, max_items, progress)
    missing = missing_collections(asking, list(jobs), listed, stop)
    for fetched in jobs.values():
        fetched.error = missing.get(fetched.window.collection)
    progress.ended([fetched for fetched in jobs.values() if fetched.error is not None])
    there = [fetched for fetched in jobs.values() if fetched.error is None]

    def by_date(asking: Asking, dated: list[FetchedWindow]) -> None:
        _fetch_by_date(asking, dated, item_ids or {}, stop)

    if endpoint.looks_up_items or max_items is not None:
        by_date(asking, there)
    else:
        fetch_beyond_dates(asking, there, folder, largest_whole, by_date, stop, held)
    return list(jobs.values())


def _fetch_by_date(
    asking: Asking,
    windows: list[FetchedWindow],
    item_ids: Mapping[Window, Sequence[str]],
    stop: threading.Event,
) -> None:
    endpoint, options = asking.endpoint, asking.api.options
    if endpoint.looks_up_items or asking.max_items is not None:
        begun = [Stretch.one_by_one(windows)]
    else:
        begun = stretches(windows, endpoint.joins_collections)
    agenda = Agenda(begun, asking.api.page_size, options.max_concurrent_requests, stop)

    def fetch(_: int) -> None:
        while (taken := agenda.take()) is not None:
            _ask(asking, agenda, taken, item_ids)

    # half as many threads again as requests at a time: pages become rows in some while others keep the API
    # busy. One stays one, so that what is learned of the API with a window serves the next
    most = options.max_concurrent_requests + options.max_concurrent_requests // 2
    work_off(range(min(most, len(windows))), fetch, most, stop)


def _ask(asking: Asking, agenda: Agenda, taken: Taken, item_ids: Mapping[Window, Sequence[str]]) -> None:
    windows = taken.windows
    most = MOST_COUNTED_PAGES if taken.stretch.is_counted else MOST_PAGES
    question = Question(asking, windows, most, lambda: agenda.goes_on(taken))
    started = time.monotonic()
    asking.progress.begun(windows)
    try:
        if asking.endpoint.looks_up_items:
            question.read_items(item_ids.get(windows[0].window, ()))
        else:
            question.read_pages()
    except (Cancelled, ConfigurationError, NotImplementedError):
        raise
    except LongAnswer as answer:
        question.forget(answer.count)
        agenda.was_long(taken, answer.count, question.room)
        return
    except LongRequest:
        question.forget()
        agenda.was_long(taken, None, question.room)
        return
    except StacError as error:
        if len(windows) > 1:
            logger.info("%s; going on with parts of %d partitions", error, len(windows))
            question.forget()
            agenda.failed(taken)
            return
        windows[0].spool.discard()
        windows[0].error = error
        logger.error("%s: %s", windows[0].window, error)
    for fetched in windows:
        fetched.seconds += (time.monotonic() - started) / len(windows)
    asking.progress.ended(windows)
    agenda.answered(taken, question.items)
