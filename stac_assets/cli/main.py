"""The command `stac-assets`: what neither Dagster's commands nor dlt's do already.

Nothing is imported here that a command needs: each imports that when it is run, so that help is fast.
"""

import argparse
import logging
import sys

from stac_assets.cli.commands import build_parser
from stac_assets.cli.console import LOGGER, configure_logging, tell_error
from stac_assets.cli.output import lasting_output
from stac_assets.stac.errors import StacError

INTERRUPTED = 130
"""What a shell returns for a command that Ctrl-C ended: 128 and the signal's number."""


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments, by default those of the process.

    Returns:
        0 if all went well, 1 after an error, 130 after Ctrl-C. Wrong usage exits with 2.
    """
    with lasting_output():
        arguments = build_parser().parse_args(argv)
        configure_logging(arguments.verbose)
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt as interrupt:
        tell_error(str(interrupt) or "interrupted")
        return INTERRUPTED
    except Exception as error:
        if not _is_told_in_a_line(error):
            raise
        tell_error(str(error))
        logging.getLogger(LOGGER).info("where it happened", exc_info=error)
        return 1


def _is_told_in_a_line(error: Exception) -> bool:
    """Our own errors, and dlt's (a destination it does not know, a missing credential), say what to do."""
    if isinstance(error, StacError):
        return True
    from dlt.common.exceptions import DltException

    return isinstance(error, DltException)


if __name__ == "__main__":
    sys.exit(main())
