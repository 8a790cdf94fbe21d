"""A stored credential belongs to the `base_url` that is stored with it, and no other API gets it."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import pytest
from dlt.common.configuration.providers import CustomLoaderDocProvider

from stac_assets.cli.main import main
from stac_assets.settings import ENV_PREFIX, read_settings
from stac_assets.source import pystac_client_source
from stac_assets.stac.http.identity import Identity, OAuthClient
from stac_assets_tests.loads import IMPATIENT
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_identity import carried
from stac_assets_tests.test_settings import configure
from stac_assets_tests.token_server import TokenServer

OWN = "https://own.example/stac"
TABLE = "[sources.pystac_client_source.credentials]\n"
SECRETS = {
    "api_key": 'api_key = "s3cr3t"',
    "headers": 'headers = { X-Key = "s3cr3t" }',
    "api_key in a header": f'{TABLE}api_key = "s3cr3t"\napi_key_header = "X-Key"',
    "api_key in the query": f'{TABLE}api_key = "s3cr3t"\napi_key_parameter = "key"',
    "username": f'{TABLE}username = "s3cr3t"',
    "username, password": f'{TABLE}username = "u"\npassword = "s3cr3t"',
}
"""Each kind of credential as it stands in a file, by what is told of it."""


@pytest.fixture(autouse=True)
def impatient(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**IMPATIENT, "COLLECTIONS": "c1", "END_DATE": "2024-01-02"}.items():
        monkeypatch.setenv(ENV_PREFIX + name.upper(), str(value))


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


def store(project: Path, monkeypatch: pytest.MonkeyPatch, secrets: str, base_url: str = OWN) -> None:
    configure(project, monkeypatch, f'base_url = "{base_url}"')
    configure(project, monkeypatch, secrets, "secrets.toml")


@pytest.mark.parametrize("file", ["secrets.toml", "config.toml"])
@pytest.mark.parametrize("told", SECRETS)
def test_check_tells_a_stranger_nothing(
    project: Path,
    api: StacApi,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    told: str,
    file: str,
) -> None:
    api.put(make_item("a"))
    configure(project, monkeypatch, f'base_url = "{OWN}"')
    configure(project, monkeypatch, f'base_url = "{OWN}"\n{SECRETS[told]}', file)
    assert main(["check", "--base-url", api.url]) == 0
    assert api.requests and not any(carried(request) for request in api.requests)
    said = capsys.readouterr()
    (line,) = [line for line in said.err.splitlines() if "not sent" in line]
    name = told.partition(" in ")[0]
    assert f"for {OWN} ({name}) is not sent to {api.url}, which an argument or a flag puts" in line
    assert "not configured for this API" in said.out
    assert "s3cr3t" not in said.out + said.err


def test_a_variable_is_as_much_a_stranger_and_the_api_of_the_file_is_none(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api.put(make_item("a"))
    days = ["load", "--start", "2024-01-01", "--end", "2024-01-01"]
    store(project, monkeypatch, SECRETS["api_key"])
    monkeypatch.setenv(ENV_PREFIX + "BASE_URL", api.url)
    assert main(days) == 0
    assert not any(carried(request) for request in api.requests)
    assert f"the variable {ENV_PREFIX}BASE_URL puts in its place" in capsys.readouterr().err
    api.token = "s3cr3t"
    assert main(days) == 1
    refused = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error"))
    assert "does not accept the credentials. What is configured for" in refused
    store(project, monkeypatch, SECRETS["api_key"], f"{api.url}/another/path")
    assert main(days) == 0  # a path is no other origin
    assert "not sent" not in capsys.readouterr().err
    monkeypatch.delenv(ENV_PREFIX + "BASE_URL")
    store(project, monkeypatch, SECRETS["api_key"], api.url)
    assert main(days) == 0


def test_what_is_typed_is_sent_as_it_is_typed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(project, monkeypatch, f'api_key = "s"\nheaders = {{ X = "s" }}\n{TABLE}api_key_header = "X-Key"')
    monkeypatch.setenv(ENV_PREFIX + "API_KEY", "typed")
    settings = read_settings(base_url="https://other.example")
    assert (settings.api_key, settings.headers) == ("typed", {})
    assert settings.credentials == Identity("X-Key")  # how it is sent, is no secret
    assert "(headers) is not sent" in settings.withheld
    monkeypatch.delenv(ENV_PREFIX + "API_KEY")
    given = read_settings(base_url="https://other.example", api_key="typed", headers={"X": "typed"})
    assert (given.api_key, given.headers, given.withheld) == ("typed", {"X": "typed"}, "")
    given = read_settings(base_url="https://other.example", credentials={"username": "u"})
    assert (given.api_key, given.credentials) == (None, Identity(username="u"))
    store(project, monkeypatch, f'{TABLE}username = "u"\npassword = "s"')
    monkeypatch.setenv(ENV_PREFIX + "CREDENTIALS__PASSWORD", "typed")
    assert read_settings(base_url="https://other.example").credentials == Identity(
        username="u", password="typed"
    )


def test_an_oauth_client_asks_for_no_token(
    project: Path, api: StacApi, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = {"token_url": tokens.url, "client_id": "i", "client_secret": "s"}
    store(project, monkeypatch, TABLE + "\n".join(f'{name} = "{value}"' for name, value in client.items()))
    api.put(make_item("a"))
    assert main(["check", "--base-url", api.url]) == 0
    assert tokens.requests == []
    monkeypatch.setenv(ENV_PREFIX + "CREDENTIALS", json.dumps({"client_secret": "typed"}))
    settings = read_settings(base_url=api.url)
    assert settings.credentials == Identity(oauth=OAuthClient(**client | {"client_secret": "typed"}))


@pytest.mark.parametrize(
    ("stored", "asked", "is_sent"),
    [
        ("https://own.example", "https://own.example:443/v1/", True),
        ("https://own.example", "https://OWN.example", True),
        ("https://own.example", "https://own.example:8443", False),
        ("https://own.example", "http://own.example", False),
        ("http://own.example", "https://own.example", True),  # the same, and safer
        ("https://own.example", "https://sub.own.example", False),
        ("https://own.example", "https://own.example.evil.example", False),
        ("https://own.example", "https://trusted.example/v1", True),
        ("no url at all", "https://own.example", False),
        ("", "https://own.example", True),  # the files give none
    ],
)
def test_an_origin_decides(
    project: Path, monkeypatch: pytest.MonkeyPatch, stored: str, asked: str, is_sent: bool
) -> None:
    secrets = f'trusted_origins = ["https://trusted.example"]\n{SECRETS["api_key"]}'
    store(project, monkeypatch, secrets, stored)
    settings = read_settings(base_url=asked)
    assert (settings.api_key == "s3cr3t", settings.withheld == "") == (is_sent, is_sent)


def test_a_vault_is_a_store_too_and_without_a_base_url_there_is_no_stranger(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, Any] = {"api_key": "s3cr3t"}
    configure(project, monkeypatch, "")
    document = {"sources": {"pystac_client_source": held}}
    dlt.config.register_provider(CustomLoaderDocProvider("vault", lambda: document, supports_secrets=True))
    assert read_settings(base_url="https://other.example").api_key == "s3cr3t"
    configure(project, monkeypatch, f'base_url = "{OWN}"')
    dlt.config.register_provider(CustomLoaderDocProvider("vault", lambda: document, supports_secrets=True))
    assert read_settings(base_url="https://other.example").api_key is None
    assert read_settings().api_key == "s3cr3t"


def test_a_placeholder_is_no_secret_that_was_withheld(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store(project, monkeypatch, 'api_key = "your_api_key_here"')
    with caplog.at_level(logging.WARNING, "stac_assets"):
        assert read_settings(base_url="https://other.example").withheld == ""
    assert caplog.text == ""


def test_a_script_and_a_run_in_dagster_say_so(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api.put(make_item("a"))
    store(project, monkeypatch, SECRETS["api_key"])
    with caplog.at_level(logging.WARNING, "stac_assets"):
        source = pystac_client_source(api.url, start_date="2024-01-01")
        assert len(list(source.with_resources("collections"))) > 0
    assert caplog.text.count("is not sent") == 1
    monkeypatch.setenv(ENV_PREFIX + "BASE_URL", api.url)
    from stac_assets.definitions import build_definitions

    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions().resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("client_root")])
        assert result.success
        logged = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert sum("(api_key) is not sent to" in message for message in logged) == 1
    assert api.requests and not any(carried(request) for request in api.requests)
