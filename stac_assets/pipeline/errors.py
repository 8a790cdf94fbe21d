"""The errors that storing raises, and helpers that read the errors of others."""

from collections.abc import Iterator
from pathlib import Path

from stac_assets.stac.errors import StacError


class StoreFailed(StacError):
    """The destination, or the disk on the way to it, failed."""


def described(error: OSError, folder: Path) -> str:
    """The reason of an error of the file system, with the file, or else the folder, that it is about."""
    return f"{Path(error.filename or folder).absolute()}: {error.strerror or error}"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and its causes, one after another."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
