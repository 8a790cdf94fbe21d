"""Requests to one STAC API: several at a time, paced, retried where that can help, and counted."""

import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests
import tenacity

from stac_assets.stac.errors import (
    AuthenticationError,
    Cancelled,
    MethodRefused,
    RequestFailed,
    RequestTooHeavy,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.auth import Credentials
from stac_assets.stac.http.exchange import Exchange, Passing
from stac_assets.stac.http.links import followed, shown
from stac_assets.stac.http.oauth import client_tokens
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.http.rate_limit import Pace

T = TypeVar("T")

TOO_HEAVY = {408, 413, 500, 502, 503, 504}
"""Answers that a smaller request may not get."""
RETRIED = TOO_HEAVY - {413} | {425, 429}
REDIRECTS = {301, 302, 303, 307, 308}
REFUSALS = {403, 404, 405, 501}
"""Answers to a POST after which GET is tried."""
MAX_REDIRECTS = 5
RETRIES_BEFORE_FIRST_SUCCESS = 2
TOKEN_HELP = (
    "Set the token as `api_key` under [sources.pystac_client_source] in .dlt/secrets.toml, "
    "or as SOURCES__PYSTAC_CLIENT_SOURCE__API_KEY; what is no bearer token goes under "
    "[sources.pystac_client_source.credentials]"
)

logger = logging.getLogger("stac_assets")


class Transport:
    """Sends requests to one STAC API, several at a time, and keeps count of them."""

    def __init__(self, options: ApiOptions, cancelled: threading.Event | None = None) -> None:
        self.options = options
        self.totals = Figures()  # of the requests that no window counts
        self.pace = Pace(options.requests_per_second, options.backoff / 4, options.max_backoff, self._sleep)
        self._cancelled = cancelled or threading.Event()
        self.credentials = Credentials(options, client_tokens(options, self._cancelled))
        self._exchange = Exchange(options, self.credentials, self._cancelled)
        self._slots = threading.BoundedSemaphore(options.max_concurrent_requests)
        self._succeeded: set[str] = set()  # URLs without their query, so that all pages are one

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, figures: Figures | None = None
    ) -> Answer:
        """GET `url`; see `read`."""
        return self.send("GET", url, params=params, figures=figures)

    def send(self, method: str, url: str, **more: Any) -> Answer:
        """The answer to one request; see `read`, whose arguments this takes."""
        return self.read(lambda answer: answer, method, url, **more)

    def has_answered(self, url: str) -> bool:
        """Whether a request to `url`, whatever its query, ever succeeded."""
        return _endpoint(url) in self._succeeded

    def read(
        self,
        decode: Callable[[Answer], T],
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        figures: Figures | None = None,
        allow: frozenset[int] = frozenset(),
        retries: int | None = None,
    ) -> T:
        """Send one request, with retries, and decode the answer: 2xx, or one whose status is in `allow`.

        An answer that `decode` refuses with `RequestFailed` is asked for again, as a broken one is.

        Raises:
            Unreachable: no connection, after the retries.
            AuthenticationError: 401, or 403 while nothing has succeeded yet, or after the retries.
            MethodRefused: a POST answered 403, 404, 405 or 501.
            RequestTooHeavy: the API fails, or takes too long, or says too much; after the retries.
            RequestFailed: any other status, or an answer of another kind, after the retries.
            Cancelled: the caller's event was set.
        """
        figures = self.totals if figures is None else figures
        endpoint = _endpoint(url)
        limit = self.options.max_retries if retries is None else min(retries, self.options.max_retries)

        def attempt() -> T:
            with self._slots:
                answer = self._follow(method, url, params, json, headers, figures)
                if not (200 <= answer.status < 300 or answer.status in allow):
                    failure = self._failure(method, answer, endpoint)
                    if isinstance(failure, Passing) and failure.throttled:
                        # before the slot is free, for which another thread may be waiting
                        self.pace.slow_down(self._delay(failure, retrying.statistics["attempt_number"]))
                    raise failure
            try:
                decoded = decode(answer)
            except RequestFailed as error:
                raise Passing(error, unproven=endpoint not in self._succeeded) from None
            self._succeeded.add(endpoint)
            self.pace.ease()
            return decoded

        def stop(state: tenacity.RetryCallState) -> bool:
            unproven = _passing(state).unproven
            return state.attempt_number > (min(limit, RETRIES_BEFORE_FIRST_SUCCESS) if unproven else limit)

        def before_wait(state: tenacity.RetryCallState) -> None:
            wait = state.next_action.sleep if state.next_action else 0.0
            figures.retries += 1
            figures.seconds_waited += wait
            logger.info("%s; attempt %d failed, next in %.1f s", _passing(state), state.attempt_number, wait)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Passing),
            stop=stop,
            wait=lambda state: self._delay(_passing(state), state.attempt_number),
            sleep=self._sleep,
            before_sleep=before_wait,
            retry_error_callback=_give_up,
        )
        return retrying(attempt)

    def _delay(self, failure: Passing, attempts: int) -> float:
        """Seconds to wait after so many attempts."""
        if failure.retry_after is not None:
            return min(failure.retry_after, self.options.max_retry_after)
        delay = min(self.options.backoff * 2 ** (attempts - 1), self.options.max_backoff)
        return delay * random.uniform(0.75, 1.25)

    def _sleep(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise Cancelled("stopped on request")

    def _follow(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str] | None,
        figures: Figures,
    ) -> Answer:
        may_renew = True
        for _ in range(MAX_REDIRECTS + 1):
            request = requests.Request(method, url, params=params, json=json, headers=dict(headers or {}))
            if self._cancelled.is_set():
                raise Cancelled("stopped on request")
            figures.seconds_waited += self.pace.wait_turn()
            figures.requests += 1
            try:
                answer = self._exchange(request)
            except Passing as error:
                # a host that never answered is more likely a wrong name than a short outage
                error.unproven &= not self._succeeded
                raise
            figures.bytes += len(answer.body)
            if answer.outdated and may_renew:
                may_renew = False
                continue
            if answer.status not in REDIRECTS or not answer.location:
                return answer
            url, params = followed(answer.url, answer.location), None
            if answer.status in (301, 302, 303) and method == "POST":
                method, json = "GET", None
        raise RequestFailed(f"{shown(url)} was redirected more than {MAX_REDIRECTS} times")

    def _failure(self, method: str, answer: Answer, endpoint: str) -> Exception:
        status = answer.status
        where = f"{method} {shown(answer.url)} answered {status}"
        if status == 401:
            return AuthenticationError(f"{where}: the API does not accept the credentials. {TOKEN_HELP}", 401)
        if method == "POST" and status in REFUSALS:
            return MethodRefused(f"{where}: {answer.beginning()}", status)
        if status == 403:
            # Some APIs (Earth Search) throttle with 403, which nothing tells from a missing right
            # but that the same was allowed before.
            refused = AuthenticationError(f"{where}: access is refused. {TOKEN_HELP}", 403)
            unproven = endpoint not in self._succeeded
            return Passing(refused, answer.retry_after, unproven, True) if self._succeeded else refused
        kind = RequestTooHeavy if status in TOO_HEAVY else RequestFailed
        error = kind(f"{where}: {answer.beginning()}", status)
        throttled = status == 429 or (status == 503 and answer.retry_after is not None)
        return Passing(error, answer.retry_after, False, throttled) if status in RETRIED else error


def _endpoint(url: str) -> str:
    return shown(url).partition("?")[0]


def _passing(state: tenacity.RetryCallState) -> Passing:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, Passing)
    return error


def _give_up(state: tenacity.RetryCallState) -> Any:
    error = _passing(state).error
    error.args = (f"{error} (tried {state.attempt_number} times)", *error.args[1:])
    raise error
