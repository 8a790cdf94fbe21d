"""Which host a URL belongs to, and how a URL may be shown to people."""

from urllib.parse import urlsplit, urlunsplit

from stac_assets.stac.errors import ConfigurationError

DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]


def origin_of(url: str) -> Origin:
    """Scheme, host and port of a URL (RFC 6454), the port filled in where the scheme implies it."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(parts.scheme)


def shown(url: str) -> str:
    """The URL as it may stand in a log or an error: without user, password, query values and fragment.

    Query strings of `next` links and asset hrefs may be signed, so only their parameter names are kept.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    names = "&".join(f"{pair.partition('=')[0]}=…" for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, host, parts.path, names, ""))


def checked_base_url(url: str) -> str:
    """`url` without a trailing slash, if it can be the root of a STAC API.

    Raises:
        ConfigurationError: it is not an absolute http(s) URL, or holds a user, a query or a fragment.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ConfigurationError(
            f"base_url is {shown(url)!r}; expected the http(s) URL of a STAC API's landing page, "
            "such as https://earth-search.aws.element84.com/v1"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"base_url {shown(url)!r} holds a user, a query or a fragment; give the plain URL, "
            "and credentials as `api_key` or `headers`"
        )
    return url.strip().rstrip("/")
