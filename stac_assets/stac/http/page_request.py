"""A request for a page, which people can send again by a link or a command. No credential is in it."""

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class PageRequest:
    """What to send for a page. `params` are sent in the query, `body` as JSON."""

    method: str
    url: str
    params: dict[str, Any] | None = None
    body: dict[str, Any] | None = None
    headers: dict[str, str] | None = None

    @property
    def identity(self) -> str:
        """Equal for two requests that must have the same answer."""
        return json.dumps([self.method, self.url, self.params, self.body, self.headers or {}], sort_keys=True)


def link(request: PageRequest) -> str:
    """The URL of a GET request."""
    return f"{request.url}?{urlencode(request.params)}" if request.params else request.url


def curl(request: PageRequest) -> str:
    """The command that sends `request` with curl."""
    if request.method == "GET":
        return f"curl {shlex.quote(link(request))}"
    body = shlex.quote(json.dumps(request.body))
    return f"curl {shlex.quote(request.url)} \\\n  --json {body}"
