"""S3 on this machine: moto's server, on a port that is free."""

import logging
from dataclasses import dataclass
from typing import Any, Self

import pytest

BUCKET = "stac-lake"
KEYS = {"aws_access_key_id": "test-key", "aws_secret_access_key": "test-s3cret", "region_name": "us-east-1"}


@dataclass
class S3:
    """A server, and how to reach it."""

    server: Any
    url: str = ""

    @classmethod
    def start(cls) -> Self:
        """A server that runs; skips where moto is not installed."""
        server = pytest.importorskip("moto.server", reason="the tests of S3 need moto[server]")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        running.start()
        host, port = running.get_host_and_port()
        return cls(running, f"http://{host}:{port}")

    def client(self) -> Any:
        """Amazon's own client."""
        import boto3

        return boto3.client("s3", endpoint_url=self.url, **KEYS)

    def new_bucket(self, name: str) -> str:
        """An empty bucket; returns its URL."""
        self.client().create_bucket(Bucket=name)
        return f"s3://{name}"

    def environment(self) -> dict[str, str]:
        """dlt's configuration of the credentials."""
        prefix = "DESTINATION__FILESYSTEM__CREDENTIALS__"
        given = {**KEYS, "endpoint_url": self.url}
        return {f"{prefix}{name.upper()}": value for name, value in given.items()}

    def options(self) -> dict[str, str]:
        """The same for `deltalake`, spelled by hand."""
        return {
            "aws_access_key_id": KEYS["aws_access_key_id"],
            "aws_secret_access_key": KEYS["aws_secret_access_key"],
            "aws_region": KEYS["region_name"],
            "aws_endpoint_url": self.url,
            "aws_allow_http": "true",
        }
