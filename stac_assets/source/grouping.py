"""Neighbouring windows that hold little share a request: a year of empty days is not 365 requests."""

from collections.abc import Callable, Sequence
from functools import partial

from stac_assets.stac.api import StacApi
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import Cancelled, StacError
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Window

FEW = 28
"""Windows in a row that are asked for one by one, without a look at how much they hold."""


class Joining:
    """Groups of windows, each of which is asked for by one request.

    A group has as many neighbouring windows as one page is likely to hold, by the API's count of all.

    Where the API does not count, or holds much, each window is alone. Of windows in a row at least as many
    groups are made as there may be requests at a time.
    """

    def __init__(
        self, api: StacApi, endpoint: Endpoint, windows: Sequence[Window], narrowing: Narrowing
    ) -> None:
        self._api = api
        self._endpoint = endpoint
        self._narrowing = narrowing
        self._rows = _in_a_row(windows)
        self._counts: dict[Window, int | None] = {}

    def looks(self) -> list[Callable[[], None]]:
        """The requests to make before `groups` is called, in any order or at the same time."""
        return [partial(self._look, _span(row)) for row in self._rows if len(row) > FEW]

    def groups(self) -> list[list[Window]]:
        """The windows of each request; without a look before, each is alone."""
        options = self._api.options
        groups: list[list[Window]] = []
        for row in self._rows:
            size = 1
            count = self._counts.get(_span(row))
            if count is not None:
                room = options.page_size * len(row) // max(1, count)
                size = max(1, min(room, -(-len(row) // options.max_concurrent_requests)))
            groups += [row[place : place + size] for place in range(0, len(row), size)]
        return groups

    def _look(self, span: Window) -> None:
        self._counts[span] = _count(self._api, self._endpoint, span, self._narrowing)


def _span(windows: Sequence[Window]) -> Window:
    return Window(windows[0].collection, windows[0].start, windows[-1].end)


def _in_a_row(windows: Sequence[Window]) -> list[list[Window]]:
    """Windows of one collection of which each begins where the one before it ends."""
    rows: list[list[Window]] = []
    for window in sorted(set(windows)):
        last = rows[-1][-1] if rows else None
        if last and (last.collection, last.end) == (window.collection, window.start):
            rows[-1].append(window)
        else:
            rows.append([window])
    return rows


def _count(api: StacApi, endpoint: Endpoint, window: Window, narrowing: Narrowing) -> int | None:
    """The API's count of the items that touch a window; None where it does not count, or fails."""
    if endpoint.first_page is None:
        return None
    try:
        return endpoint.first_page(api, window, narrowing, 1, 0).number_matched
    except Cancelled:
        raise
    except StacError:
        return None  # the windows themselves will tell
