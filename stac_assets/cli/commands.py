"""The commands of `stac-assets`, and their flags."""

import argparse
from functools import partial
from typing import Any

from stac_assets.cli.commands_on_tables import add_commands_on_tables
from stac_assets.cli.parsing import CommandParser, Version, add_catalog, command
from stac_assets.demo import DEFAULT_FOLDER
from stac_assets.stac.endpoints import ENDPOINTS


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `run` in its result is the command to call."""
    parser = argparse.ArgumentParser(
        prog="stac-assets",
        description="Mirror a STAC API into database tables, exactly. Settings come from .dlt/config.toml, "
        ".dlt/secrets.toml and the environment; what is given here comes before them.",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    _add_verbose(parser, default=0)
    parser_class: Any = partial(CommandParser, add_common=_add_verbose)
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=parser_class
    )
    _add_init(commands)
    _add_presets(commands)
    _add_load(commands)
    _add_check(commands)
    _add_backfill(commands)
    add_commands_on_tables(commands)
    _add_demo(commands)
    return parser


def _add_init(commands: Any) -> None:
    parser = commands.add_parser(
        "init",
        help="write the few files of a project of your own",
        description="Write the settings of a project and what Dagster needs, ask the API for its collections "
        "and days, and say what to do next. Nothing is overwritten.",
        add_flags=_init_flags,
    )
    parser.set_defaults(run=command("stac_assets.cli.init"))


def _init_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="of the project; it is made where it is not there")
    api = parser.add_mutually_exclusive_group()
    api.add_argument("--preset", metavar="NAME", help="public API; `stac-assets presets` lists them")
    api.add_argument("--base-url", metavar="URL", help="URL of an API's landing page (default: Earth Search)")
    parser.add_argument("--catalog", metavar="NAME", help="of the catalog, where a project has several")


def _add_presets(commands: Any) -> None:
    parser = commands.add_parser(
        "presets",
        help="list the public APIs of which something is known",
        description="List what is known of public APIs, for the setting `preset`.",
        add_flags=lambda parser: parser.add_argument(
            "name", nargs="?", help="print this one, with its sources"
        ),
    )
    parser.set_defaults(run=command("stac_assets.cli.presets"))


def _add_load(commands: Any) -> None:
    parser = commands.add_parser(
        "load",
        help="load from an API into the database, without Dagster",
        description="Make tables hold exactly what the API holds now, for some collections and days.",
        add_flags=_load_flags,
    )
    parser.set_defaults(run=command("stac_assets.cli.load"), usage_error=parser.error)


def _load_flags(parser: argparse.ArgumentParser) -> None:
    from stac_assets.cli.flags import add_setting

    parser.add_argument(
        "--resource",
        action="append",
        choices=ENDPOINTS,
        metavar="NAME",
        help=f"endpoint to load: {', '.join(ENDPOINTS)}; may be repeated (default: search)",
    )
    _add_selection(parser)
    add_setting(parser, "--granularity", "granularity")
    parser.add_argument(
        "--id",
        action="append",
        metavar="ITEM",
        help="item to refresh with --resource item; may be repeated (default: those that search holds)",
    )
    add_setting(parser, "--destination", "destination", "NAME")
    add_setting(parser, "--max-items", "max_items", "N")


def _add_check(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="ask the API what it has, before anything loads",
        description="Tell whether the token is accepted, which of the nine endpoints the API has, and how "
        "many items of about what size its collections hold. Exits with 1 if a load lacks something.",
        add_flags=_add_selection,
    )
    parser.set_defaults(run=command("stac_assets.cli.check"))


def _add_backfill(commands: Any) -> None:
    parser = commands.add_parser(
        "backfill-geometry",
        help="fill the column geom of rows that were stored without it",
        description="Derive the geometries that rows of an earlier version lack. The API is not asked.",
        add_flags=_backfill_flags,
    )
    parser.set_defaults(run=command("stac_assets.cli.backfill"))


def _backfill_flags(parser: argparse.ArgumentParser) -> None:
    from stac_assets.cli.flags import add_setting

    add_catalog(parser)
    add_setting(parser, "--destination", "destination", "NAME")


def _add_demo(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="serve a sample API and load it through Dagster",
        description="Serve a sample STAC API on 127.0.0.1 and materialize all nine assets from it, in a "
        "folder of its own.",
        add_flags=_demo_flags,
    )
    parser.set_defaults(run=command("stac_assets.demo.run", "main"))


def _demo_flags(parser: argparse.ArgumentParser) -> None:
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
    instead.add_argument("--serve", action="store_true", help="only serve it, for commands in the folder")


def _add_selection(parser: argparse.ArgumentParser) -> None:
    """Which part of which API."""
    from stac_assets.cli.flags import add_setting

    add_catalog(parser)
    add_setting(parser, "--base-url", "base_url", "URL")
    add_setting(parser, "--preset", "preset", "NAME")
    add_setting(parser, "--collection", "collections", "ID", is_list=True)
    add_setting(parser, "--start", "start_date", "DAY")
    add_setting(parser, "--end", "end_date", "DAY")


def _add_verbose(parser: argparse.ArgumentParser, default: Any = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "-v", "--verbose", action="count", default=default, help="tell what is done; -vv tells more"
    )
