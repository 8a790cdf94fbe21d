"""dlt's MCP server, with no tool but those that are named here."""

import importlib.metadata
from typing import ClassVar

from dlt._workspace.mcp.server import DltMCP
from fastmcp.tools import Tool
from mcp_types import ToolAnnotations

from stac_assets.cli.mcp.answering import answered
from stac_assets.cli.mcp.api import check
from stac_assets.cli.mcp.catalogs import list_catalogs, list_changes, list_partitions
from stac_assets.cli.mcp.pipelines import (
    execute_sql_query,
    get_row_counts,
    get_table_create_sql,
    get_table_schema,
    list_pipelines,
    list_tables,
    preview_table,
)

INSTRUCTIONS = """\
This server reads what stac-assets has mirrored of STAC APIs into a database; it changes nothing.
Begin with list_catalogs. Items are the rows of the table `search`: a typed column for each scalar property
(eo:cloud_cover is eo_cloud_cover), JSON for the rest (assets->'red'->>'href'). Where several catalogs share a
DuckDB file or a PostgreSQL database, the view stac.items has the items of all. Times are UTC. Answers are
cut: choose columns, aggregate, and narrow by collection and time. To load, run `stac-assets load`.
"""


class StacMcp(DltMCP):
    """The server of the project in the current folder.

    dlt's own tools attach to a pipeline by its name, whoever's it is, and open the database to write. So
    those that read have the same names here, and are ours; the others do not exist.
    """

    TOOLS: ClassVar = (
        list_pipelines,
        list_tables,
        get_table_schema,
        get_table_create_sql,
        preview_table,
        execute_sql_query,
        get_row_counts,
        list_catalogs,
        check,
        list_partitions,
        list_changes,
    )
    """All that can be called; no plugin of dlt's adds one."""

    def __init__(self) -> None:
        super().__init__("stac-assets", features=set())
        self.instructions = INSTRUCTIONS
        self._mask_error_details = True
        self._mcp_server.version = importlib.metadata.version("stac-assets")

    def _register_features(self) -> None:
        for function in self.TOOLS:
            reading = ToolAnnotations(read_only_hint=True, open_world_hint=function is check)
            self.add_tool(Tool.from_function(answered(function), annotations=reading))
