"""dlt's own log while a load takes place: what would mislead its reader is left out of it, or shortened."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

TRIED = ("Transient exception in job", "Terminal exception in job")
TRACEBACK = "Traceback (most recent call last)"
DETAIL = " Detail: Python exception"
"""How Arrow goes on, with a traceback, where an error of Python's came through it."""


class WithoutJsonAsText(logging.Filter):
    """Drops the warning that a JSON column comes as an Arrow string, which is just what we want."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is any other."""
        return "when merging arrow schema with dlt schema" not in str(record.msg)


class WithoutTracebacks(logging.Filter):
    """Shortens the tracebacks, two for each try of a job, to the line that ends them.

    With our logger at DEBUG they stay as they are.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept, maybe with a shorter message."""
        text = record.getMessage()
        if logging.getLogger("stac_assets").isEnabledFor(logging.DEBUG):
            return True
        if text.startswith(TRIED):
            return False  # another line tells whether it is tried again
        if TRACEBACK in text:
            *_, last = (line for line in text.splitlines() if line[:1].strip())  # the error, not its details
            text = text.partition(TRACEBACK)[0] + last
        if record.exc_info and record.exc_info[1]:
            text = f"{text} ({first_line(record.exc_info[1])})"
        record.msg, record.args, record.exc_info, record.exc_text = text, (), None, None
        return True


@contextmanager
def filtered(rule: logging.Filter) -> Iterator[None]:
    """A block in which dlt's log goes through `rule`; loads in several threads each have their own."""
    log = logging.getLogger("dlt")
    log.addFilter(rule)
    try:
        yield
    finally:
        log.removeFilter(rule)


def first_line(error: BaseException) -> str:
    """The first line of what an error says; the name of its class where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].partition(DETAIL)[0] if lines else type(error).__name__
