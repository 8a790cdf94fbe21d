"""A request as people can send it again: a link, and a command. No credential is in it."""

import json
import shlex
from urllib.parse import urlencode

from stac_assets.stac.paging import PageRequest


def link(request: PageRequest) -> str:
    """The URL of a GET request."""
    return f"{request.url}?{urlencode(request.params)}" if request.params else request.url


def curl(request: PageRequest) -> str:
    """The command that sends `request` with curl."""
    if request.method == "GET":
        return f"curl {shlex.quote(link(request))}"
    body = shlex.quote(json.dumps(request.body))
    return f"curl {shlex.quote(request.url)} \\\n  --json {body}"
