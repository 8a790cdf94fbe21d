"""Requests to one STAC API, which are paced, counted, and sent again where that can help."""

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
    UntrustedLink,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.auth import Credentials
from stac_assets.stac.http.exchange import Exchange, TransientFailure
from stac_assets.stac.http.links import (
    Origin,
    asked_again,
    followed,
    is_confidential,
    is_http,
    origin_of,
    shown,
)
from stac_assets.stac.http.oauth import client_tokens
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.http.rate_limit import paced

T = TypeVar("T")

TOO_HEAVY = {408, 413, 500, 502, 503, 504}
"""The statuses that a smaller request may avoid."""
RETRIED = TOO_HEAVY - {413} | {425, 429}
REDIRECTS = {301, 302, 303, 307, 308}
SEE_OTHER = 303
"""The redirect whose target is the result of a POST, and is asked for by GET (RFC 9110, 15.4.4)."""
REFUSALS = {403, 404, 405, 501}
"""The statuses of a POST after which GET is tried."""
MAX_REDIRECTS = 5
RETRIES_BEFORE_FIRST_SUCCESS = 2

logger = logging.getLogger("stac_assets")


class Transport:
    """Sends requests to one STAC API. Threads share it, and their number at a time is limited.

    Args:
        options: the options of the API.
        cancelled: once it is set, requests raise `Cancelled`.
    """

    def __init__(self, options: ApiOptions, cancelled: threading.Event | None = None) -> None:
        self.options = options
        self.totals = Figures()
        """The figures of the requests for which no other figures are given."""
        self.sent = 0
        """The number of requests that were sent, whatever figures count them."""
        self.pace = paced(options, self._sleep)
        self._cancelled = cancelled or threading.Event()
        self.credentials = Credentials(options, client_tokens(options, self._cancelled))
        self._exchange = Exchange(options, self.credentials, self._cancelled)
        self._slots = threading.BoundedSemaphore(options.max_concurrent_requests)
        self._succeeded: set[str] = set()  # URLs without their query, so that all pages are one
        self._followed: set[Origin] = set()  # origins of the API that are not trusted with credentials
        self._moved: dict[str, str] = {}  # where a POST is answered now, by the URL that redirects it

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, figures: Figures | None = None
    ) -> Answer:
        """The answer to a GET request; see `read`."""
        return self.send("GET", url, params=params, figures=figures)

    def send(self, method: str, url: str, **more: Any) -> Answer:
        """The answer to a request; the arguments are those of `read`."""
        return self.read(lambda answer: answer, method, url, **more)

    def follows(self, url: str) -> bool:
        """Whether links and redirects to `url` are followed: to trusted origins, and where the API is now."""
        return self.credentials.trusts(url) or (is_http(url) and origin_of(url) in self._followed)

    def moved_to(self, url: str) -> None:
        """Note the URL at which the landing page has answered. Its origin is followed, but not trusted.

        A redirect from https to http is not followed any further than to the landing page.
        """
        if is_confidential(url) or not is_confidential(self.options.base_url):
            self._followed.add(origin_of(url))

    def moved(self, url: str) -> str:
        """The URL at which a POST to `url` was answered, after redirects; `url` where none is known."""
        return self._moved.get(url, url)

    def has_answered(self, url: str) -> bool:
        """Whether a request to `url` has succeeded, whatever its query."""
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
        """Send a request until it is answered, or its retries are used up, and decode the answer.

        Args:
            decode: decodes an answer. One that it refuses with `RequestFailed` is asked for again.
            method: `GET` or `POST`.
            url: the URL, which may have a query.
            params: further parameters of the query.
            json: what is sent as JSON.
            headers: further headers.
            figures: counts the requests; by default `totals` does.
            allow: statuses that are decoded like 2xx.
            retries: the most retries; by default as many as the options say.

        Raises:
            Unreachable: the host gave no answer.
            AuthenticationError: 401, or 403 while nothing has succeeded yet.
            MethodRefused: a POST was answered with 403, 404, 405 or 501.
            RequestTooHeavy: the API fails, takes too long, or answers with too much.
            RequestFailed: any other status, or an answer that `decode` refuses.
            Cancelled: the caller's event is set.
        """
        figures = self.totals if figures is None else figures
        endpoint = _endpoint(url)
        limit = self.options.max_retries if retries is None else min(retries, self.options.max_retries)

        def attempt() -> T:
            with self._slots:
                answer = self._follow(method, url, params, json, headers, figures)
                if not (200 <= answer.status < 300 or answer.status in allow):
                    failure = self._failure(method, answer, endpoint)
                    if isinstance(failure, TransientFailure) and failure.throttled:
                        # before the slot is free, because another thread may wait for it
                        self.pace.slow_down(self._delay(failure, retrying.statistics["attempt_number"]))
                    raise failure
            try:
                decoded = decode(answer)
            except RequestFailed as error:
                raise TransientFailure(error, unproven=endpoint not in self._succeeded) from None
            self._succeeded.add(endpoint)
            self.pace.ease()
            return decoded

        def stop(state: tenacity.RetryCallState) -> bool:
            unproven = _failure_of(state).unproven
            return state.attempt_number > (min(limit, RETRIES_BEFORE_FIRST_SUCCESS) if unproven else limit)

        def before_wait(state: tenacity.RetryCallState) -> None:
            wait = state.next_action.sleep if state.next_action else 0.0
            figures.retries += 1
            figures.seconds_waited += wait
            failure, attempts = _failure_of(state), state.attempt_number
            logger.info("%s; attempt %d failed, next in %.1f s", failure, attempts, wait)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientFailure),
            stop=stop,
            wait=lambda state: self._delay(_failure_of(state), state.attempt_number),
            sleep=self._sleep,
            before_sleep=before_wait,
            retry_error_callback=_give_up,
        )
        return retrying(attempt)

    def _delay(self, failure: TransientFailure, attempts: int) -> float:
        """The seconds to wait after so many attempts."""
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
        may_renew, asked = True, url
        url = self._moved.get(url, url) if method == "POST" else url
        for _ in range(MAX_REDIRECTS + 1):
            request = requests.Request(method, url, params=params, json=json, headers=dict(headers or {}))
            if self._cancelled.is_set():
                raise Cancelled("stopped on request")
            figures.seconds_waited += self.pace.wait()
            figures.requests += 1
            self.sent += 1
            try:
                answer = self._exchange(request)
            except TransientFailure as error:
                # a host that has never answered is more likely to be a wrong name than out for a moment
                error.unproven &= not self._succeeded
                raise
            figures.bytes += len(answer.body)
            if answer.outdated and may_renew:
                may_renew = False
                continue
            if answer.status not in REDIRECTS or not answer.location:
                if method == "POST" and url != asked and answer.status < 300:
                    self._moved[asked] = url
                return answer
            url, params = self._redirected(method, request, answer), None
            if answer.status == SEE_OTHER:
                method, json = "GET", None
        raise RequestFailed(f"{shown(url)} was redirected more than {MAX_REDIRECTS} times")

    def _redirected(self, method: str, request: requests.Request, answer: Answer) -> str:
        """The URL at which a redirected request is sent again; the question that it asks stays the same.

        Raises:
            UntrustedLink: it leads to no http(s) URL, or a POST would go to an origin that is not followed.
        """
        target = followed(answer.url, answer.location or "")
        if method == "POST" and answer.status != SEE_OTHER:
            if not self.follows(target):
                raise UntrustedLink(
                    f"POST {shown(answer.url)} is redirected to another origin, {shown(target)}, and is not "
                    "followed; if that is right, list it in `trusted_origins`, or use it in `base_url`"
                )
            return target
        return asked_again(target, str(request.prepare().url))

    def _failure(self, method: str, answer: Answer, endpoint: str) -> Exception:
        status = answer.status
        where = f"{method} {shown(answer.url)} answered {status}"
        if status == 401:
            if not self.credentials.trusts(answer.url):
                why = (
                    "no credential is sent there, as it is not the origin of base_url; if that is right, "
                    "list it in `trusted_origins`, or use it in `base_url`"
                )
                return AuthenticationError(f"{where}: {why}", 401)
            advice = self.options.token_help
            return AuthenticationError(f"{where}: the API does not accept the credentials. {advice}", 401)
        if method == "POST" and status in REFUSALS:
            return MethodRefused(f"{where}: {answer.beginning()}", status)
        if status == 403:
            # Some APIs (Earth Search) throttle with 403. Only an earlier success distinguishes that from a
            # missing right.
            refused = AuthenticationError(f"{where}: access is refused. {self.options.token_help}", 403)
            if not self._succeeded:
                return refused
            is_new = endpoint not in self._succeeded
            return TransientFailure(refused, answer.retry_after, unproven=is_new, throttled=True)
        kind = RequestTooHeavy if status in TOO_HEAVY else RequestFailed
        error = kind(f"{where}: {answer.beginning()}", status, answer.body[:4096])
        throttled = status == 429 or (status == 503 and answer.retry_after is not None)
        return TransientFailure(error, answer.retry_after, False, throttled) if status in RETRIED else error


def _endpoint(url: str) -> str:
    return shown(url).partition("?")[0]


def _failure_of(state: tenacity.RetryCallState) -> TransientFailure:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TransientFailure)
    return error


def _give_up(state: tenacity.RetryCallState) -> Any:
    error = _failure_of(state).error
    error.args = (f"{error} (tried {state.attempt_number} times)", *error.args[1:])
    raise error
