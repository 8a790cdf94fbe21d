"""An MCP client that has started `stac-assets mcp` in a project folder, as an assistant does."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from stac_assets_tests.conftest import REPOSITORY

PIPELINE = "pystac_client_pipeline"


class Assistant:
    """Calls tools, one after the other."""

    def __init__(self, portal: BlockingPortal, client: Client[Any]) -> None:
        self._portal = portal
        self._client = client

    def tools(self) -> dict[str, Any]:
        """What the server offers, by name."""
        return {tool.name: tool for tool in self._portal.call(self._client.list_tools)}

    def call(self, tool: str, **arguments: Any) -> Any:
        """The result of a call, which may be an error."""
        return self._portal.call(lambda: self._client.call_tool(tool, arguments, raise_on_error=False))

    def told(self, tool: str, **arguments: Any) -> Any:
        """What a call that succeeds gives."""
        result = self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        return result.data if isinstance(result.data, str | dict | list) else result.structured_content

    def refused(self, tool: str, **arguments: Any) -> str:
        """What the error of a call says."""
        result = self.call(tool, **arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    def rows(self, sql: str, pipeline: str = PIPELINE, **arguments: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        found = self.told("execute_sql_query", output_format="jsonl", **asked(sql, pipeline), **arguments)
        return [json.loads(line) for line in found.splitlines()]


def asked(sql: str, pipeline: str = PIPELINE) -> dict[str, Any]:
    """The arguments of a query."""
    return {"pipeline_name": pipeline, "sql_select_query": sql}


def text_of(result: Any) -> str:
    """All that a result says."""
    return "\n".join(getattr(part, "text", "") for part in result.content)


@contextmanager
def assistant(project: Path, *flags: str, **environment: str) -> Iterator[Assistant]:
    """A client whose server runs in a project folder, with the settings of this process's environment."""
    transport = StdioTransport(
        sys.executable,
        ["-m", "stac_assets.cli.main", "mcp", *flags],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        cwd=str(project),
        keep_alive=False,
        log_file=project.parent / "mcp.stderr",
    )
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(transport, timeout=120)) as client,
    ):
        yield Assistant(portal, client)
