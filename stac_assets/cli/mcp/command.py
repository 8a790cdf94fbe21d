"""`stac-assets mcp`: the server, over stdin and stdout, until the client closes them."""

import argparse
import os

from stac_assets.stac.errors import StacError

INSTALL = "pip install 'stac-assets[mcp]'"
LEVELS = ("ERROR", "INFO")
"""Of fastmcp's own log. With more it would write what each call was given."""


class ServerUnavailable(StacError):
    """The server cannot be started; the message says what to install."""


def run(arguments: argparse.Namespace) -> int:
    """Serve. Nothing is told to anybody but the client, whatever dlt's configuration says of telemetry."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["FASTMCP_CHECK_FOR_UPDATES"] = "off"
    try:
        import fastmcp  # noqa: F401
    except ImportError as error:
        raise ServerUnavailable(f"the MCP server needs fastmcp ({error}); install it: {INSTALL}") from None
    from stac_assets.cli.mcp.server import StacMcp

    level = LEVELS[min(arguments.verbose, len(LEVELS) - 1)]
    StacMcp().run(transport="stdio", show_banner=False, log_level=level)
    return 0
