"""Programs that read exported files, from the environment that `make test-geoparquet` installs."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from stac_assets_tests.conftest import REPOSITORY

READERS = REPOSITORY / ".venv-geoparquet"
EXTENSIONS = "duckdb_extension_*/extensions/*/*.duckdb_extension"
needs_readers = pytest.mark.skipif(
    not (READERS / ".installed").exists(),
    reason="gpio and rustac's DuckDB are installed by make test-geoparquet",
)


class Readers:
    """The programs, with DuckDB's extensions in a home folder of their own.

    Args:
        home: that folder.
    """

    def __init__(self, home: Path) -> None:
        for extension in READERS.glob(f"lib/python*/site-packages/{EXTENSIONS}"):
            folder = home / ".duckdb" / "extensions" / extension.parent.name / "linux_amd64"
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(extension, folder)
        self._environment = {**os.environ, "HOME": str(home)}

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What a program says."""
        return subprocess.run(
            [str(READERS / "bin" / program), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    @contextmanager
    def serving(self, file: Path, log: Path) -> Iterator[str]:
        """`rustac serve` on a file: the URL of the API."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with log.open("wb") as out:
            command = [
                str(READERS / "bin" / "rustac"),
                "serve",
                str(file),
                "--addr",
                url.removeprefix("http://"),
            ]
            server = subprocess.Popen(command, env=self._environment, stdout=out, stderr=out)
        try:
            _wait(url, server, log)
            yield url
        finally:
            server.terminate()
            server.wait(10)


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with suppress(requests.ConnectionError):
            if requests.get(url, timeout=30).ok:
                return
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
