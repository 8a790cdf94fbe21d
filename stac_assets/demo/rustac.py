"""`rustac serve`, a STAC API by others, as a process that ends with ours."""

import http.client
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stac_assets.stac.errors import StacError

HOST = "127.0.0.1"
GRACE = 5.0
"""Seconds that it has to end."""
PATIENCE = 60.0
"""Seconds until it must answer; it loads all files before."""
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""


class DemoError(StacError):
    """The sample API cannot be started; the message says what to do."""


@contextmanager
def rustac_serve(hrefs: Sequence[Path], url: str, log: Path) -> Iterator[int]:
    """Serve STAC documents on a free port, which this gives once the API answers.

    Args:
        hrefs: files of collections, or of items.
        url: of the front that people ask; the links in all answers begin with it.
        log: gets what the server says.

    Raises:
        DemoError: it is not installed, or does not start.
    """
    program = shutil.which("rustac", path=str(Path(sys.executable).parent)) or shutil.which("rustac")
    if not program:
        raise DemoError("The sample API needs the `rustac` program: pip install 'rustac>=0.9.18'")
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    command = [*_launcher(), program, "serve", *map(str, hrefs), "--create-collections"]
    command += ["--addr", url, "--bind", f"{HOST}:{port}"]
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the program is found by us
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace").strip()[-2000:]
                raise DemoError(f"`rustac serve` does not answer. The end of {log}:\n{text}")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:  # it inherits which signals are ignored
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _launcher() -> list[str]:
    """What comes before the command, so that Linux ends the server when this process is killed.

    Linux means the thread by "parent", so it is asked only where the thread lasts as long as the process.
    It is asked by a line of Python which then becomes the server: nothing runs between fork and exec.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return []
    return [sys.executable, "-ISc", _DIE_WITH_PARENT]
