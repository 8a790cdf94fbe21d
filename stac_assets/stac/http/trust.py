"""Which authorities may vouch for a server: those of a file that the environment names, or of the system.

A company that looks into TLS has an authority of its own. It is in the trust store of every machine there,
and in no list that a Python package brings along.
"""

import os
import ssl
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import certifi
import truststore
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from stac_assets.stac.errors import ConfigurationError

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""The variables that name a file or folder with certificates; the first one that is set counts."""
OWN_STORES = {"win32", "darwin"}
"""The systems that keep their store themselves, and not in files."""
ISSUER_FAULTS = {2, 18, 19, 20, 21, 27}
"""OpenSSL's codes for a certificate of an authority that is not known, or not trusted."""


class TrustingAdapter(HTTPAdapter):
    """Connections to servers for which somebody vouches whom the environment or the system trusts.

    A thread has an adapter of its own, and that a context of its own, because the system's contexts shake
    hands one after the other. It is made for the first https URL, and serves all connections.
    """

    @cached_property
    def context(self) -> ssl.SSLContext:
        """That of `trusting_context`."""
        return trusting_context()

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self.context} if host["scheme"] == "https" else pool

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        if proxy.lower().startswith("https:"):
            proxy_kwargs.setdefault("proxy_ssl_context", self.context)
        return super().proxy_manager_for(proxy, **proxy_kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the authorities to the context; that of `requests` would add a list that it brings along."""


def trusting_context() -> ssl.SSLContext:
    """A context that trusts whom the environment names, or else whom the system trusts.

    Raises:
        ConfigurationError: a variable names what is no file or folder of certificates.
    """
    variable = named_bundle()
    if variable is None:
        return _of_the_system()
    path = os.environ[variable]
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    try:
        context.load_verify_locations(**{"capath" if Path(path).is_dir() else "cafile": path})
    except (OSError, ValueError) as error:  # `ssl.SSLError` is an OSError
        cause = "is not there" if not Path(path).exists() else f"holds no certificate in PEM ({error})"
    else:
        return context
    raise ConfigurationError(
        f"the environment variable {variable} names {path}, which {cause}; name the PEM file of the "
        "certificate authorities, or remove the variable, so that the system's own trust store counts"
    )


def named_bundle() -> str | None:
    """The variable that says whom to trust; None where none does."""
    return next((name for name in BUNDLES if os.environ.get(name)), None)


def refused_certificate(error: BaseException) -> str | None:
    """Why a certificate is refused, and what to do; None for an error of another cause."""
    refusal = _refusal_within(error)
    if refusal is None:
        return None
    told = refusal.verify_message.rstrip(".")
    if refusal.verify_code not in ISSUER_FAULTS:
        return f"{told}. Whoever runs the server can mend it, unless the clock of this machine is wrong"
    variable = named_bundle()
    trusted = f"those that {variable}={os.environ[variable]} names" if variable else "those of the system"
    return (
        f"{told}. Only authorities are trusted that are known, which are {trusted}. If a company's proxy or "
        "server has an authority of its own, name a PEM file with it in REQUESTS_CA_BUNDLE, or add it to the "
        "system's trust store"
    )


def _refusal_within(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refusal that an error of `requests` was made from."""
    seen: list[BaseException] = [error]
    for each in seen:
        if isinstance(each, ssl.SSLCertVerificationError):
            return each
        others = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        seen += [other for other in others if isinstance(other, BaseException) and other not in seen]
    return None


def _of_the_system() -> ssl.SSLContext:
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.platform in OWN_STORES:
        return context
    # elsewhere the store is files, which it would read for each connection; within is what has read them
    within = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost").context
    folder = ssl.get_default_verify_paths().capath  # read when it is needed
    if not within.cert_store_stats()["x509_ca"] and not (folder and any(Path(folder).iterdir())):
        within.load_verify_locations(certifi.where())  # a small container has no store
    return within
