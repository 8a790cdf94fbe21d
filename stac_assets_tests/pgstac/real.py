"""stac-fastapi-pgstac itself, from an environment of its own, on a PostgreSQL of its own."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Any, Self

import psycopg2
import requests

from stac_assets_tests.browser.dagster_dev import GRACE, free_port, until
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.many_years import ManyYears
from stac_assets_tests.pgstac.servers import Key
from stac_assets_tests.stac_api import Document

ENVIRONMENT = REPOSITORY / ".venv-pgstac" / "bin"
"""Where `make test-pgstac` installs it."""


class Pgstac:
    """The API; what is put is loaded by pypgstac, as its users do it.

    Args:
        database: libpq's variables that lead to an empty database.
        folder: for its log.
    """

    def __init__(self, database: Mapping[str, str], folder: Path) -> None:
        self._environment = {**os.environ, **database, "PYTHONWARNINGS": "ignore"}
        self._database = database
        self._log = folder / "uvicorn.log"
        self._port = free_port()
        self._touched: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._pypgstac("migrate")
        command = ["uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app", "--host", "127.0.0.1"]
        command += ["--port", str(self._port), "--log-level", "warning"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", ENVIRONMENT / command[0], *command[1:]],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            until(self._answers, "stac-fastapi-pgstac")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def held(self) -> set[Key]:
        return {(row[0], row[1]) for row in self._sql("SELECT collection, id FROM pgstac.items")}

    def put_collections(self, documents: Iterable[Document]) -> None:
        found = list(documents)
        self._touched |= {document["id"] for document in found}
        self._load("collections", found)

    def put(self, documents: Iterable[Document]) -> None:
        found = list(documents)
        self._touched |= {document["collection"] for document in found}
        self._load("items", found)

    def remove(self, collection: str, id: str) -> None:
        self._touched.add(collection)
        self._sql("SELECT pgstac.delete_item(%s, %s)", id, collection)

    def count(self, *, is_on: bool) -> None:
        self._sql("TRUNCATE pgstac.search_wheres")
        value = "on" if is_on else "off"
        self._sql("UPDATE pgstac.pgstac_settings SET value = %s WHERE name = 'context'", value)

    def hold(self, catalog: ManyYears) -> None:
        """Hold a catalog and nothing else, counting nothing; what is as it was put is not put again."""
        known = {row[0] for row in self._sql("SELECT id FROM pgstac.collections")}
        stale = self._touched | (known - set(catalog.names)) | (set(catalog.names) - known)
        for name in sorted(stale & known):
            self._sql("SELECT pgstac.delete_collection(%s)", name)
        if stale & set(catalog.names):
            self.put_collections(it for it in catalog.collection_documents() if it["id"] in stale)
            self.put(it for it in catalog.documents() if it["collection"] in stale)
        self._touched.clear()
        self.count(is_on=False)

    def _load(self, table: str, documents: Iterable[Document]) -> None:
        with NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as file:
            file.writelines(json.dumps(document) + "\n" for document in documents)
            file.flush()
            self._pypgstac("load", table, file.name, "--method", "upsert")

    def _pypgstac(self, *arguments: str) -> None:
        command = [ENVIRONMENT / "pypgstac", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def _sql(self, statement: str, *arguments: str) -> list[tuple[Any, ...]]:
        """The rows of a statement, which is committed."""
        connection = psycopg2.connect(
            host=self._database["PGHOST"],
            port=self._database["PGPORT"],
            user=self._database["PGUSER"],
            dbname=self._database["PGDATABASE"],
            options="-c search_path=pgstac,public",
        )
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with requests.Session() as session:
            session.trust_env = False  # no proxy for this machine
            try:
                return session.get(self.url, timeout=GRACE).ok
            except requests.ConnectionError:
                return False

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
