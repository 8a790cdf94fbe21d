"""What can go wrong on the way into the table, in words that say what is stored and what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dlt.common.destination.exceptions import DestinationTransientException
from dlt.destinations.exceptions import DatabaseException
from dlt.pipeline.exceptions import PipelineStepFailed

from stac_assets.stac.errors import StacError

NOTHING_STORED = "Nothing was stored, the table is as it was; once that is mended, run the same again"
WHOLE = (
    "Nothing is stored by halves: a partition has its old rows or its new ones. "
    "Once that is mended, the same run again makes it exact"
)


TRIED = ("Transient exception in job", "Terminal exception in job")
TRACEBACK = "Traceback (most recent call last)"


class StoreFailed(StacError):
    """The destination, or the disk on the way to it, failed."""


class _InALine(logging.Filter):
    """Shortens what dlt logs of every try of a job, which is the same traceback twice, to a line.

    With our logger at DEBUG it stays as it is.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        text = str(record.msg)
        if logging.getLogger("stac_assets").isEnabledFor(logging.DEBUG):
            return True
        if text.startswith(TRIED):
            return False  # another line tells whether it is tried again
        if TRACEBACK in text:
            record.msg = f"{text.partition(TRACEBACK)[0]}{text.strip().splitlines()[-1]}"
        return True


logging.getLogger("dlt").addFilter(_InALine())


@contextmanager
def told_plainly(place: str) -> Iterator[None]:
    """Let our own errors out of the wrapping that dlt puts around them, and tell others in a few lines.

    dlt says after a failure that the next run will load what is left of this one. Ours does not: a run's
    folder is removed, and the next one fetches anew.

    Args:
        place: where rows are stored.

    Raises:
        StoreFailed: for what the disk, dlt's steps and the destination raise. Errors in the configuration
            are dlt's own, and pass.
    """
    try:
        yield
    except PipelineStepFailed as error:
        own = next((cause for cause in _causes(error) if isinstance(cause, StacError)), None)
        if own is not None:
            raise own from None
        stored = WHOLE if error.step == "load" else NOTHING_STORED
        raise StoreFailed(f"storing into {place} failed ({_reason(error)}). {stored}") from error
    except (DestinationTransientException, DatabaseException) as error:
        raise StoreFailed(f"{place} cannot be used ({_reason(error)}). {NOTHING_STORED}") from error
    except BrokenPipeError:
        raise  # who reads our output has gone away
    except OSError as error:
        raise StoreFailed(f"a working file cannot be written: {described(error)}. {NOTHING_STORED}") from error


def described(error: OSError) -> str:
    """What failed, and with which file, if the error knows it."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _reason(error: BaseException) -> str:
    """The first cause of all, in its own first line."""
    *_, first = _causes(error)
    if isinstance(first, OSError):
        return described(first)
    lines = str(first).strip().splitlines()
    return lines[0] if lines else type(first).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
