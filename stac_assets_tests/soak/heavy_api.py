"""A STAC API of heavy items, in a process of its own, which has none of them before they are asked for."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil, floor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

REPOSITORY = Path(__file__).parent.parent.parent
FIRST = date(2024, 1, 1)
SENTENCE = "the lazy dog jumps over the quick brown fox, "
CONFORMS_TO = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]


@dataclass(frozen=True)
class Heavy:
    """What the API has.

    Args:
        days: how many, from `FIRST` on.
        per_day: items of each.
        size: of an item, in bytes.
        text: which each item has somewhere, such as a character that no ASCII has.
        is_bad: whether no item can be a row, because of a NaN.
    """

    days: int = 1
    per_day: int = 1000
    size: int = 3000
    text: str = ""
    is_bad: bool = False

    def item(self, number: int) -> bytes:
        """The text of an item; no two have an asset in common."""
        day, within = divmod(number, self.per_day)
        taken = datetime.combine(FIRST + timedelta(day), time.min)
        taken += timedelta(days=1) * (within + 0.5) / self.per_day
        bad = ',"bad":NaN' if self.is_bad else ""
        head = (
            f'{{"type":"Feature","stac_version":"1.0.0","id":"i{number}","collection":"c1","geometry":null,'
            f'"links":[],"properties":{{"datetime":"{taken.isoformat()}Z","number":{number}{bad}}},"assets":{{'
        )
        asset = f'"href":"https://example.com/{number}","text":"{self.text}","title":"{SENTENCE * 10}"'
        count = max(1, (self.size - len(head)) // (len(asset) + 12))
        return (head + ",".join([f'"{each:05}":{{{asset}}}' for each in range(count)]) + "}}").encode()

    def _before(self, instant: str) -> float:
        """How many items lie before an instant."""
        passed = datetime.fromisoformat(instant).replace(tzinfo=None) - datetime.combine(FIRST, time.min)
        return passed / timedelta(days=1) * self.per_day - 0.5

    def page(self, asked: dict[str, Any]) -> bytes:
        """The answer to a search."""
        start, _, end = str(asked.get("datetime") or "../..").partition("/")
        first = 0 if start == ".." else ceil(self._before(start))
        last = self.days * self.per_day if end == ".." else floor(self._before(end)) + 1
        found = range(max(0, first), max(0, min(last, self.days * self.per_day)))
        limit, begin = int(asked.get("limit") or 10), max(found.start, int(asked.get("token") or 0))
        shown = range(begin, min(begin + limit, found.stop))
        links = []
        if shown.stop < found.stop:
            body = {**asked, "token": shown.stop}
            links.append({"rel": "next", "method": "POST", "href": f"{asked['url']}/search", "body": body})
        tail = json.dumps({"links": links, "numberMatched": len(found), "numberReturned": len(shown)})
        items = b",".join(map(self.item, shown))
        return b'{"type":"FeatureCollection","features":[' + items + b"]," + tail[1:].encode()


def serve(heavy: Heavy) -> None:
    """Serve until standard input ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            match parts.path.strip("/"):
                case "":
                    self._answer(json.dumps(landing_page).encode())
                case "collections":
                    self._answer(json.dumps({"collections": [collection], "links": []}).encode())
                case "collections/c1":
                    self._answer(json.dumps(collection).encode())
                case _:
                    self._answer(heavy.page({**dict(parse_qsl(parts.query)), "url": url}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(heavy.page({**body, "url": url}))

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/geo+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    search = {"rel": "search", "type": "application/geo+json", "method": "POST", "href": f"{url}/search"}
    data = {"rel": "data", "type": "application/json", "href": f"{url}/collections"}
    landing_page = {
        "id": "heavy",
        "stac_version": "1.0.0",
        "conformsTo": CONFORMS_TO,
        "links": [search, data],
    }
    collection = {"type": "Collection", "id": "c1", "links": []}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(url, flush=True)
    sys.stdin.read()


@contextmanager
def serving(heavy: Heavy) -> Iterator[str]:
    """The URL of an API in a process of its own, which ends with the context."""
    command = [sys.executable, "-m", "stac_assets_tests.soak.heavy_api", json.dumps(asdict(heavy))]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


if __name__ == "__main__":
    serve(Heavy(**json.loads(sys.argv[1])))
