"""Tokens that an OAuth2 client gets for itself (RFC 6749, 4.4), each used until shortly before it expires."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import requests

from stac_assets.stac.errors import AuthenticationError
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.auth import Credentials
from stac_assets.stac.http.exchange import Exchange, Passing
from stac_assets.stac.http.identity import Identity, OAuthClient, fits_header
from stac_assets.stac.http.links import shown
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.http.redaction import hidden

MARGIN = 60.0
"""Seconds before its end in which a token is not used any more; of a short-lived one a tenth of its life."""
KEPT = 8
"""So many tokens are remembered, to recognize them in what the API says."""
PASSING = {408, 425, 429, 500, 502, 503, 504}

Ask = Callable[[requests.Request], Answer]


class ClientTokens:
    """The current token of a client, for all threads.

    Args:
        client: who asks.
        ask: sends a request, without any credential of its own.
        clock: seconds.
    """

    def __init__(self, client: OAuthClient, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ask = ask
        self._clock = clock
        self._token: str | None = None
        self._end = 0.0
        self._lock = threading.Lock()
        self._issued: tuple[str, ...] = ()

    def current(self) -> str:
        """A token that is valid for a while, as far as we were told.

        Raises:
            AuthenticationError: none is to be had.
            Passing: none was to be had this time.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._end:
                self._token, lifetime = self._issue()
                self._end = self._clock() + lifetime - min(MARGIN, lifetime / 10)
                self._issued = (*self._issued, self._token)[-KEPT:]
            return self._token

    def discard(self, token: str) -> bool:
        """Use `token` no more, which the API refused; whether it was one of ours."""
        with self._lock:
            if token == self._token:
                self._token = None
            return token in self._issued

    @property
    def secrets(self) -> list[str]:
        """What must not be shown."""
        return [self._client.client_secret, *self._issued]

    def _issue(self) -> tuple[str, float]:
        client = self._client
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "scope": client.scope,
            "audience": client.audience,
        }
        data = {name: value for name, value in form.items() if value}
        where = f"no token from {shown(client.token_url)}"
        try:
            answer = self._ask(requests.Request("POST", client.token_url, data=data))
        except Passing as passing:
            error = AuthenticationError(f"{where}: {passing.error}")
            raise Passing(error, passing.retry_after, passing.unproven, passing.throttled) from None
        if answer.status != 200:
            said = replace(answer, hide=lambda text: hidden(text, self.secrets)).beginning()
            error = AuthenticationError(
                f"{where}, which answered {answer.status}: {said}. Check token_url, client_id and "
                "client_secret under [sources.pystac_client_source.credentials]"
            )
            raise Passing(error, answer.retry_after) if answer.status in PASSING else error
        return _granted(answer.body, where)


def client_tokens(options: ApiOptions, cancelled: threading.Event) -> ClientTokens | None:
    """The tokens of the client in `options`; None where there is none.

    They are asked for with time-outs and limits as everything else is, but as nobody: nothing that is meant
    for the API goes to the token URL.
    """
    client = options.credentials.oauth
    if client is None:
        return None
    nobody = replace(
        options,
        base_url=client.token_url,
        api_key=None,
        headers={},
        credentials=Identity(),
        trusted_origins=(),
        request_modifier=None,
    )
    return ClientTokens(client, Exchange(nobody, Credentials(nobody), cancelled))


def _granted(body: bytes, where: str) -> tuple[str, float]:
    """Token and seconds of its life in an answer, which is not shown: it holds a secret."""
    try:
        grant: Any = msgspec.json.decode(body)
        token = grant["access_token"]
        lifetime = float(grant.get("expires_in") or "inf")
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError, ValueError, AttributeError):
        token, lifetime = None, 0.0
    if not isinstance(token, str) or not token or not fits_header(token) or not lifetime > 0:
        raise AuthenticationError(
            f"{where}: its answer is no JSON with `access_token` and `expires_in` (it is not shown)"
        )
    return token, lifetime
