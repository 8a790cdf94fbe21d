"""Dagster's SQLite storage for runs over many partitions, which report hundreds of events.

For each event Dagster opens a database or two, and waits for the disk when it commits and closes them. Here
the last databases stay open. `dagster.yaml` may name this class instead of Dagster's own: both read and write
the same history, and without it runs report the same.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, cast

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, SqliteStorageConfig
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.event import listen
from sqlalchemy.pool import QueuePool

OPEN_DATABASES = 4
"""Each run has a database of its own, beside the index of all; so many are kept open."""
OPTIONS = {"timeout": 60, "check_same_thread": False}
"""How sqlite3 connects; the timeout is in seconds, for others who write."""


class BatchingSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's own event log, which keeps its connections."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if shard not in self._initialized_dbs:
            with super()._connect(shard):
                pass  # which makes the database, if it is new
            if engine := self._engines.pop(shard, None):  # of a file that was wiped
                engine.dispose()
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        """The engine of a database; the longest unused one of too many is closed."""
        engine = self._engines.pop(shard, None)
        if engine is None:
            url = self.conn_string_for_shard(shard)
            engine = create_engine(url, poolclass=QueuePool, pool_size=1, connect_args=OPTIONS)
            listen(engine, "connect", _do_not_wait)
        self._engines[shard] = engine
        if len(self._engines) > OPEN_DATABASES:
            self._engines.pop(next(iter(self._engines))).dispose()
        return engine

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store one event, and wake who watches the run: Dagster does so by a change of the file itself.

        The file changes by itself only where the last connection to it is closed.
        """
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    def has_table(self, table_name: str) -> bool:
        """Whether the database has a table; Dagster would connect anew for each event to see the same."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def wipe(self) -> None:
        """Delete all events, and the databases of the runs."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the databases."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        while self._engines:
            self._engines.popitem()[1].dispose()


def _do_not_wait(connection: Any, _: Any) -> None:
    """Let SQLite commit without waiting for the disk: if the power fails, the last events may be lost."""
    connection.execute("PRAGMA synchronous = NORMAL")


class BatchingSqliteStorage(DagsterSqliteStorage):
    """Dagster's own storage of runs, events and schedules, with the event log of this module."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        log = cast(SqliteEventLogStorage, self._event_log_storage)
        self._event_log_storage = BatchingSqliteEventLogStorage(log._base_dir)

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData, config_value: SqliteStorageConfig
    ) -> Self:
        """What Dagster makes of the block in `dagster.yaml`."""
        return cls.from_local(inst_data=inst_data, **config_value)
