"""A server that Databricks' driver connects to: `python -P -m … PORT FOLDER`.

It speaks the driver's Thrift over HTTP, keeps the files of volumes, and lets Sail run the statements. It runs
in an environment of its own, and imports nothing of this project but the module beside it.
"""

import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

from stac_assets_tests.warehouses.databricks_sail import Sail, Transfer

VERSION = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7
OK = ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS)
TYPES = {
    pa.bool_(): ttypes.TTypeId.BOOLEAN_TYPE,
    pa.int32(): ttypes.TTypeId.INT_TYPE,
    pa.int64(): ttypes.TTypeId.BIGINT_TYPE,
    pa.float64(): ttypes.TTypeId.DOUBLE_TYPE,
    pa.timestamp("us", "UTC"): ttypes.TTypeId.TIMESTAMP_TYPE,
}
"""By Arrow's type: the driver's, which is a text otherwise."""


class Handler:
    """Answers the calls of the driver. An answer holds all rows, so that nobody asks for more of them.

    Args:
        sail: runs the statements.
        files: the URL of volumes.
    """

    def __init__(self, sail: Sail, files: str) -> None:
        self._sail, self._files = sail, files

    def OpenSession(self, asked: Any) -> Any:  # noqa: N802
        """Begin a session, of which nothing is kept."""
        return ttypes.TOpenSessionResp(
            status=OK,
            serverProtocolVersion=VERSION,
            sessionHandle=ttypes.TSessionHandle(_handle(), VERSION),
            initialNamespace=asked.initialNamespace,
            canUseMultipleCatalogs=True,
        )

    def CloseSession(self, asked: Any) -> Any:  # noqa: N802
        """End it."""
        return ttypes.TCloseSessionResp(status=OK)

    def CloseOperation(self, asked: Any) -> Any:  # noqa: N802
        """End a statement, which has ended by itself."""
        return ttypes.TCloseOperationResp(status=OK)

    def ExecuteStatement(self, asked: Any) -> Any:  # noqa: N802
        """Run a statement."""
        handle = ttypes.TOperationHandle(_handle(), ttypes.TOperationType.EXECUTE_STATEMENT, True)
        answer = ttypes.TExecuteStatementResp(status=OK, operationHandle=handle)
        try:
            found = self._sail.run(asked.statement)
        except Exception as error:
            print(f"{asked.statement}\n{error!r}\n", flush=True)
            failed = ttypes.TGetOperationStatusResp(
                status=OK,
                operationState=ttypes.TOperationState.ERROR_STATE,
                displayMessage=str(error),
            )
            answer.directResults = ttypes.TSparkDirectResults(operationStatus=failed)
            return answer
        is_transfer = isinstance(found, Transfer)
        answer.directResults = _results(self._told(found) if is_transfer else found, is_transfer)
        return answer

    def _told(self, transfer: Transfer) -> pa.Table:
        """What the driver is to do with a file of its own."""
        told = {
            "operation": transfer.operation,
            "presignedUrl": self._files + transfer.path,
            "headers": "{}",
            "localFile": transfer.local,
        }
        return pa.table({name: [value] for name, value in told.items()})


def _handle() -> Any:
    return ttypes.THandleIdentifier(guid=uuid.uuid4().bytes, secret=uuid.uuid4().bytes)


def _results(table: pa.Table, is_transfer: bool) -> Any:
    described = ttypes.TGetResultSetMetadataResp(
        status=OK,
        schema=ttypes.TTableSchema([_column(field) for field in table.schema]),
        resultFormat=ttypes.TSparkRowSetType.ARROW_BASED_SET,
        lz4Compressed=False,
        arrowSchema=table.schema.serialize().to_pybytes(),
        isStagingOperation=is_transfer,
    )
    batches = [
        ttypes.TSparkArrowBatch(batch.serialize().to_pybytes(), batch.num_rows)
        for batch in table.to_batches()
    ]
    rows = ttypes.TRowSet(startRowOffset=0, rows=[], arrowBatches=batches)
    return ttypes.TSparkDirectResults(
        operationStatus=ttypes.TGetOperationStatusResp(
            status=OK, operationState=ttypes.TOperationState.FINISHED_STATE
        ),
        resultSetMetadata=described,
        resultSet=ttypes.TFetchResultsResp(status=OK, hasMoreRows=False, results=rows),
        closeOperation=ttypes.TCloseOperationResp(status=OK),
    )


def _column(field: pa.Field) -> Any:
    kind = ttypes.TPrimitiveTypeEntry(TYPES.get(field.type, ttypes.TTypeId.STRING_TYPE))
    return ttypes.TColumnDesc(field.name, ttypes.TTypeDesc([ttypes.TTypeEntry(kind)]), 0)


class Requests(BaseHTTPRequestHandler):
    """The driver's requests: calls, and files of volumes."""

    protocol_version = "HTTP/1.1"
    processor: TCLIService.Processor
    sail: Sail

    def do_POST(self) -> None:
        """A call."""
        answer = TMemoryBuffer()
        self.processor.process(TBinaryProtocol(TMemoryBuffer(self._body())), TBinaryProtocol(answer))
        self._answer(answer.getvalue())

    def do_PUT(self) -> None:
        """A file for a volume."""
        path = self.sail.file(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._body())
        self._answer(b"")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the statements that failed are told."""


if __name__ == "__main__":
    port = int(sys.argv[1])
    Requests.sail = Sail(Path(sys.argv[2]))
    Requests.processor = TCLIService.Processor(Handler(Requests.sail, f"http://127.0.0.1:{port}"))
    ThreadingHTTPServer(("127.0.0.1", port), Requests).serve_forever()
