"""What the tests know of a stand-in for a warehouse, and how its process is started."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from stac_assets_tests.conftest import REPOSITORY

Row = dict[str, Any]
PATIENCE = 60
"""Seconds that a stand-in may take until it answers."""


@dataclass
class StandIn:
    """A stand-in that runs.

    Args:
        environment: the variables with which a user would make it the project's destination.
    """

    environment: Mapping[str, str]

    json_type: ClassVar[str] = "json"
    """dlt's type of what it says of JSON columns, whatever they are."""
    has_transactions: ClassVar[bool] = True
    """Whether a load that is killed amid a merge leaves the rows that were there."""

    def query(self, sql: str) -> list[Row]:
        """The rows of a query, by the warehouse's own driver; names in lower case."""
        raise NotImplementedError

    def reset(self) -> None:
        """End the sessions of clients that died, as a warehouse does by itself after a while."""

    def named(self, dataset: str) -> str:
        """A dataset's name, quoted if need be."""
        return dataset


def program(environment: str, name: str) -> Path:
    """A program of an environment that `make` installs; the test is skipped where it did not."""
    path = REPOSITORY / f".venv-{environment}" / "bin" / name
    if not path.exists():
        pytest.skip(f"`make test-{environment}` installs {name}, which is not here")
    return path


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str | Path], port: int, log: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that runs inside the `with` block, once it listens at a port."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    try:
        _wait(process, port, log)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"no server at {port}: {log.read_text(errors='replace')[-2000:]}")
