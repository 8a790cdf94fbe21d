"""`stac-assets explore` as a process, its page in a browser, and a server of the pictures that it shows."""

import os
import re
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests

from stac_assets_tests.browser.dagster_dev import HOST, free_port, until
from stac_assets_tests.commanding import MODULE
from stac_assets_tests.conftest import REPOSITORY

PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PATIENCE = 60_000
"""Milliseconds for what takes two seconds on an idle machine."""


@contextmanager
def pictures() -> Iterator[str]:
    """The URL of a server that has a picture for every path."""

    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(PIXEL)))
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Pictures) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


@contextmanager
def exploring(
    log: Path, folder: Path = Path(), environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The URL of the command's page, while it runs in a project folder; what it says goes to `log`."""
    port = free_port()
    command = [*MODULE, "explore", "--headless", "--port", str(port)]
    own = {**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})}
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=own, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://{HOST}:{port}"
            until(lambda: server.poll() is None and answers(url), "the page")
            yield url
        finally:
            server.terminate()
            server.wait(30)


def answers(url: str) -> bool:
    """Whether a server of marimo is there."""
    try:
        return requests.get(f"{url}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


class Explored:
    """The page, with all that goes wrong on it.

    Args:
        page: Playwright's.
        url: of the notebook.
    """

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or ""))
        page.goto(url)

    def shows(self, text: str) -> None:
        """Wait until a text can be seen."""
        self.page.get_by_text(text, exact=False).filter(visible=True).first.wait_for(timeout=PATIENCE)

    def marks(self, **fields: str) -> dict[str, int]:
        """How many items the marks of a chart say that they have, by another of their fields.

        Args:
            fields: one, by the name of the field, such as `day`; its value is a field that the others of the
                page do not have, or empty.
        """
        ((field, beside),) = fields.items()
        labels = self.page.locator(f".vega-embed svg [aria-label*='{beside or field}: ']")
        labels.first.wait_for(state="attached", timeout=PATIENCE)
        found: dict[str, int] = {}
        for label in labels.evaluate_all("marks => marks.map(mark => mark.getAttribute('aria-label'))"):
            told = dict(part.split(": ", 1) for part in label.split("; ") if ": " in part)
            if field in told and "items" in told:
                found[told[field]] = int(re.sub(r"\D", "", told["items"]))
        return found

    def sound(self) -> None:
        """Assert that nothing has failed, and nobody else was asked."""
        assert not self.faults, self.faults
        assert self.hosts == {HOST}, self.hosts
        assert self.page.get_by_text(re.compile("Traceback|internal error|raised an exception")).count() == 0
