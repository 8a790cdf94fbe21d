"""The process that asks a DuckDB file, or files, and then ends. It is started by `duckdb_reader.py`.

It knows nothing: its environment is empty, it has read no settings, and its folder is the root. What it is
asked comes as JSON by stdin, and what it found goes as JSON to stdout. So whatever a query finds to do in
DuckDB, there is no secret to be had, and when it ends the file is closed.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import duckdb

from stac_assets.pipeline.read_only.answer import Answer, Bounds, bounded

CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "1GB",
    "temp_directory": "",
}
"""DuckDB's settings for a connection that reaches nothing beside its database, and writes nowhere."""
READING = ("SELECT", "EXPLAIN")
"""What DuckDB calls statements that read. In a read-only file others cannot write either, but some of them,
such as `IMPORT DATABASE`, look at files before anybody asks whether they may."""
PATIENCE = 0.05
"""Seconds between two attempts to open a file that another process has."""
ADDRESSES = 6 << 30
"""Bytes of addresses that the process may have: DuckDB's limit says nothing of values that Python holds."""


def main() -> None:
    """Answer what is asked by stdin."""
    asked = json.loads(sys.stdin.buffer.read())
    _limit(asked["bounds"]["seconds"] + asked.get("wait", 0.0) + 1)
    try:
        told: dict[str, Any] = asdict(answer(asked))
    except duckdb.Error as error:
        told = {"error": str(error)}
    except MemoryError:
        told = {"error": "the answer takes too much memory: ask for less, by day or collection"}
    json.dump(told, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and no thread of DuckDB's outlives the interpreter


def _limit(seconds: float) -> None:
    """Let the system end this process, also amid a single expression, of which DuckDB hears no interrupt."""
    if hasattr(signal, "setitimer"):  # not on Windows, nor is what follows
        signal.setitimer(signal.ITIMER_REAL, seconds)
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))


def answer(asked: dict[str, Any]) -> Answer:
    """Answer a question, whose file is open for as long.

    Args:
        asked: the statement `sql`, the `dataset`, the `bounds` of the answer, and what has the rows: a
            `file`, with the seconds to `wait` for it, or `tables` (see `files.py`).

    Raises:
        duckdb.Error: the statement is refused, or fails.
    """
    with _opened(asked) as connection:
        return _answered(connection, asked)


def _answered(connection: duckdb.DuckDBPyConnection, asked: dict[str, Any]) -> Answer:
    statements = connection.extract_statements(asked["sql"])
    kinds = [statement.type.name for statement in statements]
    if len(kinds) != 1 or kinds[0] not in READING:
        what = f"these are {len(kinds)}" if len(kinds) != 1 else f"this is {kinds[0]}"
        raise duckdb.InvalidInputException(f"one statement that reads is expected (SELECT ...); {what}")
    bounds = Bounds(**asked["bounds"])
    clock = threading.Timer(bounds.seconds, connection.interrupt)
    clock.daemon = True
    clock.start()
    try:
        cursor = connection.execute(statements[0])
        return bounded([column[0] for column in cursor.description or ()], cursor.fetchmany, bounds)
    except duckdb.InterruptException:
        raise duckdb.InterruptException(bounds.ended) from None
    finally:
        clock.cancel()
        clock.join()


def _opened(asked: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection that is locked in, whose tables are found without their schema."""
    connection = (
        _connected(asked["file"], asked["wait"]) if "file" in asked else duckdb.connect(config=CLOSED)
    )
    if "tables" in asked:
        from stac_assets.pipeline.read_only.files import show

        show(connection, asked["dataset"], asked["tables"])
    dataset = asked["dataset"].replace('"', '""').replace("'", "''")
    connection.execute("SET TimeZone = 'UTC'")
    if connection.execute(
        "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1", [asked["dataset"]]
    ).fetchall():
        connection.execute(f"SET search_path = '\"{dataset}\"'")
    connection.execute("SET lock_configuration = true")
    return connection


def _connected(file: str, wait: float) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a file, as soon as no other process writes it."""
    end = time.monotonic() + wait
    while True:
        try:
            return duckdb.connect(file, read_only=True, config=CLOSED)
        except duckdb.IOException as error:
            if "could not set lock" not in str(error).lower() or time.monotonic() > end:
                raise
        time.sleep(PATIENCE)


if __name__ == "__main__":
    main()
