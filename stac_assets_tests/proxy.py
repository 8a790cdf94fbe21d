"""A TCP proxy before a server on a Unix socket, which hangs up when a test says so.

with Proxy(socket_path) as proxy:
    proxy.cut([b"DELETE FROM"])
    load()
    assert proxy.cuts == 1
"""

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

CHUNK = 1 << 16


@dataclass
class _Cut:
    words: Sequence[bytes]
    answer_only: bool
    for_good: bool


class Listener(ABC):
    """A server on 127.0.0.1 that runs inside its `with` block."""

    port: int

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                self.connect(self._listener.accept()[0])

    @abstractmethod
    def connect(self, client: socket.socket) -> None:
        """Answer somebody who has connected."""


def opened(server: str) -> socket.socket:
    """A connection to a server's Unix socket."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(server)
    return connection


class Proxy(Listener):
    """The proxy; it runs inside its `with` block."""

    def __init__(self, server: str) -> None:
        self.is_away = False
        """Hang up on whoever connects."""
        self.cuts = 0
        self._server = server
        self._cut: _Cut | None = None
        self._lock = threading.Lock()

    def cut(self, words: Sequence[bytes], *, answer_only: bool = False, for_good: bool = False) -> None:
        """Hang up on the first client that sends these words in this order.

        Args:
            words: each in a message of its own.
            answer_only: pass the last message on, and withhold the answer.
            for_good: be away from then on.
        """
        self._cut = _Cut(words, answer_only, for_good)

    def connect(self, client: socket.socket) -> None:
        """Pass on what both ends say, unless the server is away."""
        if self.is_away:
            client.close()
            return
        link = _Link(self, client, opened(self._server))
        threading.Thread(target=link.ask, daemon=True).start()
        threading.Thread(target=link.answer, daemon=True).start()

    def _take_cut(self, cut: "_Cut") -> bool:
        with self._lock:
            if self._cut is not cut:
                return False  # another connection was first
            self._cut = None
            self.cuts += 1
            self.is_away |= cut.for_good
            return True


class _Link:
    """One connection, in both directions."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._heard = 0
        self._is_cut = False

    def ask(self) -> None:
        with suppress(OSError):
            while message := self._client.recv(CHUNK):
                cut = self._proxy._cut
                if cut is not None and self._was_last_word(cut, message) and self._proxy._take_cut(cut):
                    self._is_cut = True
                    if not cut.answer_only:
                        break
                self._server.sendall(message)
        self._hang_up()

    def answer(self) -> None:
        with suppress(OSError):
            while message := self._server.recv(CHUNK):
                if self._is_cut:
                    break
                self._client.sendall(message)
        self._hang_up()

    def _was_last_word(self, cut: _Cut, message: bytes) -> bool:
        if cut.words[self._heard] in message:
            self._heard += 1
        return self._heard == len(cut.words)

    def _hang_up(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
