"""Removal of secrets, and of the values of query strings, from log lines and error messages."""

import json
import logging
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SHORTEST = 4
"""The least length of a secret that is hidden: a shorter one would blacken every text."""

_QUERY = re.compile(r"\?[^\s\"'<>]+")

Hide = Callable[[str], str]


def hidden(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, whether it is written plainly or as in a URL, JSON, HTML or base64."""
    written = {form for secret in secrets if len(secret) >= SHORTEST for form in forms(secret)}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def forms(secret: str) -> set[str]:
    """The ways in which a text may write `secret`."""
    octets = secret.encode("utf-8", "surrogatepass")
    coded = {encode(octets).decode() for encode in (b64encode, urlsafe_b64encode)}
    escaped = {quote(octets, safe=""), quote(octets), quote_plus(octets), escape(secret)}
    escaped |= {json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
    return {secret, *escaped, *coded, *(form.rstrip("=") for form in coded)}


def without_queries(text: str) -> str:
    """`text` without the query strings of the URLs in it, which may be signed."""
    return _QUERY.sub("?…", text)


# The log lines of urllib3 -------------------------------------------------------------------------


@contextmanager
def hiding(hide: Hide) -> Iterator[None]:
    """While this runs, urllib3 logs no secret of this thread's requests, and no value of a query.

    The filter that sees to it is on urllib3's loggers only while some thread is in here, so that a program
    which imports this package, or has used it, finds its loggers as they were. The records of other threads
    pass untouched.

    Args:
        hide: takes a text, and returns it without secrets.
    """
    before = _hide.set(hide)
    _installed.acquire()
    try:
        yield
    finally:
        _installed.release()
        _hide.reset(before)


class _Redacting(logging.Filter):
    """Changes the records of threads that are in `hiding`, and lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        hide = _hide.get()
        if hide is not None:
            record.msg, record.args = without_queries(hide(record.getMessage())), ()
            record.exc_info = record.exc_text = None
        return True


class _Installed:
    """Keeps a filter on loggers for as long as somebody uses it. Threads may share it."""

    def __init__(self, redacting: logging.Filter, names: Iterable[str]) -> None:
        self._redacting = redacting
        self._loggers = [logging.getLogger(name) for name in names]
        self._users = 0
        self._lock = threading.Lock()

    def acquire(self) -> None:
        """Add the filter, if this is its first user."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                for logger in self._loggers:
                    logger.addFilter(self._redacting)

    def release(self) -> None:
        """Remove the filter, if this was its last user."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                for logger in self._loggers:
                    # a new list, because another thread may be going through the old one, where a removal
                    # would make it leave out a filter
                    logger.filters = [each for each in logger.filters if each is not self._redacting]


_hide: ContextVar[Hide | None] = ContextVar("hide", default=None)
_installed = _Installed(
    _Redacting(), ("urllib3.connectionpool", "urllib3.connection", "urllib3.response", "urllib3.util.retry")
)
"""These loggers write paths with their query strings, or headers of an answer."""
