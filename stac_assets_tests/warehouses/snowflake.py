"""Snowflake's stand-in: fakesnow, a server that Snowflake's driver connects to, on DuckDB."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import requests

from stac_assets_tests.warehouses.stand_in import Row, StandIn, free_port, program, running


class Snowflake(StandIn):
    """Snowflake, as far as fakesnow goes."""

    def query(self, sql: str) -> list[Row]:
        """The rows of a query, by Snowflake's driver."""
        import snowflake.connector

        with closing(snowflake.connector.connect(**CONNECTION, port=self.port)) as connection:
            cursor = connection.cursor(snowflake.connector.DictCursor)
            return [{name.lower(): value for name, value in row.items()} for row in cursor.execute(sql)]

    def reset(self) -> None:
        """End all sessions: Snowflake ends a dead client's after five minutes, if somebody waits for it."""
        requests.post(f"http://127.0.0.1:{self.port}/sessions/abort", timeout=10).raise_for_status()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.environment["FAKESNOW_PORT"])


SERVER = Path(__file__).with_name("fakesnow_server.py")
CONNECTION = {
    "account": "my_account",
    "user": "loader",
    "password": "no-password",
    "database": "my_database",
    "host": "127.0.0.1",
    "protocol": "http",
    "timezone": "UTC",
}


@contextmanager
def started(folder: Path) -> Iterator[Snowflake]:
    """The server."""
    port = free_port()
    with running(
        [program("snowflake", "python"), "-P", SERVER, str(port)],
        port,
        folder / "fakesnow.log",
        TMPDIR=str(folder),
    ):
        url = (
            f"snowflake://loader:no-password@my_account/my_database?host=127.0.0.1&port={port}&protocol=http"
        )
        yield Snowflake(
            {
                "PIPELINE__DESTINATION": "snowflake",
                "DESTINATION__SNOWFLAKE__CREDENTIALS": url,
                "FAKESNOW_PORT": str(port),
            }
        )
