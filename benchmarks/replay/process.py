"""Starts and stops the replay server, and asks it what it has counted."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from benchmarks.replay.catalog import Catalog


class ServerProcess:
    """A server that prints its URL, and ends with its standard input.

    with ServerProcess([sys.executable, "-m", "benchmarks.replay.server"]) as server:
        load(server.url)
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the replay server did not start: exit {self._process.wait()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def reset(self) -> None:
        """Count anew."""
        self._ask("/admin/reset")

    def counted(self) -> dict[str, float]:
        """What the server tells of itself; the replay server: requests, items, bytes, most_at_once,
        peak_second, and seconds from first to last request."""
        return self._ask("/admin/counters")

    def _ask(self, path: str) -> dict[str, float]:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(self.url + path) as answer:
            return json.load(answer)


class ReplayServer(ServerProcess):
    """The server of one catalog; each request takes `latency` seconds at least."""

    def __init__(self, catalog: Catalog, latency: float = 0.0) -> None:
        self.catalog = catalog
        command = [sys.executable, "-m", "benchmarks.replay.server", "--kind", catalog.kind]
        command += ["--items", str(catalog.items), "--days", str(catalog.days), "--latency", str(latency)]
        super().__init__(command)
