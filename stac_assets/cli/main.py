"""The command `stac-assets`: what neither Dagster's commands nor dlt's do already.

Only the standard library and names are imported here; each command imports what it needs when it is run, so
that help is there at once.
"""

import argparse
import importlib.metadata
import logging
import sys
from collections.abc import Sequence
from typing import Any

from stac_assets.cli.console import INSTALL, LOGGER, configure_logging, tell_error
from stac_assets.demo import DEFAULT_FOLDER
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import StacError
from stac_assets.stac.windows import Granularity, parse_day

INTERRUPTED = 130
"""What a shell returns for a command that Ctrl-C ended: 128 and the signal's number."""


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments, by default those of the process.

    Returns:
        0 if all went well, 1 after an error, 130 after Ctrl-C. Wrong usage exits with 2.
    """
    arguments = build_parser().parse_args(argv)
    configure_logging(arguments.verbose)
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


# Each imports its command only when it is run.


def _load(arguments: argparse.Namespace) -> int:
    from stac_assets.cli.load import run

    return run(arguments)


def _check(arguments: argparse.Namespace) -> int:
    from stac_assets.cli.check import run

    return run(arguments)


def _show(arguments: argparse.Namespace) -> int:
    from stac_assets.cli.show import run

    return run(arguments)


def _demo(arguments: argparse.Namespace) -> int:
    from stac_assets.demo.run import main as run

    return run(arguments)


# The command line.


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `run` in its result is the command to call."""
    parser = argparse.ArgumentParser(
        prog="stac-assets",
        description="Mirror a STAC API into database tables, exactly. Settings come from .dlt/config.toml, "
        ".dlt/secrets.toml and the environment; what is given here comes before them.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    _add_verbose(parser, default=0)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_load(commands)
    _add_check(commands)
    _add_show(commands)
    _add_demo(commands)
    return parser


def _add_load(commands: Any) -> None:
    parser = commands.add_parser(
        "load",
        help="load from an API into the database, without Dagster",
        description="Make tables hold exactly what the API holds now, for some collections and days.",
    )
    parser.add_argument(
        "--resource",
        action="append",
        choices=ENDPOINTS,
        metavar="NAME",
        help=f"endpoint to load: {', '.join(ENDPOINTS)}; may be repeated (default: search)",
    )
    _add_selection(parser)
    parser.add_argument(
        "--granularity",
        choices=[str(granularity) for granularity in Granularity],
        help="days that a partition spans; a --start inside a week, month or year begins that one",
    )
    parser.add_argument(
        "--id",
        action="append",
        metavar="ITEM",
        help="item to refresh with --resource item; may be repeated (default: those that search holds)",
    )
    parser.add_argument("--destination", metavar="NAME", help="dlt destination, such as duckdb or postgres")
    parser.add_argument("--max-items", type=int, metavar="N", help="load a sample of each partition only")
    _add_verbose(parser)
    parser.set_defaults(run=_load, usage_error=parser.error)


def _add_check(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="ask the API what it has, before anything loads",
        description="Tell whether the token is accepted, which of the nine endpoints the API has, and how "
        "many items of about what size its collections hold. Exits with 1 if a load lacks something.",
    )
    _add_selection(parser)
    _add_verbose(parser)
    parser.set_defaults(run=_check)


def _add_show(commands: Any) -> None:
    parser = commands.add_parser(
        "show",
        help="open dlt's dashboard on what was loaded",
        description=f"Open dlt's dashboard on 127.0.0.1. It needs: {INSTALL}",
    )
    parser.add_argument("--port", type=int, default=2718, metavar="N", help="default: 2718")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")
    _add_verbose(parser)
    parser.set_defaults(run=_show)


def _add_demo(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="serve a sample API and load it through Dagster",
        description="Serve a sample STAC API on 127.0.0.1 and materialize all nine assets from it, in a "
        "folder of its own.",
    )
    parser.add_argument(
        "--port", type=int, default=8427, metavar="N", help="of the sample API; default: 8427"
    )
    parser.add_argument(
        "--folder",
        default=DEFAULT_FOLDER,
        metavar="PATH",
        help=f"of everything that is written; default: {DEFAULT_FOLDER}",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--ui", action="store_true", help="run `dagster dev` on it instead of loading")
    instead.add_argument("--serve", action="store_true", help="only serve it, and print the settings for it")
    _add_verbose(parser)
    parser.set_defaults(run=_demo)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    """Which part of which API."""
    parser.add_argument("--base-url", metavar="URL", help="landing page of the API")
    parser.add_argument(
        "--collection",
        action="append",
        metavar="ID",
        help="collection, or '*' for all of the API's; may be repeated (default: the configured ones)",
    )
    parser.add_argument(
        "--start", type=_day, metavar="DAY", help="first UTC day, YYYY-MM-DD (default: the configured one)"
    )
    parser.add_argument(
        "--end",
        type=_day,
        metavar="DAY",
        help="last UTC day, included (default: the configured one, or today)",
    )


def _add_verbose(parser: argparse.ArgumentParser, default: Any = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "-v", "--verbose", action="count", default=default, help="tell what is done; -vv tells more"
    )


def _day(text: str) -> Any:
    try:
        return parse_day(text, "the day")
    except StacError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        try:
            version = importlib.metadata.version("stac-assets")
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"stac-assets {version}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
