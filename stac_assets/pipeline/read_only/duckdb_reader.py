"""Reads a DuckDB file, which is open for the time of a query.

Somebody else's query is run by a process that can do nothing else. Our own are run here, by the same lines.
"""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.read_only.answer import Answer, Bounds
from stac_assets.pipeline.read_only.duckdb_process import answer
from stac_assets.pipeline.read_only.reader import NothingStored, QueryRefused, Reader
from stac_assets.source import SOURCE_NAME

logger = logging.getLogger("stac_assets")

PROCESS = "stac_assets.pipeline.read_only.duckdb_process"
START = 20.0
"""Seconds that a process may take to begin and to end, on a busy machine, beside those of the query, after
which it ends that by itself."""
WHOLE = Bounds(rows=1, characters=1_000_000_000, cell=None)
NEEDED = ("SYSTEMROOT", "LD_LIBRARY_PATH")
"""Variables without which a system may not be able to start a process."""


def ask_process(question: dict[str, Any], bounds: Bounds) -> Answer:
    """What the process of `duckdb_process.py` answers.

    Args:
        question: the statement, and what it is asked of.
        bounds: of the answer.

    Raises:
        QueryRefused: it is refused, fails, or takes too long.
    """
    environment = {name: os.environ[name] for name in NEEDED if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    asked = {**question, "bounds": asdict(bounds)}
    try:
        done = subprocess.run(  # noqa: S603 - this Python, and no shell
            [sys.executable, "-P", "-m", PROCESS],
            input=json.dumps(asked).encode(),
            capture_output=True,
            env=environment,
            cwd=Path.cwd().anchor,
            timeout=bounds.seconds + float(question.get("wait", 0)) + START,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise QueryRefused(bounds.ended) from None
    if done.returncode < 0 and -done.returncode == getattr(signal, "SIGALRM", None):
        raise QueryRefused(bounds.ended)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        logger.info("the process that asks DuckDB said: %s", done.stderr.decode(errors="replace"))
        raise QueryRefused(f"DuckDB ended without an answer (status {done.returncode})") from None
    if "error" in told:
        raise QueryRefused(told["error"])
    return Answer(tuple(told["columns"]), told["rows"], told["cut"])


def ask_here(question: dict[str, Any], bounds: Bounds) -> Answer:
    """What this process answers to a query of our own.

    Raises:
        QueryRefused: it fails.
    """
    try:
        return answer({**question, "bounds": asdict(bounds)})
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from None


class DuckDbReader(Reader):
    """Reads a DuckDB file.

    Args:
        pipeline: whose configuration names the file.
        file: with the dataset, and others.
        wait: seconds to wait while a load has the file.
    """

    refuses = None

    def __init__(self, pipeline: Pipeline, file: Path, wait: float) -> None:
        super().__init__(pipeline)
        self._file = file
        self._wait = wait
        self._dataset: str = self._sql_client.dataset_name

    def schema(self) -> Schema | None:
        """As every reader."""
        if not self._file.exists():
            return None
        try:
            found = self.ask(
                f"SELECT schema FROM {self.table('_dlt_version')} "  # noqa: S608
                f"WHERE schema_name = {self.literal(SOURCE_NAME)} ORDER BY inserted_at DESC LIMIT 1",
                WHOLE,
            ).rows
        except QueryRefused as error:
            if "does not exist" not in str(error):
                raise
            return None
        return Schema.from_stored_schema(json.loads(str(found[0][0]))) if found else None

    def run(self, sql: str, bounds: Bounds) -> Answer:
        """As every reader."""
        return self._answer(ask_process, sql, bounds)

    def ask(self, sql: str, bounds: Bounds) -> Answer:
        """As every reader."""
        return self._answer(ask_here, sql, bounds)

    def _answer(self, ask: Callable[[dict[str, Any], Bounds], Answer], sql: str, bounds: Bounds) -> Answer:
        if not self._file.exists():
            raise NothingStored(f"there is no {self._file} yet: nothing was loaded")
        question = {"sql": sql, "dataset": self._dataset, "file": str(self._file), "wait": self._wait}
        try:
            return ask(question, bounds)
        except QueryRefused as error:
            if "could not set lock" not in str(error).lower():
                raise
            held = re.search(r"held in .+? \(PID \d+\)", str(error))
            raise QueryRefused(
                f"the DuckDB file {self._file} is busy ({held[0] if held else 'another process writes it'}): "
                "a load has it while it stores. Ask again in a moment"
            ) from None
