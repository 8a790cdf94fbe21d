"""A server before PostgreSQL that takes Redshift's words for the layout of a table, and for a view's.

with Redshift(socket) as server:
    psycopg2.connect(host="127.0.0.1", port=server.port, …)

It changes no other statement, and no answer.
"""

import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stac_assets_tests.proxy import Listener, opened

DEFINES = re.compile(rb"\s*(CREATE|ALTER)\s+TABLE\b", re.IGNORECASE)
LONGEST = re.compile(rb"\bvarchar\(max\)", re.IGNORECASE)
VIEW = re.compile(rb"\s*CREATE\s+OR\s+REPLACE\s+VIEW\b", re.IGNORECASE)
SERIALIZE = re.compile(rb"\bJSON_SERIALIZE\(", re.IGNORECASE)
"""Which is another function in PostgreSQL."""
BINDING = re.compile(rb"\s+WITH NO SCHEMA BINDING\b", re.IGNORECASE)
LAYOUT = re.compile(rb"\s+(SORTKEY|DISTKEY)\b", re.IGNORECASE)
"""What an attribute of a column says of the layout of the table's rows, of which PostgreSQL has one."""
ASKS_FOR_ENCRYPTION = (80877103, 80877104)
"""The numbers of requests that a client makes before it begins: of TLS, and of GSSAPI."""
HEAD = struct.Struct("!i")
QUERY = b"Q"


class Redshift(Listener):
    """The server; it runs inside its `with` block.

    Args:
        postgres: the socket of PostgreSQL.
    """

    def __init__(self, postgres: Path) -> None:
        self._postgres = str(postgres)

    def connect(self, client: socket.socket) -> None:
        """Pass on what both ends say."""
        postgres = opened(self._postgres)
        for take, source, target in ((_ask, client, postgres), (_answer, postgres, client)):
            threading.Thread(target=_pass_on, args=(take, source, target), daemon=True).start()


def translated(statement: bytes) -> bytes:
    """A statement of Redshift as one of PostgreSQL."""
    if VIEW.match(statement):
        return BINDING.sub(b"", SERIALIZE.sub(b"serialized(", statement))
    if not DEFINES.match(statement):
        return statement
    return LAYOUT.sub(b"", LONGEST.sub(b"varchar_max", statement))


def _pass_on(
    take: Callable[[socket.socket, socket.socket], None], source: socket.socket, target: socket.socket
) -> None:
    """Pass on what one end says; if it hangs up, so does the other."""
    with suppress(OSError, EOFError):
        take(source, target)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _ask(client: socket.socket, postgres: socket.socket) -> None:
    while True:  # messages without a letter, until it has said who it is
        length = _read(client, HEAD.size)
        body = _read(client, HEAD.unpack(length)[0] - HEAD.size)
        postgres.sendall(length + body)
        if HEAD.unpack(body[: HEAD.size])[0] not in ASKS_FOR_ENCRYPTION:
            break
    while True:
        letter = _read(client, 1)
        body = _read(client, HEAD.unpack(_read(client, HEAD.size))[0] - HEAD.size)
        body = translated(body) if letter == QUERY else body
        postgres.sendall(letter + HEAD.pack(len(body) + HEAD.size) + body)


def _answer(postgres: socket.socket, client: socket.socket) -> None:
    while said := postgres.recv(1 << 16):
        client.sendall(said)


def _read(end: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        if not (part := end.recv(size - len(found))):
            raise EOFError
        found += part
    return bytes(found)
