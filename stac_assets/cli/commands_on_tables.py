"""The commands of `stac-assets` that read what loads have stored, and their flags."""

import argparse
from typing import Any

from stac_assets.cli.console import INSTALL
from stac_assets.cli.parsing import add_catalog, command


def add_commands_on_tables(commands: Any) -> None:
    """Add them to the parsers of all commands."""
    for add in (_add_export, _add_changes, _add_explore, _add_show, _add_catalogs, _add_mcp):
        add(commands)


def _add_export(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        help="write items as stac-geoparquet, for geo tools and STAC servers",
        description="Write what the table `search` holds as stac-geoparquet 1.1: of each collection a file "
        "for each partition, or one file for all. The API is not asked.",
        add_flags=_export_flags,
    )
    parser.set_defaults(run=command("stac_assets.cli.export"), usage_error=parser.error)


def _export_flags(parser: argparse.ArgumentParser) -> None:
    from stac_assets.cli.flags import add_setting

    add_catalog(parser)
    add_setting(parser, "--collection", "collections", "ID", is_list=True)
    parser.add_argument("--start", metavar="DAY", help="first UTC day (default: all that the table holds)")
    parser.add_argument("--end", metavar="DAY", help="last UTC day, included (default: all that it holds)")
    parser.add_argument(
        "--to",
        metavar="PLACE",
        required=True,
        help="folder, bucket (s3://...), or FILE.parquet for one collection in one file",
    )
    add_setting(parser, "--granularity", "granularity")
    add_setting(parser, "--destination", "destination", "NAME")


def _add_changes(commands: Any) -> None:
    parser = commands.add_parser(
        "changes",
        help="print which items were added, changed and removed",
        description="Print what loads have found to be added, changed and removed, in the order of the "
        "loads: the rows of the table `item_changes`. The API is not asked.",
        add_flags=_changes_flags,
    )
    parser.set_defaults(run=command("stac_assets.cli.changes"))


def _changes_flags(parser: argparse.ArgumentParser) -> None:
    from stac_assets.cli.flags import add_setting

    add_catalog(parser)
    parser.add_argument(
        "--since", metavar="DATE", help="UTC day or time of the first load (default: all that is kept)"
    )
    parser.add_argument(
        "--collection",
        dest="of",
        metavar="ID",
        action="append",
        help="only what changed in this collection; may be repeated (default: in all)",
    )
    parser.add_argument("--format", choices=("table", "jsonl"), default="table", help="default: table")
    add_setting(parser, "--destination", "destination", "NAME")


def _add_explore(commands: Any) -> None:
    parser = commands.add_parser(
        "explore",
        help="open a notebook that shows what was loaded",
        description="Open a notebook of marimo on 127.0.0.1: items by day and month, footprints, "
        "properties, the newest items, the last changes. The API is not asked. It needs: "
        "pip install 'stac-assets[explore]'",
        add_flags=_explore_flags,
    )
    parser.set_defaults(run=command("stac_assets.cli.explore"))


def _explore_flags(parser: argparse.ArgumentParser) -> None:
    add_catalog(parser)
    parser.add_argument("--port", type=int, default=2719, metavar="N", help="default: 2719")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--to", metavar="FILE", help="write the notebook there, for changes of your own, and open nothing"
    )


def _add_show(commands: Any) -> None:
    parser = commands.add_parser(
        "show",
        help="open dlt's dashboard on what was loaded",
        description=f"Open dlt's dashboard on 127.0.0.1. It needs: {INSTALL}",
        add_flags=_show_flags,
    )
    parser.set_defaults(run=command("stac_assets.cli.show"))


def _show_flags(parser: argparse.ArgumentParser) -> None:
    add_catalog(parser)
    parser.add_argument("--port", type=int, default=2718, metavar="N", help="default: 2718")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")


def _add_catalogs(commands: Any) -> None:
    parser = commands.add_parser(
        "catalogs",
        help="list the catalogs that are configured",
        description="List the catalogs of this project: their names, APIs, and where their tables are. "
        "Nothing is asked of an API.",
        add_flags=lambda parser: None,
    )
    parser.set_defaults(run=command("stac_assets.cli.catalogs"))


def _add_mcp(commands: Any) -> None:
    parser = commands.add_parser(
        "mcp",
        help="let a code assistant read what was loaded, by the Model Context Protocol",
        description="Serve an MCP server over stdin and stdout, which reads this project's catalogs, tables, "
        "partitions and changes, and changes nothing. It needs: pip install 'stac-assets[mcp]'",
        add_flags=lambda parser: None,
    )
    parser.set_defaults(run=command("stac_assets.cli.mcp.command"))
