"""One exchange: whom a credential is shown to, which environment is honoured, what is waited for."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import (
    AuthenticationError,
    Cancelled,
    ConfigurationError,
    RequestFailed,
    StacError,
    Unreachable,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.exchange import retry_after
from stac_assets.stac.http.links import checked_base_url, origin_of, shown
from stac_assets.stac.http.options import by_name
from stac_assets.stac.http.transport import Transport
from stac_assets_tests.asking import client, ids_of, options_for, searched, some_items
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import FaultyServer, Reply, Request

SECRET = "s3cr3t-t0ken"
HEADER = {"X-Api-Key": "s3cr3t-header"}
NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def other() -> Iterator[StacApi]:
    """A second API, at another port and so at another origin."""
    with StacApi(items=[make_item("elsewhere")]) as running:
        yield running


def secrets_seen(api: FaultyServer) -> list[str]:
    return [
        name
        for request in api.requests
        for name, value in request.headers.items()
        if "s3cr3t" in value or name in ("authorization", "x-api-key")
    ]


# Credentials


def test_token_and_headers_are_sent_to_the_apis_own_origin(api: StacApi) -> None:
    api.token = SECRET
    api.put(make_item("a"))
    assert searched(client(api, api_key=SECRET, headers=HEADER)) == ["a"]
    for request in api.requests:
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        assert request.headers["x-api-key"] == HEADER["X-Api-Key"]


def test_without_a_token_none_is_sent_not_even_of_netrc(
    api: StacApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cr3t\ndefault login me password s3cr3t\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    searched(client(api))
    assert not secrets_seen(api)


def test_the_placeholder_is_never_sent_and_warned_about(
    api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "stac_assets"):
        searched(client(api, api_key="your_api_key_here"))
    assert "placeholder" in caplog.text and "secrets.toml" in caplog.text
    assert not secrets_seen(api)


def test_401_says_where_the_token_is_configured_and_never_shows_it(
    api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.token = "another"
    api.fault("/", status=401, body=f"not {SECRET}".encode(), times=None)
    with caplog.at_level(logging.DEBUG), pytest.raises(AuthenticationError) as caught:
        client(api, api_key=SECRET).landing.document()
    message = str(caught.value)
    assert ".dlt/secrets.toml" in message and "SOURCES__PYSTAC_CLIENT_SOURCE__API_KEY" in message
    assert SECRET not in message + caplog.text + repr(caught.value.__cause__)
    assert len(api.requests) == 1


def test_whoever_uses_the_client_alone_is_told_the_option_by_its_name(api: StacApi) -> None:
    api.fault("/", status=401, times=None)
    options = replace(options_for(api), where=by_name)
    with pytest.raises(AuthenticationError, match=r"Set the token as `api_key`; .* under `credentials`"):
        Transport(options).get(api.url)


def test_an_answer_that_echoes_the_token_is_shown_without_it(api: StacApi) -> None:
    for status, body in ((400, SECRET), (200, f"<html>{SECRET}</html>"), (200, f'{{"x": "{SECRET}"}}')):
        api.faults.clear()
        api.fault("/", status=status, body=body.encode(), times=None)
        with pytest.raises(StacError) as caught:
            client(api, api_key=SECRET).landing.document()
        assert SECRET not in str(caught.value) and "***" in str(caught.value)


def test_a_value_of_the_options_is_in_no_repr() -> None:
    options = options_for("http://h", api_key=SECRET, headers=HEADER)
    assert "s3cr3t" not in repr(options)


def test_a_landing_link_to_another_origin_is_not_fetched(api: StacApi, other: StacApi) -> None:
    asking = client(api, api_key=SECRET, headers=HEADER)
    for link in asking.landing.links():
        if link.rel == "service-desc":
            link.href = other.url + "/api"
            assert asking.link_document(link) is None
            link.href = "/v1/api"
            assert asking.link_document(link) is not None
    assert not other.requests


def test_a_search_link_to_another_origin_is_not_used(api: StacApi, other: StacApi) -> None:
    api.put(make_item("own"))
    asking = client(api, api_key=SECRET)
    for link in asking.landing.document()["links"]:
        link["href"] = link["href"].replace(api.url, other.url)
    assert searched(asking) == ["own"]
    assert not other.requests


def next_to(other_url: str) -> Any:
    def lead_away(page: Any, _: Request) -> Any:
        page["links"] = [{"rel": "next", "href": other_url + "/search?sig=s3cr3t"}]
        return page

    return lead_away


def test_a_next_link_to_another_origin_is_refused(api: StacApi, other: StacApi) -> None:
    for item in some_items(3):
        api.put(item)
    api.on_page = next_to(other.url)
    with pytest.raises(StacError, match=r"another origin.*trusted_origins") as caught:
        searched(client(api, api_key=SECRET))
    assert "s3cr3t" not in str(caught.value)
    assert not other.requests


def test_a_next_link_to_a_trusted_origin_is_followed_with_credentials(api: StacApi, other: StacApi) -> None:
    for item in some_items(3):
        api.put(item)
    api.on_page = next_to(other.url)
    found = searched(client(api, api_key=SECRET, trusted_origins=(other.url,)))
    assert found == ["a0", "a1", "elsewhere"]
    assert secrets_seen(other) == ["authorization"]


@pytest.mark.parametrize("href", ["file:///etc/passwd", "ftp://h/x", "http://[bad", "http://h:port/"])
def test_a_next_link_that_is_no_http_url_is_refused(api: StacApi, href: str) -> None:
    for item in some_items(3):
        api.put(item)

    def lead_away(page: Any, _: Request) -> Any:
        page["links"] = [{"rel": "next", "href": href}]
        return page

    api.on_page = lead_away
    with pytest.raises(StacError, match="not followed"):
        searched(client(api))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_takes_no_credential_along(
    api: StacApi, other: StacApi, status: int
) -> None:
    elsewhere = {"Location": other.url + "/search"}
    fault = api.fault(
        lambda request: request.method == "GET" and bool(request.query), status=status, headers=elsewhere
    )
    api.post_search = False

    def sign(request: Any) -> Any:
        request.headers["Authorization"] = SECRET
        return request

    for options in ({"api_key": SECRET, "headers": HEADER}, {"request_modifier": sign}):
        fault.used = 0
        assert searched(client(api, **options)) == ["elsewhere"]
    assert not secrets_seen(other)
    assert [request.method for request in other.requests] == ["GET"] * 2


def test_a_redirect_within_the_origin_keeps_the_credential(api: StacApi) -> None:
    api.put(make_item("a"))
    api.fault("/search", status=307, headers={"Location": "/v1/search?moved=1"})
    assert searched(client(api, api_key=SECRET)) == ["a"]
    assert api.requests[-1].headers["authorization"] == f"Bearer {SECRET}"


def test_redirects_without_end_are_an_error(api: StacApi) -> None:
    api.fault("/search", status=307, headers={"Location": "/v1/search"}, times=None)
    with pytest.raises(RequestFailed, match="redirected more than 5 times"):
        searched(client(api))


def test_a_request_modifier_changes_requests_as_in_pystac_client(api: StacApi) -> None:
    def add(request: Any) -> None:
        request.headers["X-Signed"] = request.method

    searched(client(api, request_modifier=add))
    assert [request.headers["x-signed"] for request in api.requests] == ["GET", "POST"]


def test_origins_are_scheme_host_and_port() -> None:
    assert origin_of("https://Host/x") == origin_of("HTTPS://host:443")
    assert origin_of("https://host") != origin_of("http://host")
    assert origin_of("https://host") != origin_of("https://host:8443")
    with pytest.raises(ConfigurationError, match="trusted_origins"):
        client("http://h", trusted_origins=("data.example.com",))


def test_urls_are_shown_without_user_query_values_and_fragment() -> None:
    assert shown("https://u:p@h:1/p?a=secret&b=2#frag") == "https://h:1/p?a=…&b=…"
    assert shown("https://h/p?sig") == "https://h/p?sig=…"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "h/v1",
            "file:///x",
            "ftp://h",
            "https://",
            "https://u:p@h/",
            "https://h/?a=1",
            "https://h:abc/",
        ),
        # a user and a password in what is no URL, or holds what ends a host
        *("u:p@h/v1", "https://u:p#w@h/v1", "https://u:p/w@h", "https://u:p?w@h", "http://u:p@[::1"),
        "http:/u:p@h",
    ],
)
def test_a_base_url_that_cannot_be_one_is_refused_unshown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        checked_base_url(url)
    assert "u:p" not in str(caught.value)
    assert ":p" not in str(caught.value)


# The environment


class Proxy(FaultyServer):
    """Answers what it is asked to fetch with an empty landing page."""

    prefix = ""

    def answer(self, request: Request) -> Reply:
        page = b'{"type": "Catalog", "stac_version": "1.0.0", "links": [], "conformsTo": ["x"]}'
        return Reply(200, page, {"Content-Type": "application/json"})


def test_proxy_variables_are_honoured_and_no_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert client("http://stac.invalid/v1").landing.document()["conformsTo"] == ["x"]
        assert [request.target for request in proxy.requests] == ["http://stac.invalid/v1"]
        monkeypatch.setenv("NO_PROXY", "stac.invalid")
        with pytest.raises(Unreachable, match=r"stac.invalid.*HTTPS_PROXY.*NO_PROXY.*REQUESTS_CA_BUNDLE"):
            client("http://stac.invalid/v1", max_retries=0).landing.document()
        assert len(proxy.requests) == 1


def test_the_ca_bundle_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(missing))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(StacError, match=r"missing\.pem"):
        client("https://127.0.0.1:9/v1").landing.document()


# Waiting and asking again


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Mon, 01 Jan 2024 12:00:30 GMT", 30.0),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2024 12:00:30 -0000", 30.0),
        ("soon", None),
        ("-1", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_a_wait_is_capped_and_counted(api: StacApi) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    for header in ("3600", later):
        api.fault("/search", status=429, headers={"Retry-After": header})
    figures = Figures()
    asking = client(api, max_retry_after=0.02)
    asking.transport.send("POST", asking.landing.base_url + "/search", json={}, figures=figures)
    assert (figures.requests, figures.retries) == (3, 2)
    assert 0.04 <= figures.seconds_waited < 0.5


def test_what_fails_is_asked_again_as_often_as_set_and_no_more(api: StacApi) -> None:
    api.fault("/search", status=503, times=None)
    transport = Transport(options_for(api, max_retries=3))
    with pytest.raises(RequestFailed, match=r"/search answered 503.*on request.*\(tried 4 times\)") as caught:
        transport.get(api.url + "/search")
    assert caught.value.status == 503
    assert len(api.requests) == 4


def test_what_cannot_get_better_is_asked_once(api: StacApi) -> None:
    transport = Transport(options_for(api))
    for status in (400, 404, 406, 409, 410, 414, 422):
        api.faults.clear()
        api.reset()
        api.fault("/search", status=status, times=None)
        with pytest.raises(RequestFailed, match=str(status)):
            transport.get(api.url + "/search")
        assert len(api.requests) == 1


def test_no_more_requests_at_a_time_than_allowed(api: StacApi) -> None:
    from concurrent.futures import ThreadPoolExecutor

    asking = client(api, max_concurrent_requests=2)
    api.fault("/conformance", delay=0.01, times=None)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: asking.conformance(), range(12)))
    assert api.max_in_flight == 2


def test_requests_are_spread_over_the_second_where_that_is_set(project: Path, api: StacApi) -> None:
    asking = client(api, requests_per_second=100.0)
    began = time.monotonic()
    for _ in range(5):
        asking.transport.get(api.url)
    assert time.monotonic() - began >= 0.04  # by our clock: on the way to the server they may bunch up


def test_a_wait_ends_at_once_when_the_caller_stops(api: StacApi) -> None:
    import threading

    stop = threading.Event()
    api.fault("/", status=503, headers={"Retry-After": "60"}, times=None)
    transport = Transport(options_for(api, max_retry_after=60.0), stop)
    threading.Timer(0.02, stop.set).start()
    with pytest.raises(Cancelled):
        transport.get(api.url)
    with pytest.raises(Cancelled):
        transport.get(api.url)
    assert len(api.requests) == 1


def test_log_lines_show_no_query_values(api: StacApi, caplog: pytest.LogCaptureFixture) -> None:
    for item in some_items(5):
        api.put(item)

    def signed(page: Any, _: Request) -> Any:
        for link in page["links"]:
            if link["rel"] == "next":
                link["href"] += "&sig=s3cr3t"
        return page

    api.on_page, api.post_search = signed, False
    api.fault(lambda request: "token" in request.query, status=503)
    with caplog.at_level(logging.DEBUG, "stac_assets"):
        assert searched(client(api, api_key=SECRET)) == ids_of(5)
    assert "503" in caplog.text
    assert "s3cr3t" not in caplog.text
