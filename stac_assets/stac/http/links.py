"""URLs: their origin, whether they are followed, and how they are shown without secrets."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from stac_assets.stac.errors import ConfigurationError, UntrustedLink

DEFAULT_PORTS = {"http": 80, "https": 443}

_ENDS_PATH = re.compile("[?&#]")

Origin = tuple[str, str, int | None]


def origin_of(url: str) -> Origin:
    """The scheme, host and port of a URL (RFC 6454); the port is that of the scheme where none is given."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(scheme)


def is_http(url: str) -> bool:
    """Whether `url` is an absolute http(s) URL with a host and a possible port.

    A backslash or a control character makes it none, because programs do not agree on the host of such a URL.
    """
    if "\\" in url or not url.isprintable():
        return False
    try:
        scheme, host, _ = origin_of(url)
    except ValueError:
        return False
    return scheme in DEFAULT_PORTS and bool(host)


def trusted_origins(base_url: str, others: Iterable[str] = ()) -> frozenset[Origin]:
    """The origins that may see the credentials of the API at `base_url`.

    Args:
        base_url: the URL of its landing page.
        others: further URLs, whose origins the user trusts.

    Raises:
        ConfigurationError: one of them is not an http(s) URL, or less safe than the base URL.
    """
    scheme, host, port = origin_of(base_url)
    found = {(scheme, host, port), *(_trusted_origin(url, base_url) for url in others)}
    if port == DEFAULT_PORTS["http"]:  # `http` was typed for `https`, which is the safer
        found.add(("https", host, DEFAULT_PORTS["https"]))
    return frozenset(found)


def _trusted_origin(url: str, base_url: str) -> Origin:
    if not is_http(url):
        raise ConfigurationError(
            f"trusted_origins holds {shown(url)!r}; expected origins such as https://data.example.com"
        )
    origin = origin_of(url)
    if origin[0] == "http" and origin_of(base_url)[0] == "https":
        raise ConfigurationError(
            f"trusted_origins holds {shown(url)!r}, but base_url is https: nothing goes from https to http"
        )
    return origin


def is_confidential(url: str) -> bool:
    """Whether nobody else can read what is sent to `url`, because it is https or on this machine."""
    scheme, host, _ = origin_of(url)
    try:
        return scheme == "https" or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def absolute(base: str, href: str) -> str:
    """The URL that `href` in a document at `base` leads to; `href` itself where it is not a URL."""
    try:
        return urljoin(base, href)
    except ValueError:
        return href


def followed(base: str, href: str) -> str:
    """The absolute http(s) URL that `href` in a document at `base` leads to.

    Raises:
        UntrustedLink: it leads nowhere, or to another scheme, such as `file:`.
    """
    url = absolute(base, href)
    if not is_http(url):
        where = f"the link {shown(url)} in {shown(base)}"
        raise UntrustedLink(f"{where} is no plain http(s) URL; it is not followed")
    return url


def asked_again(target: str, asked: str) -> str:
    """The URL of a redirect's target, with the query that was asked if the target has none of its own."""
    query = urlsplit(asked).query
    return (
        target if urlsplit(target).query or not query else f"{target.partition('#')[0].rstrip('?')}?{query}"
    )


def shown(url: str) -> str:
    """The URL for a log or an error, without user, password, fragment and the values of its query.

    Only the names of the query's parameters are kept, because the URL of a `next` link may be signed.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return repr(_after_user(url))
    if "@" in url and not (parts.netloc and _has_port(parts)):
        return _after_user(url)
    host = parts.netloc.rpartition("@")[2]
    names = "&".join(f"{pair.partition('=')[0]}=…" for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, host, parts.path, names, ""))


def _has_port(parts: SplitResult) -> bool:
    try:
        _ = parts.port
    except ValueError:
        return False
    return True


def _after_user(url: str) -> str:
    """What follows a user and a password in a text that is no URL, up to its query.

    A password may hold characters that end a host, so that what is one cannot be told.
    """
    return _ENDS_PATH.split(url.rpartition("@")[2])[0]


def checked_base_url(url: str) -> str:
    """`url` without a trailing slash, if it can be the root of a STAC API.

    Raises:
        ConfigurationError: `url` is not an absolute http(s) URL, or holds a user, a query or a fragment.
    """
    if not is_http(url.strip()):
        raise ConfigurationError(
            f"base_url is {shown(url)!r}; expected the http(s) URL of a STAC API's landing page, "
            "such as https://earth-search.aws.element84.com/v1"
        )
    parts = urlsplit(url.strip())
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"base_url {shown(url)!r} holds a user, a query or a fragment; give the plain URL, "
            "and credentials as `api_key`, `credentials` or `headers`"
        )
    return url.strip().rstrip("/")
