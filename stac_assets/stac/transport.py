"""One HTTP exchange: polite, bounded, retried where that can help, and silent about secrets."""

import email.utils
import logging
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
import tenacity

from stac_assets.stac.credentials import Credentials, followed
from stac_assets.stac.errors import (
    AuthenticationError,
    Cancelled,
    MethodRefused,
    PagingError,
    RequestFailed,
    StacError,
    Unreachable,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.options import ApiOptions
from stac_assets.stac.origins import shown

RETRIED = {408, 425, 429, 500, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}
REFUSALS = {403, 404, 405, 501}
"""Answers to a POST after which GET is tried."""
MAX_REDIRECTS = 5
CHUNK = 1 << 16
RETRIES_BEFORE_FIRST_SUCCESS = 2
TOKEN_HELP = (
    "Set the token as `api_key` under [sources.pystac_client_source] in .dlt/secrets.toml, "
    "or as SOURCES__PYSTAC_CLIENT_SOURCE__API_KEY"
)
NETWORK_HELP = (
    "Check the name and your network; behind a proxy set HTTPS_PROXY (and NO_PROXY), "
    "for a private certificate authority REQUESTS_CA_BUNDLE"
)

logger = logging.getLogger("stac_assets")


@dataclass(frozen=True)
class Answer:
    """What came back: the URL that answered last, its status, and the whole decoded body."""

    url: str
    status: int
    body: bytes
    content_type: str

    def beginning(self) -> str:
        """The first bytes of the body, for an error message."""
        return repr(self.body[:160].decode("utf-8", "replace"))


class Transport:
    """Sends requests to one STAC API, several at a time, and keeps count of them."""

    def __init__(self, options: ApiOptions, cancelled: threading.Event | None = None) -> None:
        self.options = options
        self.totals = Figures()  # of the requests that no window counts
        self.credentials = Credentials(options)
        self._cancelled = cancelled or threading.Event()
        self._slots = threading.BoundedSemaphore(options.max_concurrent_requests)
        self._pace = threading.Lock()
        self._next_start = 0.0
        self._local = threading.local()
        self._succeeded: set[str] = set()  # URLs without their query, so that all pages are one

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, figures: Figures | None = None
    ) -> Answer:
        """GET `url`; see `send`."""
        return self.send("GET", url, params=params, figures=figures)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        figures: Figures | None = None,
        allow: frozenset[int] = frozenset(),
    ) -> Answer:
        """Send one request, with retries, and return a 2xx answer (or one whose status is in `allow`).

        Raises:
            Unreachable: no connection, after the retries.
            AuthenticationError: 401, or 403 while nothing has succeeded yet.
            MethodRefused: a POST answered 403, 404, 405 or 501.
            RequestFailed: any other status, or a broken body, after the retries.
            Cancelled: the caller's event was set.
        """
        figures = self.totals if figures is None else figures

        def attempt() -> Answer:
            answer = self._exchange(method, url, params, json, headers, figures)
            if 200 <= answer.status < 300 or answer.status in allow:
                self._succeeded.add(shown(url).partition("?")[0])
                return answer
            raise self._failure(method, url, answer)

        def before_wait(state: tenacity.RetryCallState) -> None:
            figures.retries += 1
            wait = state.next_action.sleep if state.next_action else 0.0
            figures.seconds_waited += wait
            error = state.outcome.exception() if state.outcome else None
            logger.info("%s; attempt %d failed, next in %.1f s", error, state.attempt_number, wait)

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            stop=self._stop,
            wait=self._wait,
            sleep=self._sleep,
            before_sleep=before_wait,
            retry_error_callback=_give_up,
        )(attempt)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        limit = self.options.max_retries
        if _error_of(state).unproven:
            limit = min(limit, RETRIES_BEFORE_FIRST_SUCCESS)
        return state.attempt_number > limit

    def _wait(self, state: tenacity.RetryCallState) -> float:
        told = _error_of(state).retry_after
        if told is not None:
            return min(told, self.options.max_retry_after)
        delay = min(self.options.backoff * 2 ** (state.attempt_number - 1), self.options.max_backoff)
        return delay * random.uniform(0.75, 1.25)

    def _sleep(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise Cancelled("stopped on request")

    def _exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str] | None,
        figures: Figures,
    ) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            request = requests.Request(method, url, params=params, json=json, headers=dict(headers or {}))
            if self.options.request_modifier is not None:
                request = self.options.request_modifier(request) or request
            with self._slots:
                self._keep_pace()
                figures.requests += 1
                status, final, target, body, content_type = self._once(request)
            figures.bytes += len(body)
            if status not in REDIRECTS or not target:
                return Answer(final, status, body, content_type)
            url, params = followed(final, target), None
            if status in (301, 302, 303) and method == "POST":
                method, json = "GET", None
        raise PagingError(f"{shown(url)} was redirected more than {MAX_REDIRECTS} times")

    def _once(self, request: requests.Request) -> tuple[int, str, str | None, bytes, str]:
        url = str(request.url)
        try:
            prepared = self._session().prepare_request(request)
            settings = self._session().merge_environment_settings(prepared.url or url, {}, True, None, None)
            deadline = time.monotonic() + self.options.request_timeout
            with self._session().send(
                prepared,
                timeout=(self.options.connect_timeout, self.options.read_timeout),
                allow_redirects=False,
                **settings,
            ) as response:
                body = self._read(response, deadline)
                if response.status_code in RETRIED or response.status_code == 403:
                    self._note_retry_after(response)
                return (
                    response.status_code,
                    response.url,
                    response.headers.get("Location"),
                    body,
                    response.headers.get("Content-Type", ""),
                )
        except (requests.ConnectionError, requests.Timeout) as error:
            connecting = not isinstance(error, requests.ReadTimeout)
            raise _Passing(
                Unreachable(
                    f"no answer from {shown(url)} ({_reason(error)}). {NETWORK_HELP}"
                    if connecting
                    else f"{shown(url)} did not answer within {self.options.read_timeout} s"
                ),
                unproven=connecting and not self._succeeded,
            ) from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            message = f"the answer of {shown(url)} broke off or cannot be decoded ({_reason(error)})"
            raise _Passing(RequestFailed(message)) from None
        except requests.RequestException as error:
            raise RequestFailed(f"{shown(url)} cannot be requested ({_reason(error)})") from None

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_content(CHUNK):
            size += len(chunk)
            if size > self.options.max_response_bytes:
                raise RequestFailed(
                    f"the answer of {shown(response.url)} is larger than max_response_bytes "
                    f"({self.options.max_response_bytes}); lower page_size or raise that setting"
                )
            if time.monotonic() > deadline:
                seconds = self.options.request_timeout
                raise _Passing(
                    RequestFailed(f"the answer of {shown(response.url)} was not complete after {seconds} s")
                )
            if self._cancelled.is_set():
                raise Cancelled("stopped on request")
            chunks.append(chunk)
        expected = response.headers.get("Content-Length", "")
        if expected.isdigit() and response.raw.tell() < int(expected) and response.request.method != "HEAD":
            raise _Passing(
                RequestFailed(f"the answer of {shown(response.url)} broke off at {size} of {expected} bytes")
            )
        return b"".join(chunks)

    def _failure(self, method: str, url: str, answer: Answer) -> Exception:
        where = f"{method} {shown(answer.url)} answered {answer.status}"
        said = self.credentials.hide(answer.beginning())
        told = self._local.__dict__.pop("retry_after", None)
        if answer.status == 401:
            return AuthenticationError(f"{where}: the API does not accept the credentials. {TOKEN_HELP}", 401)
        if method == "POST" and answer.status in REFUSALS:
            return MethodRefused(f"{where}: {said}", answer.status)
        if answer.status == 403:
            # Some APIs (Earth Search) throttle with 403, which nothing tells from a missing right
            # but that the same was allowed before.
            refused = AuthenticationError(f"{where}: access is refused. {TOKEN_HELP}", 403)
            proven = shown(url).partition("?")[0] in self._succeeded
            return _Passing(refused, told, unproven=not proven) if self._succeeded else refused
        error = RequestFailed(f"{where}: {said}", answer.status)
        return _Passing(error, told) if answer.status in RETRIED else error

    def _note_retry_after(self, response: requests.Response) -> None:
        self._local.retry_after = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))

    def _keep_pace(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("stopped on request")
        if not self.options.requests_per_second:
            return
        with self._pace:
            now = time.monotonic()
            start = max(now, self._next_start)
            self._next_start = start + 1 / self.options.requests_per_second
        self._sleep(start - now)

    def _session(self) -> requests.Session:
        # a requests.Session is not safe to share between threads
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.auth = self.credentials
            session.headers["Accept"] = "application/geo+json, application/json, */*;q=0.1"
            session.headers["Accept-Encoding"] = "gzip, deflate"
            session.headers["User-Agent"] = "stac-assets"
            self._local.session = session
        return self._local.session


class _Passing(Exception):
    """Wraps an error that may not come again, with what the API said about when to ask."""

    def __init__(self, error: StacError, retry_after: float | None = None, unproven: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after
        self.unproven = unproven  # nothing shows yet that asking again can help


def _error_of(state: tenacity.RetryCallState) -> _Passing:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _Passing)
    return error


def _give_up(state: tenacity.RetryCallState) -> Answer:
    error = _error_of(state).error
    error.args = (f"{error} (tried {state.attempt_number} times)", *error.args[1:])
    raise error


def _reason(error: BaseException) -> str:
    """The innermost cause, whose text names no URL of ours (a query string may be signed)."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{type(error).__name__}: {getattr(error, 'strerror', None) or 'no further detail'}"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait that a `Retry-After` header asks for (RFC 9110, 10.2.3): seconds or an HTTP date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then.replace(tzinfo=UTC) if then.tzinfo is None else then
    return max(0.0, (then - now).total_seconds())
