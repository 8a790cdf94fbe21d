"""One HTTP request and its answer, bounded in size and time. It is signed for trusted origins only."""

import re
import threading
import time
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from json import detect_encoding
from typing import Any

import requests
from urllib3.exceptions import DecodeError as EncodingError
from urllib3.exceptions import HTTPError, LocationValueError, MaxRetryError, ProtocolError, ReadTimeoutError

from stac_assets.stac.errors import (
    Cancelled,
    RequestFailed,
    RequestTooHeavy,
    StacError,
    TookTooLong,
    Unreachable,
)
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.auth import Credentials
from stac_assets.stac.http.links import Origin, origin_of, shown
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.http.proxies import check_proxy
from stac_assets.stac.http.redaction import hiding
from stac_assets.stac.http.trust import TrustingAdapter, refused_certificate

CHUNK = 1 << 18
"""The bytes that are read at a time. Each time costs interpreter time, which other threads want too."""
NETWORK_HELP = (
    "Check the name and your network; behind a proxy set HTTPS_PROXY (and NO_PROXY), "
    "for a private certificate authority REQUESTS_CA_BUNDLE"
)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


class TransientFailure(Exception):
    """A failure that may pass, so that the request is sent again.

    Args:
        error: the error to raise if it does not pass.
        retry_after: seconds after which the API wants to be asked again.
        unproven: whether nothing has shown yet that the API can answer.
        throttled: whether the API says that requests are too many.
    """

    def __init__(
        self,
        error: StacError,
        retry_after: float | None = None,
        unproven: bool = False,
        throttled: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after
        self.unproven = unproven
        self.throttled = throttled


class Exchange:
    """Sends single requests. Threads may share it, and each has a connection of its own.

    Args:
        options: time-outs and limits.
        credentials: sign the requests.
        cancelled: stops the reading of a body.
    """

    def __init__(self, options: ApiOptions, credentials: Credentials, cancelled: threading.Event) -> None:
        self._options = options
        self._credentials = credentials
        self._cancelled = cancelled
        self._local = threading.local()

    def __call__(self, request: requests.Request) -> Answer:
        """The answer to one request, whatever its status. Redirects are not followed.

        Raises:
            TransientFailure: no answer came, or a part of one.
            RequestTooHeavy: the body is larger than allowed.
            RequestFailed: the request cannot be sent.
            ConfigurationError: the environment names certificates or a proxy that cannot be used.
        """
        options, url = self._options, str(request.url)
        if options.request_modifier is not None and self._credentials.trusts(url):
            request = options.request_modifier(request) or request
        error: Exception
        try:
            with hiding(self._credentials.hide):
                return self._sent(request, url)
        except requests.ReadTimeout:
            error = TransientFailure(self._late(url, options.read_timeout))
        except (requests.ConnectionError, requests.Timeout) as lost:
            error = TransientFailure(*self._lost(url, lost))
        except (requests.exceptions.InvalidURL, LocationValueError):
            error = RequestFailed(
                f"{shown(url)} cannot be requested: its host is no name that DNS could hold"
            )
        except requests.RequestException as cause:
            error = RequestFailed(f"{shown(url)} cannot be requested ({_reason(cause)})")
        raise error  # outside of the handlers, so that it has no context that shows the signed URL

    def _sent(self, request: requests.Request, url: str) -> Answer:
        deadline = time.monotonic() + self._options.request_timeout
        session = self._session()
        prepared = session.prepare_request(request)
        environment = session.environment(prepared.url or url)
        timeouts = self._options.connect_timeout, self._options.read_timeout
        with session.send(prepared, timeout=timeouts, allow_redirects=False, **environment) as response:
            return self._answer(response, deadline)

    def _answer(self, response: requests.Response, deadline: float) -> Answer:
        url, headers = self._credentials.unsigned(response.url), response.headers
        content_type, encoding = headers.get("Content-Type", ""), headers.get("Content-Encoding", "")
        try:
            body = self._read(response, deadline)
        except ReadTimeoutError:
            raise TransientFailure(self._late(url, self._options.read_timeout)) from None
        except EncodingError:
            error = RequestFailed(f"the answer of {shown(url)} is said to be {encoding}, and is not")
            raise TransientFailure(error) from None
        except (HTTPError, OSError) as error:
            broken = RequestTooHeavy(f"the answer of {shown(url)} broke off ({_reason(error)})")
            raise TransientFailure(broken) from None
        if body and not _is_understood(encoding, response):
            raise TransientFailure(
                RequestFailed(
                    f"{shown(url)} answered {response.status_code} with a body in the encoding "
                    f"{encoding!r}, which was not asked for; it begins with "
                    f"{self._credentials.hide(repr(body[:4096]))[:60]}"
                )
            )
        return Answer(
            url,
            response.status_code,
            _as_utf8(self._unpacked(body, url), content_type),
            content_type,
            headers.get("Location"),
            retry_after(headers.get("Retry-After"), datetime.now(UTC)),
            response.status_code == 401 and self._credentials.outdated(response.request),
            self._credentials.hide,
        )

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        body, size = BytesIO(), 0  # which grows in its place, where chunks would be there twice in the end
        # read1 returns what has come, so that the deadline holds for a body that comes byte by byte, too
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            size += len(chunk)
            self._check_size(size, response.url)
            if time.monotonic() > deadline:
                seconds = self._options.request_timeout
                raise TransientFailure(
                    TookTooLong(
                        f"the answer of {shown(response.url)} was not complete after {seconds:g} s, "
                        f"with {size} bytes (setting request_timeout)"
                    )
                )
            if self._cancelled.is_set():
                raise Cancelled("stopped on request")
            body.write(chunk)
        return body.getvalue()

    def _unpacked(self, body: bytes, url: str) -> bytes:
        """`body`, unpacked if it is gzip although no header says so."""
        if not body.startswith(_GZIP):
            return body
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            unpacked = unpacking.decompress(body, self._options.max_response_bytes + 1)
        except zlib.error:
            return body
        self._check_size(len(unpacked), url)
        return unpacked

    def _check_size(self, size: int, url: str) -> None:
        if size > self._options.max_response_bytes:
            raise RequestTooHeavy(
                f"the answer of {shown(url)} is larger than max_response_bytes "
                f"({self._options.max_response_bytes}); lower page_size or raise that setting"
            )

    def _late(self, url: str, seconds: float) -> TookTooLong:
        return TookTooLong(f"{shown(url)} sent nothing for {seconds:g} s (setting read_timeout)")

    def _lost(self, url: str, error: requests.RequestException) -> tuple[StacError, None, bool]:
        cause = error.args[0] if error.args else None
        if isinstance(cause, ProtocolError):  # the connection broke, perhaps because of what was asked for
            return RequestTooHeavy(f"{shown(url)} hung up ({_reason(error)})"), None, False
        if refused := refused_certificate(error):
            return Unreachable(f"the certificate of {shown(url)} is refused: {refused}"), None, True
        reason = _reason(cause.reason if isinstance(cause, MaxRetryError) and cause.reason else error)
        return Unreachable(f"no answer from {shown(url)} ({reason}). {NETWORK_HELP}"), None, True

    def _session(self) -> "_Session":
        # a requests.Session is not safe to share between threads
        if not hasattr(self._local, "session"):
            session = _Session()
            session.auth = self._credentials
            session.headers["Accept"] = "application/geo+json, application/json, */*;q=0.1"
            session.headers["Accept-Encoding"] = "gzip, deflate"
            session.headers["User-Agent"] = "stac-assets"
            self._local.session = session
        return self._local.session


class _Session(requests.Session):
    """A session that does not look at redirects.

    `requests` prepares the next request even if it is told not to follow redirects. For that it reads the
    whole body, however large, and fails with a bare ValueError at a Location that is not a URL.
    """

    def __init__(self) -> None:
        super().__init__()
        self._environments: dict[Origin, Any] = {}
        self._adapter = TrustingAdapter()
        for scheme in ("https://", "http://"):
            self.mount(scheme, self._adapter)

    def environment(self, url: str) -> Any:
        """The proxies that the environment names for `url`.

        They are read once for each host, because `requests` reads all variables twice for each request, which
        takes a fifth of its CPU time.
        """
        origin = origin_of(url)
        if origin not in self._environments:
            if origin[0] == "https":
                _ = self._adapter.context  # which refuses what it cannot read
            found = self.merge_environment_settings(url, {}, True, None, None)
            check_proxy(url, found["proxies"])
            self._environments[origin] = {**found, "verify": True}  # by whom, the adapter knows
        return self._environments[origin]

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _is_understood(encoding: str, response: requests.Response) -> bool:
    known = {*response.raw.CONTENT_DECODERS, "identity", ""}
    return all(part.strip().lower() in known for part in encoding.split(","))


def _as_utf8(body: bytes, content_type: str) -> bytes:
    """JSON text in UTF-8, whatever encoding it came in.

    What is valid UTF-8 counts as UTF-8 (RFC 8259 allows nothing else), whatever the header says.
    """
    declared = _CHARSET.search(content_type)
    candidates = [detect_encoding(body[:4] if len(body) >= 4 else b"{}  ")]
    try:
        if candidates[0] == "utf-8" and not body.isascii():
            body.decode()
    except UnicodeDecodeError:
        candidates += [declared[1]] if declared else []
    for encoding in candidates:
        if encoding.lower().replace("_", "-") in ("utf-8", "utf-8-sig", "utf8"):
            continue
        try:
            return body.decode(encoding).encode()
        except (UnicodeError, LookupError):
            continue
    return body


def _reason(error: BaseException) -> str:
    """The name of the innermost cause, without its text, which may show a signed URL."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{type(error).__name__}: {getattr(error, 'strerror', None) or 'no further detail'}"


def retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds of a `Retry-After` header (RFC 9110, 10.2.3), which holds seconds or an HTTP date."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d*)?", value.strip(), re.ASCII):
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then.replace(tzinfo=UTC) if then.tzinfo is None else then
    return max(0.0, (then - now).total_seconds())
