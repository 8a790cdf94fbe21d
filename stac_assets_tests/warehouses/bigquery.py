"""BigQuery's stand-in: bqemulator, which speaks its REST API and runs its SQL on DuckDB."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from stac_assets_tests.warehouses.stand_in import Row, StandIn, free_port, program, running

PROJECT = "my-project"
SERVER = Path(__file__).with_name("bqemulator_server.py")


class BigQuery(StandIn):
    """BigQuery, as far as the emulator goes."""

    json_type = "text"

    def query(self, sql: str) -> list[Row]:
        """The rows of a query, by Google's client."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        options = {"api_endpoint": self.environment["BIGQUERY_EMULATOR_HOST"]}
        with bigquery.Client(PROJECT, AnonymousCredentials(), client_options=options) as client:
            return [dict(row) for row in client.query(sql).result()]


@contextmanager
def started(folder: Path) -> Iterator[BigQuery]:
    """The emulator, and what gives tokens to a service account of our own making."""
    python, port = program("bigquery", "python"), free_port()
    _give_spatial(python.parent.parent, folder)
    command = [python, "-P", SERVER, "start", "--rest-port", str(port), "--grpc-port", str(free_port())]
    with (
        _tokens() as token_uri,
        running(command, port, folder / "bqemulator.log", HOME=str(folder)),
    ):
        account = {
            "type": "service_account",
            "project_id": PROJECT,
            "client_email": f"loader@{PROJECT}.iam.gserviceaccount.com",
            "private_key": _private_key(),
            "token_uri": token_uri,
        }
        yield BigQuery(
            {
                "PIPELINE__DESTINATION": "bigquery",
                "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{port}",
                "DESTINATION__BIGQUERY__CREDENTIALS": json.dumps(account),
                "HTTPS_PROXY": "http://127.0.0.1:9",  # google-auth asks Google where the account may be used
            }
        )


def _give_spatial(environment: Path, home: Path) -> None:
    """Put `spatial`, which the emulator wants, where DuckDB would store it had it been downloaded."""
    (file,) = environment.glob("lib/*/site-packages/duckdb_extension_spatial/extensions/*/*.duckdb_extension")
    for platform in ("linux_amd64", "linux_arm64", "osx_amd64", "osx_arm64"):
        folder = home / ".duckdb" / "extensions" / file.parent.name / platform
        folder.mkdir(parents=True)
        (folder / file.name).symlink_to(file)


def _private_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@contextmanager
def _tokens() -> Iterator[str]:
    """Where a service account gets its token, as at Google's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()


class _Tokens(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"access_token": "no-token", "token_type": "Bearer", "expires_in": 3600}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass
