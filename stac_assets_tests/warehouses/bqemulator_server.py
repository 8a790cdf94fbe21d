"""bqemulator with some things that BigQuery does and it does not: `python -P bqemulator_server.py start …`.

It runs in an environment of its own, and so imports nothing of this project.
"""

import gzip
import json
import re
from pathlib import Path
from typing import Any

from bqemulator import server  # pyright: ignore[reportMissingImports]
from bqemulator.api.routes import upload  # pyright: ignore[reportMissingImports]
from bqemulator.catalog import ddl_sync  # pyright: ignore[reportMissingImports]
from bqemulator.cli import main  # pyright: ignore[reportMissingImports]
from sqlglot import parse_one
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

create_app, run_load = server.create_app, upload._run_load
created_table = ddl_sync._detect_plain_create_table
ADD_COLUMN = re.compile(r"\bADD COLUMN\b")
sessions: dict[str, list[str]] = {}
"""By session: the statements of its transaction."""
STATUS = {"notFound": 404, "accessDenied": 403, "duplicate": 409}


async def unpacked(*, media_path: str, **arguments: Any) -> Any:
    """Load a file that may be compressed."""
    path = Path(media_path)
    if (content := path.read_bytes()).startswith(b"\x1f\x8b"):
        path.write_bytes(gzip.decompress(content))
    return await run_load(media_path=media_path, **arguments)


async def exchanged(request: Request, call_next: Any) -> Response:
    """Ask the emulator for what a session does, and tell of a query that failed by the status.

    In BigQuery a `jobs.query` that fails is no 200, and a session has a transaction of its own. The emulator
    has transactions of one script only: what a session sends is kept, and run as such a script by its COMMIT.
    """
    path = request.url.path
    if request.method != "POST" or not path.endswith(("/queries", "/jobs")) or path.startswith("/upload"):
        return await call_next(request)
    asked = json.loads(await request.body())
    query = asked.get("configuration", asked).get("query")
    query = query if isinstance(query, dict) else asked
    if "query" in query:  # and it is no load of a file
        query["query"] = deferred(query)
        request._body = json.dumps(asked).encode()
    response = await call_next(request)
    if path.endswith("/jobs"):
        return response
    body = b"".join([chunk async for chunk in response.body_iterator])
    said = json.loads(body)
    if response.status_code != 200 or not (errors := said.get("errors")):
        return Response(body, response.status_code, media_type="application/json")
    code = STATUS.get(errors[0]["reason"], 400)
    error = {"code": code, "message": errors[0]["message"], "errors": errors}
    return JSONResponse({"error": error}, code)


def deferred(query: dict[str, Any]) -> str:
    """The statement to run now."""
    text: str = query["query"]
    if text.startswith("ALTER TABLE"):  # of which the emulator takes one column each
        table, *columns = ADD_COLUMN.split(text)
        return "".join(f"{table.strip()} ADD COLUMN {column.strip().rstrip(',;')};" for column in columns)
    if text == "BEGIN TRANSACTION":
        return "SELECT 1"
    for each in query.get("connectionProperties", ()):
        statements = sessions.setdefault(each["value"], [])
        if text.startswith(("COMMIT", "ROLLBACK")):
            del sessions[each["value"]]
            script = ";\n".join(["BEGIN TRANSACTION", *statements, "COMMIT TRANSACTION"])
            return script if text.startswith("COMMIT") else "SELECT 1"
        statements.append(text.strip().removesuffix(";"))
        return "SELECT 1"
    return text


def table_of(query: str) -> Any:
    """The table whose columns a statement sets. INFORMATION_SCHEMA of the emulator misses those of ALTER."""
    return parse_one(query, "bigquery").this if ADD_COLUMN.search(query) else created_table(query)


def app(*arguments: Any, **options: Any) -> Any:
    """The emulator's application, with that."""
    made = create_app(*arguments, **options)
    made.add_middleware(BaseHTTPMiddleware, dispatch=exchanged)
    return made


server.create_app, upload._run_load = app, unpacked
ddl_sync._detect_plain_create_table = table_of

if __name__ == "__main__":
    main()
