"""What a log line or an error must not show: secrets in any form, and the values of query strings."""

import json
import logging
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SHORTEST = 4
"""What is shorter is no secret, and would blacken every text."""

_QUERY = re.compile(r"\?[^\s\"'<>]+")

Hide = Callable[[str], str]


def hidden(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, as they are or as a URL, JSON, HTML or base64 writes them."""
    written = {form for secret in secrets if len(secret) >= SHORTEST for form in forms(secret)}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def forms(secret: str) -> set[str]:
    """How a text may write `secret`."""
    octets = secret.encode("utf-8", "surrogatepass")
    coded = {encode(octets).decode() for encode in (b64encode, urlsafe_b64encode)}
    escaped = {quote(octets, safe=""), quote(octets), quote_plus(octets), escape(secret)}
    escaped |= {json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
    return {secret, *escaped, *coded, *(form.rstrip("=") for form in coded)}


def without_queries(text: str) -> str:
    """`text` without the query strings of the URLs in it, which may be signed."""
    return _QUERY.sub("?…", text)


# urllib3's own log lines ------------------------------------------------------------------------------

_hide: ContextVar[Hide | None] = ContextVar("hide", default=None)
_TALKATIVE = ("urllib3.connectionpool", "urllib3.connection", "urllib3.response", "urllib3.util.retry")
"""The loggers that write paths with their query strings, or headers of an answer."""


@contextmanager
def hiding(hide: Hide) -> Iterator[None]:
    """Let urllib3 log nothing of this thread's requests that `hide` hides, nor the values of a query."""
    before = _hide.set(hide)
    try:
        yield
    finally:
        _hide.reset(before)


class _Hiding(logging.Filter):
    """Changes the records of our own requests; those of others pass as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        hide = _hide.get()
        if hide is not None:
            record.msg, record.args = without_queries(hide(record.getMessage())), ()
            record.exc_info = record.exc_text = None
        return True


for _name in _TALKATIVE:
    logging.getLogger(_name).addFilter(_Hiding())
