"""Credentials of PostgreSQL, read as libpq reads them: also a socket, `sslmode`, and `key=value` words.

dlt takes a URL apart by SQLAlchemy, wants a host, a user and a password before the path, and does not know
the words of libpq's other form.
"""

import getpass
import hashlib
import os
from typing import Any

import psycopg2
from dlt.common.configuration import configspec
from dlt.common.configuration.specs.exceptions import InvalidConnectionString
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration, PostgresCredentials
from psycopg2.extensions import make_dsn, parse_dsn

from stac_assets.source.dialects import LIBPQ

PARTS = {"user": "username", "password": "password", "dbname": "database", "host": "host"}
"""libpq's names of what dlt has a field for, by which its messages and other tools know a server."""
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


@configspec(init=False)
class LibpqCredentials(PostgresCredentials):
    """dlt's credentials, whose URL libpq reads."""

    def parse_native_representation(self, native_value: Any) -> None:
        """Take a URL or words apart, as libpq does; what it would ask the system for, too.

        Raises:
            InvalidConnectionString: libpq cannot read it.
        """
        scheme, separator, _ = str(native_value).partition("://")
        if not isinstance(native_value, str) or (separator and "=" not in scheme and scheme not in LIBPQ):
            super().parse_native_representation(native_value)  # another scheme is refused by its name
            return
        try:
            given = parse_dsn(native_value)
        except psycopg2.ProgrammingError:  # whose text may repeat all of it
            raise InvalidConnectionString(self.__class__, native_value, self.drivername) from None
        user = given.pop("user", None) or os.environ.get("PGUSER") or _user()
        self.username = user
        self.password = given.pop("password", "")
        self.database = given.pop("dbname", None) or os.environ.get("PGDATABASE") or user
        self.host = given.pop("host", None) or os.environ.get("PGHOST", "")
        if given.get("port", "").isdigit():
            self.port = int(given.pop("port"))
        elif "port" not in given and os.environ.get("PGPORT", "").isdigit():
            self.port = int(os.environ["PGPORT"])
        if "connect_timeout" in given:
            self.connect_timeout = int(given.pop("connect_timeout"))
        self.client_encoding = given.pop("client_encoding", self.client_encoding)
        self.query = given

    def to_native_representation(self) -> str:
        """Words for libpq. What is empty is left out, so that it finds a socket or a password file."""
        words: dict[str, Any] = {"port": self.port, **self.get_query()}
        words |= {word: getattr(self, field) or None for word, field in PARTS.items()}
        return make_dsn(**words)

    def location(self) -> str:
        """A digest of server and database, the same however they are written, where that can be told."""
        query = self.query or {}
        hosts = str(query.get("hostaddr") or self.host or "").lower()
        host = "localhost" if hosts in LOCAL else hosts.rstrip("/")
        told = f"{host}|{query.get('port') or self.port}|{self.database}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]


@configspec(init=False)
class LibpqConfiguration(PostgresClientConfiguration):
    """dlt's configuration of the destination, with these credentials."""

    credentials: LibpqCredentials = None  # type: ignore[assignment]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return ""
