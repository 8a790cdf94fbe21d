"""Where credentials are configured: the secrets file, the environment, every provider of dlt, an argument."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.common.configuration.providers import CustomLoaderDocProvider

from stac_assets.cli.main import main
from stac_assets.settings import ENV_PREFIX, Settings, read_settings
from stac_assets.source import StacCredentials, pystac_client_source
from stac_assets.stac.errors import ConfigurationError, StacError
from stac_assets.stac.http.identity import Identity, OAuthClient
from stac_assets_tests.asking import options_for
from stac_assets_tests.loads import IMPATIENT, ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_identity import carried
from stac_assets_tests.test_settings import configure
from stac_assets_tests.token_server import TokenServer

IN_ENVIRONMENT = ENV_PREFIX + "CREDENTIALS__"


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


def test_every_kind_is_configured_in_the_secrets_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(lines: str) -> Settings:
        configure(project, monkeypatch, lines, "secrets.toml")
        return read_settings()

    section = "[sources.pystac_client_source.credentials]\n"
    for place in ("api_key_header", "api_key_parameter"):
        settings = read(f'{section}api_key = "k"\n{place} = "X-Key"')
        assert (settings.api_key, getattr(settings.credentials, place)) == ("k", "X-Key")
    settings = read(f'api_key = "k"\n{section}api_key_header = "X-Key"')
    assert (settings.api_key, settings.credentials) == ("k", Identity("X-Key"))
    assert read(f'{section}api_key = "k"').api_key == "k"
    assert read(f'{section}username = "u"\npassword = "p"').credentials == Identity(
        username="u", password="p"
    )
    client = {"token_url": "https://h/token", "client_id": "i", "client_secret": "s"}
    assert read(section + "\n".join(f'{name} = "{value}"' for name, value in client.items())).credentials == (
        Identity(oauth=OAuthClient(**client))
    )
    assert "'s'" not in repr(read_settings())


def test_the_environment_comes_before_the_secrets_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = "[sources.pystac_client_source.credentials]\n"
    configure(project, monkeypatch, f'{section}username = "u"\npassword = "p"', "secrets.toml")
    monkeypatch.setenv(IN_ENVIRONMENT + "PASSWORD", "q\n")  # as of a secret that is mounted as a file
    assert read_settings().credentials == Identity(username="u", password="q")
    monkeypatch.setenv(IN_ENVIRONMENT.removesuffix("__"), '{"username": "v", "password": "r"}')
    assert read_settings().credentials == Identity(username="v", password="q")
    given = read_settings(credentials={"api_key": "k"})
    assert (given.api_key, given.credentials) == ("k", Identity())


def test_every_provider_that_dlt_has_is_asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = {"username": "u", "password": "p"}
    document = {"sources": {"pystac_client_source": {"credentials": vault, "headers": {"X-Key": "h"}}}}
    provider = CustomLoaderDocProvider("vault", lambda: document, supports_secrets=True)
    configure(project, monkeypatch, "")
    dlt.config.register_provider(provider)
    settings = read_settings()
    assert settings.credentials == Identity(username="u", password="p")
    assert settings.headers == {"X-Key": "h"}


def test_credentials_are_an_argument_of_the_source(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))
    for given in ({"username": "u"}, StacCredentials(username="u")):
        days = {"start_date": "2024-01-01", "end_date": "2024-01-01"}
        source = pystac_client_source(api.url, credentials=given, collections=["c1"], **days, **IMPATIENT)
        assert len(list(source.with_resources("search"))) > 0
        assert api.requests[-1].headers["authorization"].startswith("Basic ")
    assert repr(StacCredentials(api_key="s3cr3t")) == str(StacCredentials(api_key="s3cr3t"))
    assert "s3cr3t" not in repr(StacCredentials(api_key="s3cr3t"))


def test_variables_that_belong_to_something_else_are_not_used(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "USERNAME", "PASSWORD", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET"):
        for prefix in ("", "CREDENTIALS__", "SOURCES__", "SOURCES__CREDENTIALS__", "PYSTAC_CLIENT_SOURCE__"):
            monkeypatch.setenv(prefix + name, "s3cr3t-of-something-else")
    api.put(make_item("a"))
    load_days(api)
    assert ids() == ["a"]
    assert not any(carried(request) for request in api.requests)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"api_kee": "s3cr3t"}, "unknown setting 'api_kee' in .*credentials.*known are: api_key"),
        ({"password": "s3cr3t"}, "password is set, but not username"),
        ({"username": "s3cr3t:", "password": "s3cr3t"}, "colon"),
        ({"token_url": "https://h/t", "client_secret": "s3cr3t"}, "lacks client_id"),
        ({"client_id": "me"}, "has client_id, but lacks token_url, client_secret"),
        ({"api_key": "s3cr3t", "username": "u"}, "api_key and username both claim the header Authorization"),
        ({"api_key_header": "X-Key"}, "but no api_key"),
        ({"api_key": "s3cr3t", "api_key_header": "X-Key", "api_key_parameter": "key"}, "goes into one"),
        ({"api_key": "s3cr3t", "api_key_header": "X-Key: "}, "cannot be the name of a header"),
        ({"api_key": "s3cr3t\nX-Other: 1"}, "api_key holds a line break"),
        ({"api_key": "s3cr3t€"}, "api_key holds a line break or another character"),
        ({"api_key": 7}, "api_key in .* must be text"),
        ('["s3cr3t"]', "must be a table"),
        ("s3cr3t", "must be a table, or JSON"),
    ],
)
def test_what_cannot_be_used_is_refused_before_a_request_and_not_shown(
    project: Path, given: Any, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_settings(credentials=given)
    assert "s3cr3t" not in str(caught.value)


def test_a_key_that_stands_in_two_places_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_PREFIX + "API_KEY", "s3cr3t-one")
    monkeypatch.setenv(IN_ENVIRONMENT + "API_KEY", "s3cr3t-two")
    with pytest.raises(ConfigurationError, match="keep one") as caught:
        read_settings()
    assert "s3cr3t" not in str(caught.value)
    assert read_settings(api_key="argument").api_key == "argument"
    monkeypatch.setenv(IN_ENVIRONMENT + "APIKEY", "s3cr3t")
    with pytest.raises(ConfigurationError, match="unknown setting 'apikey'"):
        read_settings()


def test_a_header_that_no_request_can_carry_is_refused() -> None:
    for headers in ({"X-Key": "s3cr3t\r\nX: 1"}, {"X Key": "s3cr3t"}, {"": "s3cr3t"}):
        with pytest.raises(StacError) as caught:
            options_for("http://h", headers=headers)
        assert "s3cr3t" not in str(caught.value)


def test_check_names_what_is_sent_and_says_where_no_token_came_from(
    project: Path,
    api: StacApi,
    tokens: TokenServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    api.put(make_item("a"))
    credentials = {"token_url": tokens.url, "client_id": "me", "client_secret": "s3cr3t"}
    monkeypatch.setenv(IN_ENVIRONMENT.removesuffix("__"), json.dumps(credentials))
    monkeypatch.setenv(ENV_PREFIX + "BACKOFF", "0.001")
    arguments = ["check", "--base-url", api.url, "--collection", "c1", "--end", "2024-01-02"]
    assert main(arguments) == 0
    assert "accepted (client_id)" in capsys.readouterr().out
    tokens.fault("/", status=400, body=b'{"error": "invalid_client"}', times=None)
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert f"no token from {tokens.url}" in said.err and "invalid_client" in said.err
    assert "s3cr3t" not in said.out + said.err
