"""Proxies that the environment names and nobody could use, told before a request fails at them."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import urlsplit

from requests.utils import prepend_scheme_if_needed, select_proxy
from urllib3.exceptions import LocationParseError

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.links import is_http, shown

SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
"""The schemes of SOCKS that urllib3 knows; with the last of each version the proxy looks names up."""


def check_proxy(url: str, proxies: Mapping[str, str]) -> None:
    """Check that the proxy through which `url` is asked for is one, and that its package is there.

    Raises:
        ConfigurationError: it cannot be used; the message names the variable, and shows no password.
    """
    proxy = select_proxy(url, dict(proxies))
    if not proxy:
        return
    told = f"{_variable(proxy)} names {shown(proxy)!r} as the proxy for {shown(url)}"
    try:
        whole = prepend_scheme_if_needed(proxy, "http")
    except LocationParseError:
        whole = ""
    scheme = urlsplit(whole).scheme.lower()
    if scheme.startswith("socks"):
        if scheme not in SOCKS:
            raise ConfigurationError(f"{told}; write its version, as in socks5://… or socks5h://…")
        if find_spec("socks") is None:
            raise ConfigurationError(
                f"{told}, and SOCKS needs a package that is not installed: pip install 'requests[socks]'. Or "
                "name a proxy that speaks HTTP in HTTPS_PROXY, or hosts that need none in NO_PROXY"
            )
    elif not is_http(whole):
        raise ConfigurationError(f"{told}; expected a URL such as http://proxy.example:3128")


def _variable(proxy: str) -> str:
    """The environment variable that names a proxy."""
    names = [name for name, value in os.environ.items() if name.lower().endswith("_proxy") and value == proxy]
    return f"the environment variable {names[0]}" if names else "the system's configuration"
