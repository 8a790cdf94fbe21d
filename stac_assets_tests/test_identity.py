"""Every kind of credential: whom it is shown to, and how it is renewed."""

import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
import requests

from stac_assets.stac.errors import AuthenticationError, ConfigurationError, StacError
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.exchange import TransientFailure
from stac_assets.stac.http.identity import Identity, OAuthClient
from stac_assets.stac.http.oauth import ClientTokens
from stac_assets.stac.http.redaction import hidden
from stac_assets_tests.asking import client, ids_of, searched, some_items
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.token_server import TokenServer

KEY = "s3cr3t/key+=&"

USER, PASSWORD = "s3cr3t-user", "s3cr3t:pass é"

BASIC = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()


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
    api.post_search = False
    elsewhere = {"Location": f"{other.url}/search{query}"}
    api.fault(lambda request: request.query.get("limit") == "2", status=status, headers=elsewhere)
    assert searched(client(api, **options)) == ["elsewhere"]
    assert [carried(request) for request in api.requests] == [expected] * 3
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
    api.post_search = False
    elsewhere = {"Location": other.url + "/search"}
    api.fault(lambda request: request.query.get("limit") == "2", status=307, headers=elsewhere)
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
