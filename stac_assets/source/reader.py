"""The first half of a load: pages become rows in a spool, in parallel, without dlt and without a database."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

from stac_assets.source.dialects import OTHER, Dialect
from stac_assets.source.fetched import FetchedWindow, Progress
from stac_assets.source.grouping import Joining
from stac_assets.source.question import Asking, Question
from stac_assets.source.spool import Spool
from stac_assets.source.workers import work_off
from stac_assets.stac.api import StacApi
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import Cancelled, ConfigurationError, EndpointMissing, StacError
from stac_assets.stac.figures import Figures
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
    asking = Asking(api, endpoint, narrowing or Narrowing(), dialect, max_items, progress)
    at_once = api.options.max_concurrent_requests
    joining = Joining(api, endpoint, windows, asking.narrowing)
    looks = [] if endpoint.looks_up_items or max_items is not None else joining.looks()
    collections = sorted({window.collection for window in windows})
    checks = [partial(_check_collection, api, endpoint, collection) for collection in collections]
    work_off([*checks, *looks], lambda ask: ask(), at_once, stop)

    def fetch(group: list[FetchedWindow]) -> None:
        question = Question(asking, group)
        started = time.monotonic()
        try:
            if endpoint.looks_up_items:
                question.read_items((item_ids or {}).get(group[0].window, ()))
            else:
                question.read_pages()
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
                group[0].figures = question.figures.cost()
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
