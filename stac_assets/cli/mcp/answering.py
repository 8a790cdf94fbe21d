"""What is done around each tool: one at a time, with the settings as they are now, and without a secret."""

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any

from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.exceptions import DltException
from fastmcp.exceptions import ToolError

from stac_assets.cli.console import LOGGER
from stac_assets.cli.mcp.secrets import secrets
from stac_assets.stac.errors import StacError
from stac_assets.stac.http.redaction import HIDDEN, SHORTEST, hidden

_one_at_a_time = threading.Lock()
MOST = 80_000
"""Characters of a text at most: those of the cells of an answer, and what a table has around them."""
CUT = "…"
"""What stands behind a value that was shortened."""


def answered(tool: Callable[..., Any]) -> Callable[..., Any]:
    """A tool that reads the settings anew, and tells errors in a line.

    Secrets are hidden in what it answers. There should be none: no tool reads a file of secrets, and SQL
    reaches none. This is for an API that repeats a token, or a URL in somebody's table.

    Args:
        tool: returns what JSON can hold.
    """

    @functools.wraps(tool)
    def call(*arguments: Any, **named: Any) -> Any:
        with _one_at_a_time:
            context = Container()[PluggableRunContext]
            context.reload(context.context.run_dir)
            known = secrets()
            try:
                return _without(tool(*arguments, **named), known)
            except (StacError, DltException) as error:
                told = _cut(hidden(str(error), known))
            except Exception as error:
                logging.getLogger(LOGGER).info("%s failed", tool.__name__, exc_info=error)
                told = (
                    f"{type(error).__name__}: this is not foreseen; `stac-assets mcp -v` tells more on stderr"
                )
            raise ToolError(told)  # here, so that it has no context, which would be told as well

    return call


def _without(answer: Any, known: list[str]) -> Any:
    match answer:
        case str():
            return _cut(_without_beginnings(hidden(answer, known), known))
        case dict():
            return {hidden(str(name), known): _without(value, known) for name, value in answer.items()}
        case list():
            return [_without(value, known) for value in answer]
        case _:
            return answer


def _without_beginnings(text: str, known: list[str]) -> str:
    """`text` without what is left of a secret whose end was cut off with that of its value."""
    for secret in known:
        for length in range(len(secret) - 1, SHORTEST - 1, -1):
            text = text.replace(secret[:length] + CUT, HIDDEN + CUT)
    return text


def _cut(text: str) -> str:
    return (
        text if len(text) <= MOST else f"{text[:MOST]}{CUT} (the first {MOST:,} of {len(text):,} characters)"
    )
