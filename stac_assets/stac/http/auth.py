"""Credentials, which only the origin of the base URL and the trusted origins may see."""

import logging
from base64 import b64encode
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase

from stac_assets.stac.http.identity import PLACEHOLDER
from stac_assets.stac.http.links import is_http, origin_of, trusted_origins
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.http.redaction import hidden

BEARER = "Bearer "
logger = logging.getLogger("stac_assets")


class Tokens(Protocol):
    """A source of bearer tokens that expire; see `ClientTokens`."""

    def current(self) -> str: ...

    def discard(self, token: str) -> bool: ...

    @property
    def secrets(self) -> list[str]: ...


class Credentials(AuthBase):
    """Signs a request if its origin is trusted, with an API key, a user and a password, a token or headers.

    As the `auth` of a request it also keeps `requests` from reading a password out of `~/.netrc`.

    Args:
        options: the credentials and the trusted origins.
        tokens: issues bearer tokens, for an OAuth2 client.

    Raises:
        ConfigurationError: a trusted origin is not an http(s) URL, or less safe than the base URL.
    """

    def __init__(self, options: ApiOptions, tokens: Tokens | None = None) -> None:
        identity = options.credentials
        key = options.api_key
        if key == PLACEHOLDER:
            logger.warning(
                "api_key is the placeholder %r and is not sent; remove it, or set a real token as %s",
                PLACEHOLDER,
                options.where("api_key"),
            )
            key = None
        self._headers = dict(options.headers)
        self._parameter: tuple[str, str] | None = None
        self._authorization: str | None = None
        self._tokens = tokens
        self._secrets = [key or "", *self._headers.values()]
        if key and identity.api_key_header:
            self._headers[identity.api_key_header] = key
        elif key and identity.api_key_parameter:
            self._parameter = identity.api_key_parameter, key
        elif key:
            self._authorization = BEARER + key
        if identity.username is not None:
            pair = b64encode(f"{identity.username}:{identity.password}".encode()).decode()
            self._authorization = f"Basic {pair}"
            self._secrets += [identity.username, identity.password, pair]
        self._trusted = trusted_origins(options.base_url, options.trusted_origins)

    def trusts(self, url: str) -> bool:
        """Whether a request to `url` is signed, and a link to it followed."""
        return is_http(url) and origin_of(url) in self._trusted

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if request.url and self.trusts(request.url):
            self._sign(request)
        elif request.url:  # a redirect may have copied a query with the API key
            request.url = _without(request.url, lambda _, value: self.hide(value) != value)
        return request

    def _sign(self, request: requests.PreparedRequest) -> None:
        request.headers.update(self._headers)
        if self._parameter is not None:
            name, key = self._parameter
            unsigned = self.unsigned(str(request.url))
            joint = "&" if urlsplit(unsigned).query else "?"
            request.url = f"{unsigned}{joint}{quote(name, safe='')}={quote(key, safe='')}"
        if "Authorization" not in request.headers:
            if self._tokens is not None:
                request.headers["Authorization"] = BEARER + self._tokens.current()
            elif self._authorization is not None:
                request.headers["Authorization"] = self._authorization

    def unsigned(self, url: str) -> str:
        """`url` without the parameter that carries the API key."""
        if self._parameter is None:
            return url
        mine, _ = self._parameter
        return _without(url, lambda name, _: name == mine)

    def outdated(self, request: requests.PreparedRequest) -> bool:
        """Whether a request that was refused carried a token that has a successor now."""
        authorization = str(request.headers.get("Authorization", ""))
        token = authorization.removeprefix(BEARER)
        return self._tokens is not None and token != authorization and self._tokens.discard(token)

    def hide(self, text: str) -> str:
        """`text` without the secrets that it may echo."""
        return hidden(text, self._secrets + (self._tokens.secrets if self._tokens else []))


def _without(url: str, is_dropped: Callable[[str, str], bool]) -> str:
    """`url` without its fragment, and without those parts of its query that `is_dropped`."""
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if not is_dropped(*_name_and_value(pair))]
    return urlunsplit((*parts[:3], "&".join(pairs), ""))


def _name_and_value(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return unquote_plus(name), unquote_plus(value)
