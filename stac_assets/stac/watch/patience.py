"""The patience of a poll: it waits little, because the next poll comes soon."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from stac_assets.stac.http.options import ApiOptions

LARGEST_PAGE = 100
"""The most items that a poll asks for at once: it needs few members of them, and gets whole documents."""
_MOST = {
    "max_retries": 1,
    "connect_timeout": 3.0,
    "read_timeout": 10.0,
    "request_timeout": 10.0,
    "max_backoff": 1.0,
    "max_retry_after": 2.0,
    "page_size": LARGEST_PAGE,
}
"""The largest values of these options in a poll, which must be done before its caller runs out of time."""


def impatient(options: ApiOptions) -> ApiOptions:
    """The same options with short time-outs, few retries and small pages."""
    return replace(options, **{name: min(getattr(options, name), most) for name, most in _MOST.items()})


@contextmanager
def stopping_after(seconds: float) -> Iterator[threading.Event]:
    """An event that is set after so many seconds; `StacApi(…, cancelled)` then sends no more requests."""
    event = threading.Event()
    timer = threading.Timer(seconds, event.set)
    timer.daemon = True
    timer.start()
    try:
        yield event
    finally:
        timer.cancel()
