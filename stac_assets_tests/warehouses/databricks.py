"""Databricks' stand-in: Sail, which runs Spark's SQL on Delta tables, behind a server for the driver."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.warehouses.stand_in import Row, StandIn, free_port, program, running

SERVER = "stac_assets_tests.warehouses.databricks_server"
CONNECTION = {
    "server_hostname": "127.0.0.1",
    "http_path": "/sql/1.0/warehouses/none",
    "catalog": "sail",
    "access_token": "no-token",
}


class Databricks(StandIn):
    """Databricks, as far as Sail goes."""

    has_transactions = False

    def query(self, sql: str) -> list[Row]:
        """The rows of a query, by Databricks' driver."""
        from databricks.sql import connect

        parameters = json.loads(self.environment[PARAMETERS])
        with closing(connect(**CONNECTION, **parameters)) as connection, connection.cursor() as cursor:
            return [row.asDict() for row in cursor.execute(sql).fetchall()]


CREDENTIALS = "DESTINATION__DATABRICKS__CREDENTIALS__"
PARAMETERS = CREDENTIALS + "CONNECTION_PARAMETERS"


@contextmanager
def started(folder: Path) -> Iterator[Databricks]:
    """The server."""
    port = free_port()
    parameters = {"_connection_uri": f"http://127.0.0.1:{port}/", "enable_telemetry": False}
    with running(
        [program("databricks", "python"), "-P", "-m", SERVER, str(port), folder],
        port,
        folder / "databricks.log",
        PYTHONPATH=str(REPOSITORY),
    ):
        yield Databricks(
            {
                "PIPELINE__DESTINATION": "databricks",
                PARAMETERS: json.dumps(parameters),
                **{CREDENTIALS + name.upper(): value for name, value in CONNECTION.items()},
            }
        )
