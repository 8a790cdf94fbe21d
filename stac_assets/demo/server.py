"""Serves STAC documents from files through a real STAC API, `rustac serve`, on this machine."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stac_assets.stac.errors import StacError

_HOST = "127.0.0.1"
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""


class DemoError(StacError):
    """The sample API cannot be started; the message says what to do."""


class SampleApi:
    """A context manager around one `rustac serve` process.

        with SampleApi(write_catalog(folder), log=folder / "rustac.log") as api:
            requests.get(api.url + "/collections")

    Port 0 chooses a free one. What the server prints goes to `log`.
    """

    def __init__(self, hrefs: Sequence[Path], port: int = 0, *, log: Path, patience: float = 60.0) -> None:
        self._hrefs = [str(href) for href in hrefs]
        self._port = port
        self._log = log
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The root of the API, without a slash at its end."""
        return f"http://{_HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        rustac = _find_rustac()
        self._port = _free_port(self._port)
        address = f"{_HOST}:{self._port}"
        command = [*_launcher(), rustac, "serve", *self._hrefs, "--create-collections", "--addr", address]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and the program is found by us
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._wait(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Returns when the API answers; the files are loaded before that, so this takes some seconds."""
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            answers = self._answers()
            if process.poll() is not None:
                raise DemoError(f"rustac serve ended with status {process.returncode}. {self._tail()}")
            if answers:
                return
            time.sleep(0.05)
        raise DemoError(f"rustac serve was not ready after {self._patience:g} s. {self._tail()}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _tail(self) -> str:
        text = self._log.read_text(errors="replace").strip()
        return f"The end of {self._log}:\n{text[-2000:]}" if text else f"{self._log} is empty."

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _find_rustac() -> str:
    """The program of this very environment, or else any on the PATH."""
    found = shutil.which("rustac", path=str(Path(sys.executable).parent)) or shutil.which("rustac")
    if not found:
        raise DemoError("The sample API needs the `rustac` program: pip install rustac")
    return found


def _free_port(port: int) -> int:
    """The port itself, or a free one for 0. A taken port is found here: another API might answer there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise DemoError(f"The sample API cannot use port {port}: {error.strerror}") from error
        return probe.getsockname()[1]


def _launcher() -> list[str]:
    """What comes before the command, so that Linux ends the server when this process is killed.

    Linux means the thread by "parent", so it is asked only where the thread lasts as long as the process.
    It is asked by a line of Python which then becomes the server: nothing runs between fork and exec.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return []
    return [sys.executable, "-ISc", _DIE_WITH_PARENT]
