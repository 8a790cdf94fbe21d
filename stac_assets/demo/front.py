"""The sample API: `rustac serve`, and in front of it what it lacks, which is queryables.

`rustac serve` has none of a collection and an empty list for the root. The front makes them from the items,
says in the landing page and the conformance classes that they are there, and hands everything else through.
"""

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from stac_assets.demo.rustac import HOST, DemoError, rustac_serve

ID = "stac-assets-demo"
"""Of the landing page."""
_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_CONFORMANCE = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables"
_SCHEMA = "application/schema+json"
_TYPES = {str: "string", bool: "boolean", int: "number", float: "number"}
_CORE = {"id": "", "collection": "", "datetime": ""}
_SAMPLE = 20
"""Items of a collection that its queryables are made from."""

Json = dict[str, Any]


@contextmanager
def sample_api(hrefs: Sequence[Path], port: int = 0, *, log: Path) -> Iterator[str]:
    """Serve STAC documents from files as a STAC API on this machine, whose URL this gives.

    Args:
        hrefs: files of collections, or of items.
        port: 0 chooses a free one.
        log: gets what `rustac serve` says.

    Raises:
        DemoError: the port is taken, or `rustac serve` does not start.
    """
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        raise DemoError(f"The sample API cannot use port {port}: {error.strerror}; choose another") from error
    url = f"http://{HOST}:{server.server_port}"
    with server, rustac_serve(hrefs, url, log) as behind:
        server.RequestHandlerClass = type("Handler", (_Handler,), {"url": url, "behind": behind})
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield url
        finally:
            server.shutdown()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: who hangs up, a client or `rustac serve`, ends a connection and no more."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    url: str
    behind: int
    """The port of `rustac serve`."""

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case [""] | ["conformance"]:
                self._send_claim()
            case ["queryables"]:
                self._send_queryables(self._common())
            case ["collections", collection, "queryables"]:
                self._send_queryables(self._of_collection(collection))
            case _:
                self._send(*self._ask("GET", self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(*self._ask("POST", self.path, body))

    def _send_claim(self) -> None:
        """The landing page, or the conformance classes, with the queryables."""
        status, media_type, body = self._ask("GET", self.path)
        document = json.loads(body)
        document["conformsTo"].append(_CONFORMANCE)
        if "links" in document:
            document |= {"id": ID, "title": "Sample STAC API", "description": "Generated items"}
            document["links"].append({"rel": _REL, "type": _SCHEMA, "href": f"{self.url}/queryables"})
        self._send(status, media_type, json.dumps(document).encode())

    def _common(self) -> Json:
        """The properties that all collections have."""
        listed = json.loads(self._ask("GET", "/collections")[2])["collections"]
        first, *others = [self._of_collection(document["id"]) for document in listed]
        return {name: schema for name, schema in first.items() if all(name in other for other in others)}

    def _of_collection(self, collection: str) -> Json:
        status, _, body = self._ask("GET", f"/collections/{collection}/items?limit={_SAMPLE}")
        found: Json = {}
        for item in json.loads(body)["features"] if status == 200 else ():
            for name, value in (item["properties"] | _CORE).items():
                if type(value) in _TYPES:
                    found[name] = {"title": name.replace("_", " "), "type": _TYPES[type(value)]}
        return found

    def _send_queryables(self, properties: Json) -> None:
        if not properties:
            return self._send(404, "application/json", b"{}")
        schema = {"$schema": "https://json-schema.org/draft/2019-09/schema", "$id": self.url + self.path}
        schema |= {"type": "object", "title": "Queryables", "properties": properties}
        return self._send(200, _SCHEMA, json.dumps(schema).encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
        """What `rustac serve` answers: status, media type, body."""
        connection = http.client.HTTPConnection(HOST, self.behind, timeout=60)
        try:
            headers = {"Content-Type": "application/json"} if body else {}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", "application/json"), answer.read()
        finally:
            connection.close()

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests."""
