"""A request for a page, which holds no credential, and which people can send again by a link or a command."""

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class PageRequest:
    """A request for a page.

    Args:
        method: `GET` or `POST`.
        url: the URL, which may have a query.
        params: further parameters of the query.
        body: what is sent as JSON.
        headers: further headers, such as those of a `next` link.
    """

    method: str
    url: str
    params: dict[str, Any] | None = None
    body: dict[str, Any] | None = None
    headers: dict[str, str] | None = None

    @property
    def identity(self) -> str:
        """A text that is the same for requests that must have the same answer."""
        return json.dumps([self.method, self.url, self.params, self.body, self.headers or {}], sort_keys=True)


def link(request: PageRequest) -> str:
    """The URL of a GET request."""
    joint = "&" if "?" in request.url else "?"
    return f"{request.url}{joint}{urlencode(request.params)}" if request.params else request.url


def curl(request: PageRequest) -> str:
    """The command that sends `request` with curl."""
    if request.method == "GET":
        return f"curl {shlex.quote(link(request))}"
    body = shlex.quote(json.dumps(request.body))
    return f"curl {shlex.quote(request.url)} \\\n  --json {body}"
