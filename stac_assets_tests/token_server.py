"""An OAuth2 token endpoint on 127.0.0.1 that issues one token after another."""

import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from stac_assets_tests.stac_api_faults import FaultyServer, Reply, Request


class TokenServer(FaultyServer):
    """Grants every request a token of `lifetime` seconds: one of `tokens`, or `token-1`, `token-2`, …"""

    prefix = "/oauth"

    def __init__(self, lifetime: Any = 600, tokens: Iterable[str] = ()) -> None:
        super().__init__()
        self.lifetime = lifetime
        self._tokens: Iterator[str] = iter(tokens or (f"token-{number}" for number in count(1)))

    def answer(self, request: Request) -> Reply:
        granted = {"access_token": next(self._tokens), "token_type": "Bearer", "expires_in": self.lifetime}
        return Reply(200, json.dumps(granted).encode(), {"Content-Type": "application/json"})
