"""Who may see a credential: only the origin of the base URL, and the origins the user trusts."""

import logging
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.options import ApiOptions
from stac_assets.stac.origins import origin_of, shown

PLACEHOLDER = "your_api_key_here"
logger = logging.getLogger("stac_assets")


class Credentials(AuthBase):
    """Signs a request with the bearer token and the user's headers if its origin is trusted.

    Being an `auth` of its own it also keeps `requests` from reading a password out of `~/.netrc`.
    """

    def __init__(self, options: ApiOptions) -> None:
        self._token = options.api_key
        if self._token == PLACEHOLDER:
            logger.warning(
                "api_key is the placeholder %r and is not sent; remove it from .dlt/secrets.toml "
                "or put a real token there",
                PLACEHOLDER,
            )
            self._token = None
        self._headers = dict(options.headers)
        self._trusted = {origin_of(options.base_url), *map(_trusted_origin, options.trusted_origins)}

    def trusts(self, url: str) -> bool:
        """Whether `url` may be followed with our credentials."""
        return origin_of(url) in self._trusted

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if request.url and self.trusts(request.url):
            request.headers.update(self._headers)
            if self._token:
                request.headers.setdefault("Authorization", f"Bearer {self._token}")
        return request

    def hide(self, text: str) -> str:
        """`text` without any secret that it may echo."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> Iterable[str]:
        values = [self._token, *self._headers.values()]
        return sorted({v for v in values if v and len(v) > 3}, key=len, reverse=True)


def _trusted_origin(url: str) -> tuple[str, str, int | None]:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigurationError(
            f"trusted_origins holds {shown(url)!r}; expected origins such as https://data.example.com"
        )
    return origin_of(url)


def followed(base: str, href: str) -> str:
    """The absolute http(s) URL that `href`, seen in a document at `base`, leads to.

    Raises:
        ConfigurationError: the link leads to another scheme, such as `file:`.
    """
    url = urljoin(base, href)
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigurationError(f"the link {shown(url)} in {shown(base)} is not http(s); it is not followed")
    return url
