"""Failures on the way into the table, told in words that say what is stored and what to do."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlt.common.destination.exceptions import DestinationTransientException
from dlt.destinations.exceptions import DatabaseException
from dlt.pipeline.exceptions import PipelineStepFailed

from stac_assets.pipeline.errors import StoreFailed, causes, described
from stac_assets.pipeline.misconfiguration import misconfiguration
from stac_assets.pipeline.target import Target
from stac_assets.source.dlt_log import WithoutTracebacks, filtered, first_line
from stac_assets.stac.errors import ConfigurationError, StacError

logger = logging.getLogger("stac_assets")

NOTHING_STORED = "Nothing was stored, the table is as it was; once that is mended, run the same again"
WHOLE = (
    "Nothing is stored by halves: a partition has its old rows or its new ones. "
    "Once that is mended, the same run again makes it exact"
)
HALVES = (
    "A partition has its old rows, its new ones, or none: this destination deletes and inserts without a "
    "transaction. Once that is mended, the same run again makes it exact"
)
STORED = "The rows are stored, but were not counted; the same run again counts them"
LOST = re.compile(
    r"(connection to server .* failed: )?"
    r"(terminating connection.*|server closed the connection.*|connection already closed|"
    r"the database system is .*|SSL (connection|SYSCALL).*|could not (receive|send) data .*)",
    re.IGNORECASE,
)
"""How libpq tells of a connection that was ended from elsewhere; the first is what the server said of it."""

STORES = {"aiohttp", "azure", "botocore", "deltalake", "gcsfs", "google"}
"""Packages through which files are stored, and whose errors have no class in common."""


@contextmanager
def told_plainly(target: Target, folder: Path) -> Iterator[None]:
    """Let our own errors out of the wrapping that dlt puts around them, and tell others in a few lines.

    dlt says after a failure that the next run will load what is left of this one. Ours does not: a run's
    folder is removed, and the next one fetches anew.

    Args:
        target: where rows are stored.
        folder: what working files lie in.

    Raises:
        ConfigurationError: dlt lacks something of the destination's configuration.
        StoreFailed: for what the disk, dlt's steps and the destination raise.
    """
    place = target.describe()
    try:
        with filtered(WithoutTracebacks()):
            yield
    except PipelineStepFailed as error:
        own = next((cause for cause in causes(error) if isinstance(cause, StacError)), None)
        if own is not None:
            raise own from None
        loaded = WHOLE if target.dialect.replaces_at_once else HALVES
        stored = loaded if error.step == "load" else NOTHING_STORED
        _tell_of_lost_connection(error, place, stored)
        raise StoreFailed(f"storing into {place} failed ({_reason(error, folder)}). {stored}") from error
    except BrokenPipeError:
        raise  # who reads our output has gone away
    except OSError as error:
        what = described(error, folder)
        raise StoreFailed(f"a working file cannot be written ({what}). {NOTHING_STORED}") from error
    except Exception as error:
        plain = misconfiguration(error, target.destination)
        if plain is not None:
            logger.debug("dlt says: %s", error)
            raise ConfigurationError(f"{plain}. Nothing was fetched") from None
        if not _is_of_a_database(error):
            raise
        _tell_of_lost_connection(error, place, NOTHING_STORED)
        raise StoreFailed(f"{place} cannot be used ({_reason(error, folder)}). {NOTHING_STORED}") from error


@contextmanager
def told_once_stored(place: str) -> Iterator[None]:
    """A block after rows were stored; what the database raises in it takes none of them away.

    Args:
        place: where they are.

    Raises:
        StoreFailed: for what the database raises.
    """
    try:
        yield
    except Exception as error:
        if not _is_of_a_database(error):
            raise
        _tell_of_lost_connection(error, place, STORED)
        raise StoreFailed(f"{place} cannot be read ({first_line(error)}). {STORED}") from error


def _tell_of_lost_connection(error: BaseException, place: str, stored: str) -> None:
    """Raise our own error alone where somebody has ended a connection: a driver's traceback tells no more."""
    lines = [found[0] for cause in causes(error) if (found := LOST.search(str(cause)))]
    if not lines:
        return
    logger.debug("the connection to %s was lost", place, exc_info=error)
    said = min(lines, key=lambda line: "terminating" not in line.lower())
    raise StoreFailed(f"the connection to {place} was lost ({said}). {stored}") from None


def _is_of_a_database(error: Exception) -> bool:
    """Whether dlt, a store of files or a driver says so, all of whose errors are of its `Error` (PEP 249)."""
    return isinstance(error, DestinationTransientException | DatabaseException) or any(
        (base.__name__ == "Error" and Exception in base.__bases__)
        or base.__module__.partition(".")[0] in STORES
        for base in type(error).__mro__
    )


def _reason(error: BaseException, folder: Path) -> str:
    """The first line of the first cause; of a failed connection, of the cause that names the server."""
    *later, first = causes(error)
    if isinstance(first, ConnectionError):
        first = next((each for each in reversed(later) if not isinstance(each, OSError)), first)
    return described(first, folder) if isinstance(first, OSError) else first_line(first)
