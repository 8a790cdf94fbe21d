"""Every kind of credential: where it is configured, whom it is shown to, how it is renewed."""

import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt
import pytest
import requests
from dlt.common.configuration.providers import CustomLoaderDocProvider

from stac_assets.cli.main import main
from stac_assets.settings import ENV_PREFIX, Settings, read_settings
from stac_assets.source import StacCredentials, pystac_client_source
from stac_assets.stac.errors import AuthenticationError, ConfigurationError, StacError
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.exchange import TransientFailure
from stac_assets.stac.http.identity import Identity, OAuthClient
from stac_assets.stac.http.oauth import ClientTokens
from stac_assets.stac.http.redaction import hidden
from stac_assets_tests.asking import client, ids_of, options_for, searched, some_items
from stac_assets_tests.loads import IMPATIENT, ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.test_settings import configure
from stac_assets_tests.token_server import TokenServer

KEY = "s3cr3t/key+=&"
USER, PASSWORD = "s3cr3t-user", "s3cr3t:pass é"
BASIC = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
IN_ENVIRONMENT = ENV_PREFIX + "CREDENTIALS__"


@pytest.fixture
def other() -> Iterator[StacApi]:
    """A second API, at another port and so at another origin."""
    with StacApi(items=[make_item("elsewhere")]) as running:
        yield running


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


def oauth(tokens: TokenServer, **more: Any) -> Identity:
    return Identity(oauth=OAuthClient(tokens.url + "/token", "me", "s3cr3t-client", **more))


def carried(request: Request) -> dict[str, str]:
    """What of a request is a credential of ours."""
    seen = {**request.headers, **{f"?{name}": value for name, value in request.query.items()}}
    return {name: seen[name] for name in ("authorization", "x-key", "?key") if name in seen}


KINDS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "bearer": ({"api_key": "s3cr3t"}, {"authorization": "Bearer s3cr3t"}),
    "header": ({"api_key": KEY, "credentials": Identity(api_key_header="X-Key")}, {"x-key": KEY}),
    "parameter": ({"api_key": KEY, "credentials": Identity(api_key_parameter="key")}, {"?key": KEY}),
    "basic": ({"credentials": Identity(username=USER, password=PASSWORD)}, {"authorization": BASIC}),
    "basic without password": (
        {"credentials": Identity(username=USER)},
        {"authorization": "Basic " + b64encode(f"{USER}:".encode()).decode()},
    ),
    "basic and header": (
        {"api_key": KEY, "credentials": Identity("X-Key", username=USER, password=PASSWORD)},
        {"authorization": BASIC, "x-key": KEY},
    ),
    "static header": ({"headers": {"Authorization": "Custom s3cr3t"}}, {"authorization": "Custom s3cr3t"}),
}
EVERY_KIND = pytest.mark.parametrize(("options", "expected"), KINDS.values(), ids=list(KINDS))


# Whom it is shown to ------------------------------------------------------------------------------


@EVERY_KIND
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_every_page_is_signed(
    api: StacApi, options: dict[str, Any], expected: dict[str, str], method: str
) -> None:
    api.post_search = method == "POST" or 405
    for item in some_items(5):
        api.put(item)
    assert searched(client(api, **options)) == ids_of(5)
    assert len(api.requests) > 3
    assert [carried(request) for request in api.requests] == [expected] * len(api.requests)


@EVERY_KIND
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_elsewhere_takes_nothing_along(
    api: StacApi, other: StacApi, options: dict[str, Any], expected: dict[str, str], status: int
) -> None:
    query = f"?key={quote(KEY, safe='')}&limit=7&sig=a%2Fb"  # as a server that copies what it was asked
    api.fault("/search", status=status, headers={"Location": f"{other.url}/search{query}"})
    assert searched(client(api, **options)) == ["elsewhere"]
    assert [carried(request) for request in api.requests] == [expected] * 2
    (request,) = other.requests
    if "?key" in expected:
        assert request.target.endswith("/search?limit=7&sig=a%2Fb")
    assert not {"authorization", "x-key"} & set(carried(request))


@EVERY_KIND
def test_a_trusted_origin_is_shown_the_same(
    api: StacApi, other: StacApi, options: dict[str, Any], expected: dict[str, str]
) -> None:
    api.fault("/search", status=307, headers={"Location": other.url + "/search"})
    assert searched(client(api, trusted_origins=(other.url,), **options)) == ["elsewhere"]
    assert carried(other.requests[0]) == expected


def test_the_client_secret_goes_to_the_token_url_only_and_its_token_to_the_api_only(
    api: StacApi, other: StacApi, tokens: TokenServer
) -> None:
    api.fault("/search", status=307, headers={"Location": other.url + "/search"})
    signed = {"X-Static": "s3cr3t-static"}
    assert searched(client(api, credentials=oauth(tokens), headers=signed)) == ["elsewhere"]
    (asked,) = tokens.requests
    assert not {"authorization", "x-static"} & set(asked.headers)
    assert asked.body == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": "s3cr3t-client",
    }
    assert {request.headers["authorization"] for request in api.requests} == {"Bearer token-1"}
    assert not {"authorization", "x-static"} & set(other.requests[0].headers)


def test_nothing_goes_from_https_to_http() -> None:
    with pytest.raises(ConfigurationError, match="from https to http"):
        client("https://stac.example.com/v1", trusted_origins=("http://stac.example.com",))
    assert not client("https://stac.example.com/v1").transport.credentials.trusts("http://stac.example.com/")


@pytest.mark.parametrize(
    "url", ["http://login.example.com/token", "login.example.com", "https://u:p@h/token"]
)
def test_a_client_secret_needs_https(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"token_url is .*expected an https URL") as caught:
        OAuthClient(url, "me", "s3cr3t")
    assert "u:p" not in str(caught.value)
    for confidential in ("https://login.example.com/token", "http://localhost:1/t", "http://[::1]/t"):
        assert OAuthClient(confidential, "me", "s3cr3t").token_url == confidential


def test_the_parameter_replaces_its_echo_and_leaves_the_rest_of_the_query_alone() -> None:
    api = client("http://h/v1", api_key=KEY, credentials=Identity(api_key_parameter="my key"))
    credentials = api.transport.credentials
    for url in ("http://h/v1/search?a=%2F+x&&b", "http://h/v1/search?my+key=old&a=%2F+x&&b&my%20key=older"):
        request = requests.Request("GET", url, auth=credentials).prepare()
        assert request.url == "http://h/v1/search?a=%2F+x&&b&my%20key=s3cr3t%2Fkey%2B%3D%26"
        assert credentials.unsigned(request.url) == "http://h/v1/search?a=%2F+x&&b"
    assert requests.Request("GET", "http://h/v1", auth=credentials).prepare().url == (
        "http://h/v1?my%20key=s3cr3t%2Fkey%2B%3D%26"
    )


def test_urllib3_logs_our_paths_without_their_query_and_those_of_others_as_they_are(
    api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client(api, **KINDS["parameter"][0]).landing.document()
        requests.get(api.url + "?mine=1", timeout=5)
    lines = [record.getMessage() for record in caplog.records if record.name == "urllib3.connectionpool"]
    assert any("GET /v1?… HTTP/1.1" in line for line in lines)
    assert any("GET /v1?mine=1 HTTP/1.1" in line for line in lines)


def test_an_error_leads_to_none_that_shows_the_signed_url() -> None:
    """dlt's trace follows the context of an error even where `from None` hides it."""
    transport = client("http://127.0.0.1:9/v1", **KINDS["parameter"][0]).transport
    with pytest.raises(TransientFailure, match="no answer from") as caught:
        transport._exchange(requests.Request("GET", "http://127.0.0.1:9/v1"))
    assert caught.value.__context__ is caught.value.__cause__ is None


def test_a_secret_is_hidden_in_every_way_of_writing_it() -> None:
    for secret in (KEY, PASSWORD, 'a"b\\c<d>', "plain-text"):
        ways = [secret, quote(secret), quote(secret, safe=""), json.dumps(secret), f"<p>{secret}</p>"]
        ways += [b64encode(secret.encode()).decode(), b64encode(secret.encode()).decode().rstrip("=")]
        for way in ways:
            assert hidden(f"before {way} after", ["", "abc", secret]).strip('"<p/>') != way
            assert secret not in hidden(way, [secret]) and "***" in hidden(way, [secret])
    assert hidden("abc", ["abc"]) == "abc"


def test_a_redirect_is_ours_to_follow(api: StacApi) -> None:
    api.fault("/search", status=302, headers={"Location": "http://[bad"})
    with pytest.raises(StacError, match="not followed"):
        searched(client(api))
    api.fault("/search", status=302, headers={"Location": "/v1/search"}, body=b"long ", endless=True)
    with pytest.raises(StacError, match="larger than max_response_bytes"):
        client(api, max_response_bytes=1 << 20).transport.get(api.url + "/search")


# Tokens that expire -------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def granting(*grants: Any) -> tuple[ClientTokens, Clock]:
    """Tokens that come from these answers, one after another."""
    clock, answers = Clock(), iter(grants)

    def ask(request: requests.Request) -> Answer:
        return Answer(str(request.url), 200, json.dumps(next(answers)).encode(), "application/json")

    return ClientTokens(OAuthClient("https://h/token", "me", "s3cr3t"), ask, clock), clock


def grant(token: str, expires_in: Any = 600) -> dict[str, Any]:
    return {"access_token": token, "token_type": "bearer", "expires_in": expires_in}


@pytest.mark.parametrize(
    ("lifetime", "last"), [(600, 539.9), ("600", 539.9), (10, 8.9), (86400, 86339.9), (0.5, 0.44)]
)
def test_a_token_is_renewed_shortly_before_it_expires(lifetime: Any, last: float) -> None:
    tokens, clock = granting(grant("first", lifetime), grant("second", lifetime))
    assert tokens.current() == "first"
    clock.now += last
    assert tokens.current() == "first"
    clock.now += 0.2
    assert tokens.current() == "second"


@pytest.mark.parametrize("never", [None, 0])
def test_a_token_without_an_end_is_used_until_it_is_refused(never: Any) -> None:
    tokens, clock = granting(grant("first", never), grant("second", never))
    assert tokens.current() == "first"
    clock.now += 1e9
    assert tokens.current() == "first"
    assert tokens.discard("first") and not tokens.discard("of somebody else")
    assert tokens.current() == "second"


def test_a_refused_token_that_was_replaced_already_does_not_cost_another() -> None:
    tokens, _ = granting(grant("first"), grant("second"))
    tokens.current()
    assert tokens.discard("first")
    assert tokens.current() == "second"
    assert tokens.discard("first")  # a request of another thread, that was under way
    assert tokens.current() == "second"


@pytest.mark.parametrize(
    "answer", [[], "s3cr3t", {}, {"access_token": 7}, grant("a\nb"), grant("a", "soon"), grant("a", -1)]
)
def test_an_answer_that_grants_nothing_is_told_without_what_it_says(answer: Any) -> None:
    tokens, _ = granting(answer)
    with pytest.raises(AuthenticationError, match=r"no token from https://h/token.*not shown") as caught:
        tokens.current()
    assert "s3cr3t" not in str(caught.value)


def test_one_token_serves_all_threads(api: StacApi, tokens: TokenServer) -> None:
    asking = client(api, credentials=oauth(tokens, scope="read", audience="stac"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: asking.transport.get(api.url), range(16)))
    assert len(tokens.requests) == 1
    assert tokens.requests[0].body.items() >= {"scope": "read", "audience": "stac"}.items()


def test_a_token_that_is_refused_in_mid_crawl_is_renewed_once(api: StacApi, tokens: TokenServer) -> None:
    for item in some_items(6):
        api.put(item)
    pages = iter(range(9))

    def is_refused(request: Request) -> bool:
        first = request.headers["authorization"] == "Bearer token-1"
        return first and request.path == "/search" and next(pages) > 0

    refusal = api.fault(is_refused, status=401, times=None)
    assert searched(client(api, credentials=oauth(tokens), max_retries=0)) == ids_of(6)
    assert refusal.used == 1
    assert len(tokens.requests) == 2


def test_a_token_that_is_refused_when_it_is_new_is_an_error(api: StacApi, tokens: TokenServer) -> None:
    api.fault(status=401, times=None)
    with pytest.raises(AuthenticationError, match=r"answered 401.*sources\.pystac_client_source"):
        client(api, credentials=oauth(tokens)).landing.document()
    assert len(api.requests) == len(tokens.requests) == 2


def test_a_token_url_that_fails_for_a_moment_is_asked_again(api: StacApi, tokens: TokenServer) -> None:
    tokens.fault("/", status=503)
    tokens.fault("/", drop=True)
    asking = client(api, credentials=oauth(tokens))
    asking.landing.document()
    assert len(tokens.requests) == 3
    assert asking.transport.totals.retries == 2


@pytest.mark.parametrize(
    "trouble", [{"status": 401}, {"status": 503}, {"drop": True}, {"status": 302}, {"body": b"<html>"}]
)
def test_a_token_url_that_gives_none_is_named_with_what_to_check(
    api: StacApi, tokens: TokenServer, trouble: dict[str, Any]
) -> None:
    echoes = "status" in trouble
    given = {"body": b"no s3cr3t-client here", **trouble} if echoes else trouble
    tokens.fault("/", times=None, headers={"Location": api.url}, **given)
    with pytest.raises(AuthenticationError, match=f"no token from {tokens.url}/token") as caught:
        client(api, credentials=oauth(tokens)).landing.document()
    assert "s3cr3t" not in str(caught.value)
    assert "***" in str(caught.value) or not echoes
    assert not api.requests


# Where it is configured ---------------------------------------------------------------------------


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
