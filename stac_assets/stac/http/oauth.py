"""Tokens that an OAuth2 client gets for itself (RFC 6749, 4.4) and uses until shortly before they expire."""

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
from stac_assets.stac.http.exchange import Exchange, TransientFailure
from stac_assets.stac.http.identity import Identity, OAuthClient, fits_header
from stac_assets.stac.http.links import shown
from stac_assets.stac.http.options import ApiOptions, Where, by_name
from stac_assets.stac.http.redaction import hidden

MARGIN = 60.0
"""The last seconds of a token, in which it is not used any more; at most a tenth of its life."""
KEPT = 8
"""The number of tokens that are remembered, to hide them where the API echoes them."""
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}

Ask = Callable[[requests.Request], Answer]


class ClientTokens:
    """The current token of a client, which threads share.

    Args:
        client: the client.
        ask: sends a request without credentials.
        clock: the time in seconds.
        where: says where an option is set, for an error message.
    """

    def __init__(
        self,
        client: OAuthClient,
        ask: Ask,
        clock: Callable[[], float] = time.monotonic,
        where: Where = by_name,
    ) -> None:
        self._client = client
        self._ask = ask
        self._where = where
        self._clock = clock
        self._token: str | None = None
        self._end = 0.0
        self._lock = threading.Lock()
        self._issued: tuple[str, ...] = ()

    def current(self) -> str:
        """A token that will not expire soon, by what was said when it was issued.

        Raises:
            AuthenticationError: no token is issued.
            TransientFailure: no token was issued this time.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._end:
                self._token, lifetime = self._issue()
                self._end = self._clock() + lifetime - min(MARGIN, lifetime / 10)
                self._issued = (*self._issued, self._token)[-KEPT:]
            return self._token

    def discard(self, token: str) -> bool:
        """Do not use `token` any more, because the API refused it. Whether it was issued to this client."""
        with self._lock:
            if token == self._token:
                self._token = None
            return token in self._issued

    @property
    def secrets(self) -> list[str]:
        """The texts that must not be shown."""
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
        except TransientFailure as passing:
            error = AuthenticationError(f"{where}: {passing.error}")
            raise TransientFailure(error, passing.retry_after, passing.unproven, passing.throttled) from None
        if answer.status != 200:
            said = replace(answer, hide=lambda text: hidden(text, self.secrets)).beginning()
            error = AuthenticationError(
                f"{where}, which answered {answer.status}: {said}. Check token_url, client_id and "
                f"client_secret under {self._where('credentials')}"
            )
            raise TransientFailure(error, answer.retry_after) if answer.status in TRANSIENT else error
        return _granted(answer.body, where)


def client_tokens(options: ApiOptions, cancelled: threading.Event) -> ClientTokens | None:
    """The tokens of the OAuth2 client in `options`; None where there is no client.

    They are asked for with the time-outs and limits of all requests, but without credentials: nothing that is
    meant for the API goes to the token URL.
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
    return ClientTokens(client, Exchange(nobody, Credentials(nobody), cancelled), where=options.where)


def _granted(body: bytes, where: str) -> tuple[str, float]:
    """The token in an answer, and its life in seconds. The answer is not shown, because it holds a secret."""
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
