"""A server whose certificate an authority of a company's own vouches for."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import requests
import trustme

from stac_assets.stac.errors import AuthenticationError, ConfigurationError, Unreachable
from stac_assets.stac.http.trust import BUNDLES
from stac_assets_tests.asking import client, searched, some_items
from stac_assets_tests.commanding import environment, run_in
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.test_identity import oauth
from stac_assets_tests.token_server import TokenServer

NOW = datetime.now(UTC)


@dataclass
class Company:
    """An authority that nobody else knows.

    Args:
        authority: signs certificates.
        bundle: its own certificate as a PEM file.
        folder: the same as OpenSSL finds it in a folder.
    """

    authority: trustme.CA
    bundle: Path
    folder: Path

    def serves(self, *hosts: str, ended: timedelta = timedelta(days=-1)) -> ssl.SSLContext:
        """What a server of theirs shakes hands with, which ended so long ago."""
        context, end = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), NOW - ended
        names = hosts or ("127.0.0.1",)
        issued = self.authority.issue_cert(*names, not_before=end - timedelta(days=9), not_after=end)
        issued.configure_cert(context)
        return context


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    bundle = tmp_path_factory.mktemp("company") / "authority.pem"
    authority = trustme.CA(organization_name="A company")
    authority.cert_pem.write_to_path(str(bundle))
    folder = tmp_path_factory.mktemp("certs")
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(bundle)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (folder / f"{name}.0").write_bytes(bundle.read_bytes())
    return Company(authority, bundle, folder)


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*BUNDLES, "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def api(company: Company) -> Iterator[StacApi]:
    """The API of a company."""
    served = StacApi()
    served.tls = company.serves()
    with served:
        for item in some_items(3):
            served.put(item)
        yield served


def ask(api: StacApi, **options: object) -> list[str]:
    return searched(client(api, **{"max_retries": 0, **options}))


@pytest.mark.parametrize("variable", BUNDLES)
@pytest.mark.parametrize("place", ["bundle", "folder"])
def test_each_variable_names_whom_to_trust(
    api: StacApi, company: Company, monkeypatch: pytest.MonkeyPatch, variable: str, place: str
) -> None:
    monkeypatch.setenv(variable, str(getattr(company, place)))
    assert len(ask(api)) == 3


def test_the_first_variable_that_is_set_counts(
    api: StacApi, company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv(BUNDLES[0], "")  # as good as not set
    for first, second in pairwise(BUNDLES):
        monkeypatch.setenv(second, str(other))
        monkeypatch.setenv(first, str(company.bundle))
        assert len(ask(api)) == 3
        monkeypatch.setenv(first, str(other))
        monkeypatch.setenv(second, str(company.bundle))
        with pytest.raises(Unreachable, match=f"{first}=.*other.pem"):
            ask(api)
        monkeypatch.delenv(first)


def test_without_a_variable_the_system_says_whom_to_trust(
    api: StacApi, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unreachable, match=r"local issuer.*those of the system.*REQUESTS_CA_BUN"):
        ask(api)
    monkeypatch.setenv("SSL_CERT_DIR", str(company.folder))  # OpenSSL's own word for the system's folder
    assert len(ask(api)) == 3


def test_a_system_without_a_store_has_the_authorities_of_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from stac_assets.stac.http.trust import trusting_context

    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: _NoStore)
    monkeypatch.setattr("truststore._openssl._CA_FILE_CANDIDATES", [])
    assert trusting_context().cert_store_stats()["x509_ca"] > 50


class _NoStore:
    cafile = capath = None


def test_tokens_are_asked_for_in_the_same_way(
    api: StacApi, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = TokenServer()
    issuer.tls = company.serves()
    with issuer:
        with pytest.raises(AuthenticationError, match=r"no token .*the certificate .* is refused"):
            ask(api, credentials=oauth(issuer))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(company.bundle))
        assert len(ask(api, credentials=oauth(issuer))) == 3
        assert len(issuer.requests) == 1


@pytest.mark.parametrize(
    ("hosts", "ended", "told"),
    [
        (["stac.example"], timedelta(days=-1), "IP address mismatch"),
        (["127.0.0.1"], timedelta(days=1), "certificate has expired"),
        (["127.0.0.1"], timedelta(days=-10), "not yet valid"),
    ],
)
def test_what_is_wrong_with_the_certificate_itself_is_told(
    company: Company, monkeypatch: pytest.MonkeyPatch, hosts: list[str], ended: timedelta, told: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(company.bundle))
    served = StacApi()
    served.tls = company.serves(*hosts, ended=ended)
    with served, pytest.raises(Unreachable, match=f"is refused: .*{told}.*Whoever runs the server") as caught:
        ask(served)
    assert "REQUESTS_CA_BUNDLE" not in str(caught.value)


@pytest.mark.parametrize("variable", BUNDLES)
def test_a_file_that_cannot_be_used_is_named(
    api: StacApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    for text, told in ((None, "is not there"), ("no certificate", "holds no certificate"), ("", "holds no")):
        path = tmp_path / "bundle.pem"
        if text is not None:
            path.write_text(text)
        monkeypatch.setenv(variable, str(path))
        with pytest.raises(ConfigurationError, match=rf"{variable} names .*bundle\.pem, which {told}"):
            ask(api)


def test_the_commands_go_the_same_way(
    project: Path, api: StacApi, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = environment(api, SSL_CERT_FILE=str(company.bundle))
    command = [sys.executable, "-m", "stac_assets.cli.main"]
    days = ["--start", "2024-01-01", "--end", "2024-01-01"]
    run_in(project, trusting, *command, "check", *days)
    run_in(project, trusting, *command, "load", *days)
    refused = subprocess.run(
        [*command, "load", *days], cwd=project, env=environment(api), capture_output=True, text=True
    )
    assert refused.returncode == 1
    (line,) = [line for line in refused.stderr.splitlines() if "certificate" in line]
    assert line.startswith(f"error: the certificate of {api.url}") and "Traceback" not in refused.stderr


def test_nobody_else_in_the_process_trusts_otherwise(
    api: StacApi, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(company.bundle))
    before = ssl.SSLContext, dict(os.environ)
    assert len(ask(api)) == 3
    assert before == (ssl.SSLContext, dict(os.environ))
    with pytest.raises(requests.exceptions.SSLError):  # requests itself heeds no SSL_CERT_FILE
        requests.get(api.url, timeout=5)


def test_one_context_serves_all_connections_of_a_thread(
    api: StacApi, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(company.bundle))
    made: list[ssl.SSLContext] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(self: ssl.SSLContext, *args: object, **given: object) -> None:
        made.append(self)
        load(self, *args, **given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    api.fault("/search", headers={"Connection": "close"}, times=None)  # each request on a new connection
    asking = client(api)
    for _ in range(3):
        assert len(searched(asking)) == 3
    assert len(api.requests) > 5 and len(made) == 1
