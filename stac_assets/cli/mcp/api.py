"""The tool that asks the API."""

import argparse
from io import StringIO
from typing import Annotated, Any

from pydantic import Field
from rich.console import Console

from stac_assets.cli.check import report
from stac_assets.cli.mcp.choosing import catalog_called

WIDTH = 150
"""Characters of a line of the tables."""


def check(
    catalog: Annotated[
        str | None, Field(description="its name; it may be left out where there is one")
    ] = None,
    collections: Annotated[list[str] | None, Field(description="ids; by default those configured")] = None,
) -> dict[str, Any]:
    """Ask the API what it has, as `stac-assets check`: endpoints, collections, their days, counts and sizes.

    It makes requests to the API of the catalog, and stores nothing.
    """
    name = catalog_called(catalog).name
    asked = argparse.Namespace(
        catalog=name, base_url=None, preset=None, collections=collections, start_date=None, end_date=None
    )
    told, problems = StringIO(), list[str]()
    console = Console(file=told, width=WIDTH, highlight=False, force_terminal=False, color_system=None)
    status = report(asked, console, problems.append)
    return {"is_complete": status == 0, "problems": problems, "report": told.getvalue()}
