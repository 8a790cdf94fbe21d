"""The replay server's process: `python -m benchmarks.replay.server --kind large --items 1000 --days 2`.

Raw sockets and a thread for each connection: nothing but rendering holds the interpreter, so the server
answers faster than any client here can read. It prints its URL, serves on 127.0.0.1, and ends with its
standard input, so that it never outlives the process that started it.
"""

import argparse
import json
import socket
import sys
import threading
import time

from benchmarks.replay.api import Api, Reply
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.counters import Counters

REASONS = {200: b"OK", 404: b"Not Found"}


class Server:
    """Serves one catalog; what an answer takes to make is a part of its `latency` in seconds."""

    def __init__(self, catalog: Catalog, latency: float = 0.0) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._api = Api(catalog, self.url)
        self._latency = latency
        self._counters = Counters()

    def serve(self) -> None:
        """Accept connections for ever."""
        while True:
            connection, _ = self._socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while self._exchange(connection, stream):
                    pass
            except ConnectionError:
                pass  # the client has gone

    def _exchange(self, connection: socket.socket, stream) -> bool:
        """Answer one request; whether another may follow on the connection."""
        method, _, rest = stream.readline().decode("latin-1").partition(" ")
        if not rest:
            return False
        target = rest.split(" ")[0]
        headers = {}
        while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        stays = headers.get("connection", "").lower() != "close"
        if target.startswith("/admin/"):
            _send(connection, self._administer(target))
            return stays
        self._counters.began()
        due = time.monotonic() + self._latency
        reply = self._api.answer(method, target, body)
        time.sleep(max(0.0, due - time.monotonic()))
        _send(connection, reply, self._counters)
        return stays

    def _administer(self, target: str) -> Reply:
        if target == "/admin/reset":
            self._counters.reset()
        return Reply(200, json.dumps(self._counters.figures()).encode())


def _send(connection: socket.socket, reply: Reply, counters: Counters | None = None) -> None:
    kind = b"application/geo+json" if reply.items else b"application/json"
    head = b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    connection.sendall(head % (reply.status, REASONS[reply.status], kind, len(reply.body)))
    connection.sendall(memoryview(reply.body)[:-1])
    if counters is not None:
        counters.ends(reply.items, len(reply.body))
    connection.sendall(reply.body[-1:])


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="large")
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each request waits")
    arguments = parser.parse_args()
    catalog = Catalog(arguments.kind, arguments.items, arguments.days)
    catalog.rendered(range(1))  # the templates are made before the first request
    server = Server(catalog, arguments.latency)
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
