"""fakesnow's server, with what Snowflake's driver and dlt want of it besides.

It runs in an environment of its own, and so imports nothing of this project:
`python -P fakesnow_server.py PORT`.
"""

import json
import re
import sys
import threading
from contextlib import suppress
from importlib import import_module
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import uvicorn
from fakesnow import arrow, cursor  # pyright: ignore[reportMissingImports]
from fakesnow import copy_into as copying  # pyright: ignore[reportMissingImports]
from sqlglot.dialects.snowflake import Snowflake
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

server: Any = import_module("fakesnow.server")  # the package has a function of that name
SESSION = {
    "masterToken": "no-token",
    "sessionId": 1,
    "validityInSeconds": 3600,
    "masterValidityInSeconds": 14400,
}
"""What version 5 of the driver misses in fakesnow's answer to a login."""
PLACE = {"region": "none", "path": "", "isClientSideEncrypted": False, "storageAccount": "", "endPoint": ""}
"""The same of its answer to a PUT."""
STAGE = re.compile(r"""'@"(\w+)"\."(%\w+)"/"([\d.]+)"(/[\w.]+)?'""")
"""A table's stage and a folder in it, quoted as dlt does."""
JSON_LINES = re.compile(r"FILE_FORMAT = \(TYPE = 'JSON'[^)]*\)\s+MATCH_BY_COLUMN_NAME='(\w+)'")


async def login(request: Request) -> Response:
    """Log in, as fakesnow does."""
    answer = json.loads(bytes((await server.login_request(request)).body))
    answer["data"] |= SESSION
    return JSONResponse(answer)


async def query(request: Request) -> Response:
    """Run statements one by one: dlt sends several in one request, which fakesnow takes for one."""
    asked = json.loads(await request.body())
    answer = Response()
    for text in statements(asked["sqlText"]):
        request._body = json.dumps({**asked, "sqlText": text}).encode()
        answer = await server.query_request(request)
        said = json.loads(bytes(answer.body))
        if answer.status_code != 200 or not said["success"]:
            break
        if stage := said["data"].get("stageInfo"):
            stage |= PLACE
            said["data"]["overwrite"] = True  # as dlt says
            answer = JSONResponse(said)
    return answer


async def abort(_: Request) -> Response:
    """End all sessions, and with them the transactions of clients that died."""
    while server.sessions:
        _, connection = server.sessions.popitem()
        with suppress(Exception):  # it has no transaction
            connection._duck_conn.rollback()
    return Response()


def statements(text: str) -> list[str]:
    """The statements of a text, each as it was written, but for the spelling of stages and formats."""
    found, begin = [], 0
    for token in Snowflake().tokenize(text):
        if token.text == ";":
            found.append(text[begin : token.start])
            begin = token.end + 1
    whole = [each for each in (*found, text[begin:]) if each.strip()] or [text]
    plain = (STAGE.sub(r"@\1.\2/\3\4", each) for each in whole)
    return [JSON_LINES.sub(r"FILE_FORMAT = (TYPE = JSON) MATCH_BY_COLUMN_NAME = \1", each) for each in plain]


# Copies of JSON lines by the names of their members, which fakesnow has for Parquet only ---------------

copy_into, inserts = copying.copy_into, copying._inserts
copied = threading.local()


class Insert:
    """A statement as fakesnow asks for it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def sql(self, **_: Any) -> str:
        """In DuckDB's words, whatever they are asked for in."""
        return self.text


def copied_into(connection: Any, database: Any, schema: Any, expression: Any, *rest: Any) -> Any:
    """Copy as fakesnow does, and keep what `by_name` wants to know."""
    copied.where = connection, database, schema
    return copy_into(connection, database, schema, expression, *rest)


def by_name(expression: Any, given: Any, urls: list[str], *rest: Any) -> list[Any]:
    """The statements that copy files: of JSON by the names of its members."""
    if not isinstance(given.file_format, copying.ReadJSON):
        return inserts(expression, given, urls, *rest)
    connection, database, schema = copied.where
    table = copying._extract_table(expression.this)
    found = copying._describe_table(table, connection, database, table.db or schema)
    columns = ", ".join(f"'{name.lower()}': '{kind}'" for name, kind, *_ in found)
    names = ", ".join(f'"{name.lower()}"' for name, *_ in found)
    target = ", ".join(f'"{name}"' for name, *_ in found)
    return [
        Insert(
            f"INSERT INTO {table.sql(dialect='duckdb')} ({target}) SELECT {names} FROM read_json('{url}', "
            f"format = 'newline_delimited', columns = {{{columns}}}, maximum_object_size = 100000000)"
        )
        for url in urls
    ]


# Times that are null, which the driver refuses in a field that says it has none -----------------------

to_sf = arrow.to_sf


def nullable(table: Any, rowtype: Any) -> Any:
    """The rows as fakesnow sends them."""
    found = to_sf(table, rowtype)
    for place, field in enumerate(found.schema):
        if pa.types.is_struct(field.type) and field.type.field(0).name == "epoch":
            times, parts = table.column(place).combine_chunks(), found.column(place).combine_chunks()
            filled = [pc.fill_null(parts.field(number), 0) for number in range(parts.type.num_fields)]
            column = pa.StructArray.from_arrays(filled, fields=list(parts.type), mask=times.is_null())
            found = found.set_column(place, field.with_nullable(True), column)
    return found


server.to_sf = nullable
cursor.copy_into, copying._inserts = copied_into, by_name
server.app.router.routes[:] = [
    Route("/session/v1/login-request", login, methods=["POST"]),
    Route("/queries/v1/query-request", query, methods=["POST"]),
    Route("/sessions/abort", abort, methods=["POST"]),
    *server.app.router.routes,
]

if __name__ == "__main__":
    uvicorn.run(server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="info")
