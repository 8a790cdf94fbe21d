"""An HTTP/1.1 server on 127.0.0.1 that records what it is asked and spoils its answers on request."""

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import KW_ONLY, dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self
from urllib.parse import parse_qsl, unquote, urlsplit

P = ParamSpec("P")
PADDING = b" " * 65536


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    """The request line's target, untouched: prefix, percent escapes and query included."""
    segments: tuple[str, ...]
    """The decoded steps of the path below the API's prefix; ("..", ...) for a path outside of it."""
    query: dict[str, str]
    body: Any
    """The parsed JSON body, or the fields of a form; None without one, or when it is neither."""
    headers: dict[str, str]
    """By lower-case name."""
    time: float
    """`time.monotonic()` at arrival."""

    @property
    def path(self) -> str:
        """The decoded path below the API's prefix, such as "/search"; "/" is the landing page."""
        return "/" + "/".join(self.segments)


@dataclass(frozen=True)
class Reply:
    """An answer as it is meant, before a fault spoils it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def error(cls, status: int, description: str = "", headers: Mapping[str, str] | None = None) -> Self:
        """A JSON error document, or nothing for a status that has no body."""
        if status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            return cls(status, b"", headers or {})
        body = json.dumps({"code": str(status), "description": description or f"status {status}"}).encode()
        return cls(status, body, {"Content-Type": "application/json", **(headers or {})})


@dataclass
class Fault:
    """What to do to the requests that `match`.

    `status` or `body` replace the normal answer; everything else is done to whichever answer there is.
    """

    match: Callable[[Request], bool] | str = "/"
    """A predicate, or the beginning of a path below the API's prefix."""
    _: KW_ONLY
    times: int | None = 1
    """How many requests it is for; None is all of them."""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0
    """Seconds before the answer begins."""
    drop: bool = False
    """Close the socket without an answer."""
    truncate: int | None = None
    """Announce the whole length, send that many bytes of the body, close."""
    chunked_truncate: bool = False
    """Send half of the body in a chunk, close without the last chunk."""
    drip: float = 0
    """Seconds before each byte of the body."""
    endless: bool = False
    """Send the body up to its last byte, and then spaces for ever."""
    used: int = field(default=0, init=False)
    """How many requests it was used on."""

    def takes(self, request: Request) -> bool:
        if self.times is not None and self.used >= self.times:
            return False
        return request.path.startswith(self.match) if isinstance(self.match, str) else self.match(request)

    def reply(self, normal: Callable[[], Reply]) -> Reply:
        """The answer in full; `normal` is asked only when this fault has none of its own."""
        if self.body is not None:
            reply = Reply(self.status or 200, self.body, {"Content-Type": "application/json"})
        elif self.status is not None:
            reply = Reply.error(self.status, "on request")
        else:
            reply = normal()
        # Title case on both sides, so that a fault's header replaces the answer's, however it is spelt.
        headers = {name.title(): value for name, value in (*reply.headers.items(), *self.headers.items())}
        return Reply(reply.status, reply.body, headers)

    @property
    def chunked(self) -> bool:
        return self.chunked_truncate or self.endless

    @property
    def closes(self) -> bool:
        return self.drop or self.chunked or self.truncate is not None

    def pieces(self, body: bytes, wait: Callable[[float], None]) -> Iterator[bytes]:
        """The body as it goes over the wire."""
        if self.truncate is not None:
            body = body[: self.truncate]
        if self.chunked_truncate:
            body = body[: (len(body) + 1) // 2]
        content: Iterable[bytes] = chain([body[:-1]], repeat(PADDING)) if self.endless else [body]
        if self.drip:
            content = (bytes([byte]) for piece in content for byte in piece)
        for piece in filter(None, content):
            wait(self.drip)
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece


def _registers(make: Callable[P, Fault]) -> Callable[Concatenate["FaultyServer", P], Fault]:
    """A method with the parameters of `Fault` that makes one and adds it to the server's."""

    def fault(self: "FaultyServer", *args: P.args, **kwargs: P.kwargs) -> Fault:
        made = make(*args, **kwargs)
        self.faults.append(made)
        return made

    return fault


class FaultyServer:
    """Answers over HTTP with `answer()`, once the first of `faults` that takes the request has had its way.

    It runs inside its `with` block. What goes wrong in it (in `answer`, a hook or a predicate) is answered
    with 500 and raised at the block's end. Entered again it listens on the same port again.
    """

    prefix: str
    """The path of the root, such as "/v1"; it is no part of a request's `segments` and `path`."""

    def __init__(self) -> None:
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        """What it shakes hands with; None where it speaks plain HTTP."""
        self.faults: list[Fault] = []
        self.errors: list[Exception] = []
        self.requests: list[Request] = []
        self.max_in_flight = 0
        self._in_flight = 0
        self._lock = threading.RLock()

    fault = _registers(Fault)

    def answer(self, request: Request) -> Reply:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{self.prefix}"

    def reset(self) -> None:
        """Forget the requests seen so far."""
        with self._lock:
            self.requests.clear()
            self.max_in_flight = self._in_flight

    def __enter__(self) -> Self:
        self._stopping = threading.Event()
        self._listener = _Listener(self)
        self.port = self._listener.server_port
        if self.tls is not None:
            self._listener.socket = self.tls.wrap_socket(self._listener.socket, server_side=True)
        threading.Thread(target=self._listener.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._listener.stop()
        if error is None and self.errors:
            raise self.errors[0]

    def serve(self, http: BaseHTTPRequestHandler) -> None:
        """Answer one request of a connection."""
        request = self._read(http)
        with ExitStack() as flight:
            with self._lock:
                self.requests.append(request)
                self._in_flight += 1
                self.max_in_flight = max(self.max_in_flight, self._in_flight)
            flight.callback(self._land)
            try:
                with self._lock:
                    fault = next((fault for fault in self.faults if fault.takes(request)), Fault())
                    fault.used += 1
                self._wait(fault.delay)
                http.close_connection |= fault.closes
                if fault.drop:
                    return
                reply = fault.reply(lambda: self.answer(request))
            except ConnectionAbortedError:
                raise
            except Exception as error:
                self.errors.append(error)
                fault, reply = Fault(), Reply.error(500, repr(error))
            # Landed before its last piece is sent: a client that has the answer may ask again at once, and
            # must not be counted as two.
            pending = self._head(http, reply, fault)
            for piece in fault.pieces(reply.body, self._wait):
                http.wfile.write(pending)
                pending = piece
            flight.close()
            http.wfile.write(pending)

    def _land(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def _wait(self, seconds: float) -> None:
        if seconds and self._stopping.wait(seconds):
            raise ConnectionAbortedError("the server stops")

    def _read(self, http: BaseHTTPRequestHandler) -> Request:
        raw = http.rfile.read(int(http.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            is_form = http.headers.get_content_subtype() == "x-www-form-urlencoded"
            body = (is_form and dict(parse_qsl(raw.decode()))) or None
        where = urlsplit("http://host" + http.path)
        path = where.path.rstrip("/") if where.path == self.prefix + "/" else where.path
        inside = path == self.prefix or path.startswith(self.prefix + "/")
        steps = path.removeprefix(self.prefix) if inside else "/.." + path
        return Request(
            method=http.command,
            target=http.path,
            segments=tuple(unquote(step) for step in steps.split("/")[1:]),
            query=dict(parse_qsl(where.query, keep_blank_values=True)),
            body=body,
            headers={name.lower(): value for name, value in http.headers.items()},
            time=time.monotonic(),
        )

    @staticmethod
    def _head(http: BaseHTTPRequestHandler, reply: Reply, fault: Fault) -> bytes:
        length = {"Transfer-Encoding": "chunked"} if fault.chunked else {"Content-Length": len(reply.body)}
        ending = {"Connection": "close"} if http.close_connection else {}
        headers = {**length, **ending, **reply.headers}
        phrase, *_ = http.responses.get(reply.status, ("",))
        lines = [
            f"HTTP/1.1 {reply.status} {phrase}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Listener"  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.server.owner.serve(self)

    def do_POST(self) -> None:
        self.server.owner.serve(self)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Listener(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, owner: FaultyServer) -> None:
        self.owner = owner
        self.connections: set[Any] = set()
        super().__init__(("127.0.0.1", owner.port), _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own looks its name up in the DNS
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Stop listening and hang up on those connected: a kept-alive connection gets no more answers."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):  # OSError: the client hung up
            self.owner.errors.append(error)
