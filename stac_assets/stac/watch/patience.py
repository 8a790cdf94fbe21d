"""How long a watcher waits: not long, as it comes again soon."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from stac_assets.stac.http.options import ApiOptions

LARGEST_PAGE = 100
"""Items asked for at once; a watcher wants a few fields of each, and gets whole documents."""
_PATIENCE = {
    "max_retries": 1,
    "connect_timeout": 3.0,
    "read_timeout": 10.0,
    "request_timeout": 10.0,
    "max_backoff": 1.0,
    "max_retry_after": 2.0,
    "page_size": LARGEST_PAGE,
}
"""The most that these settings may be for a watcher: it comes again soon, and must be done in time."""


def impatient(options: ApiOptions) -> ApiOptions:
    """The same options for a watcher, which rather comes again than waits."""
    return replace(options, **{name: min(getattr(options, name), most) for name, most in _PATIENCE.items()})


@contextmanager
def stopping_after(seconds: float) -> Iterator[threading.Event]:
    """An event for `StacApi(…, cancelled)` that is set when the time is up."""
    event = threading.Event()
    timer = threading.Timer(seconds, event.set)
    timer.daemon = True
    timer.start()
    try:
        yield event
    finally:
        timer.cancel()
