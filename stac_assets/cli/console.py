"""What all commands say alike: errors, log lines, the catalog and settings from flags, counts and sizes."""

import argparse
import logging
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from stac_assets.catalog import Catalog

LOGGER = "stac_assets"
INSTALL = (
    "pip install 'stac-assets[dashboard]' (in a clone: pip install --constraint constraints.txt "
    "--editable '.[dashboard]')"
)
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


def tell_error(message: str) -> None:
    """Say on stderr what went wrong."""
    print(f"error: {message}", file=sys.stderr)


def configure_logging(verbosity: int) -> None:
    """Let our logger speak on stderr: warnings, with 1 what is done, with 2 and more every detail."""
    logger = logging.getLogger(LOGGER)
    logger.setLevel(LEVELS[min(verbosity, len(LEVELS) - 1)])
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Stderr)]:
        logger.removeHandler(handler)
    handler = _Stderr()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what is stderr at that moment: a progress bar moves aside for what goes through it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def catalog_from(arguments: argparse.Namespace) -> "Catalog":
    """The catalog that a command is about, the flags of the command before all other settings."""
    from stac_assets.catalog import read_catalog
    from stac_assets.cli.flags import settings_given
    from stac_assets.settings.values import ALL_COLLECTIONS

    given = settings_given(arguments)
    if ALL_COLLECTIONS in (given.get("collections") or ()):
        given["collections"] = ALL_COLLECTIONS
    return read_catalog(arguments.catalog, **given)


def sized(size: float) -> str:
    """A number of bytes for people: `17.2 kB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def readable(name: str, is_ascii: bool = False) -> str:
    """A name in one line, whatever characters it has.

    Args:
        name: of anything that an API names.
        is_ascii: whether only ASCII can be written; question marks stand for what is not.
    """
    name = "".join(each if each.isprintable() else "?" for each in name)
    return name.encode("ascii", "replace").decode() if is_ascii else name
