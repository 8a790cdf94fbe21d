"""Dagster's SQLite storage for runs over many partitions, which report hundreds of events.

For each event Dagster opens a database or two, and waits for the disk when it commits and closes them. Here
the last databases stay open, and the events that a run has for each of its partitions are stored together.
`dagster.yaml` may name this class instead of Dagster's own: both read and write the same history, and without
it runs report the same.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Self

import dagster as dg
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    SqliteStorageConfig,
    _event_logs_directory,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, func, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.event import listen
from sqlalchemy.pool import QueuePool

OPEN_DATABASES = 4
"""Each run has a database of its own, beside the index of all; so many are kept open."""
PAGE_BYTES = 1024
"""Size of a page of a database. In SQLite's usual pages of 4 KB an event of 3 KB has a page for itself."""
BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE", "1000"
"""Dagster's variable for how many events it gives to a storage at once, and how many we take without it.

They are events that Dagster makes at the same time: what a run plans, and what it materialized.
"""
TOGETHER = frozenset(
    {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
)
"""The kinds of events that a run has for each partition."""
OPTIONS = {"timeout": 60, "check_same_thread": False}
"""How sqlite3 connects; the timeout is in seconds, for others who write."""


class BatchingSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's own event log, which keeps its connections."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Make a database with small pages; one that is there keeps its own."""
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # writes the first page
        super()._initdb(engine, for_index_shard)

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

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events in their order; those of an asset's partitions together, as in PostgreSQL.

        Of these only the last becomes what Dagster keeps as the latest of the asset.
        """
        for (kind, _, run_id), alike in groupby(events, _likeness):
            some = list(alike)
            if kind not in TOGETHER or len(some) == 1:
                for event in some:
                    self.store_event(event)
                continue
            insertion = self.prepare_insert_event_batch(some)
            with self.run_connection(run_id) as connection:
                connection.execute(insertion)
            with self.index_connection() as connection:
                connection.execute(insertion)
                # one transaction writes at a time, and so its rows have neighbouring ids
                last = connection.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
            self.store_asset_event_tags(some, range(last + 1 - len(some), last + 1))
            self.store_asset_event(some[-1], last)
            os.utime(self.path_for_shard(run_id))

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


def _likeness(event: dg.EventLogEntry) -> tuple[dg.DagsterEventType | None, dg.AssetKey | None, str]:
    """What events have in common that can be stored together."""
    told = event.dagster_event
    return told and told.event_type, told and told.asset_key, event.run_id


def _do_not_wait(connection: Any, _: Any) -> None:
    """Let SQLite commit without waiting for the disk: if the power fails, the last events may be lost."""
    connection.execute("PRAGMA synchronous = NORMAL")


class BatchingSqliteStorage(DagsterSqliteStorage):
    """Dagster's own storage of runs, events and schedules, with the event log of this module."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        log = BatchingSqliteEventLogStorage(_event_logs_directory(base_dir))  # first, to make the databases
        super().__init__(base_dir, inst_data)
        self._event_log_storage = log
        os.environ.setdefault(*BATCH_SIZE)  # which Dagster looks at with each event

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData, config_value: SqliteStorageConfig
    ) -> Self:
        """What Dagster makes of the block in `dagster.yaml`."""
        return cls.from_local(inst_data=inst_data, **config_value)
