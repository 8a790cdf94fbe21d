"""What storing raises, and what errors of others are about."""

from collections.abc import Iterator
from pathlib import Path

from stac_assets.stac.errors import StacError


class StoreFailed(StacError):
    """The destination, or the disk on the way to it, failed."""


def described(error: OSError, folder: Path) -> str:
    """What failed, and with which file; where the error does not know, in which folder."""
    return f"{Path(error.filename or folder).absolute()}: {error.strerror or error}"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it came from, one after another."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
