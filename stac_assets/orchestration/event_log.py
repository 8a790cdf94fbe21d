"""Dagster's SQLite event log, with one transaction for the many events that a range of partitions reports.

Dagster opens, commits and closes one database, or two, for each event: a year of days with their checks would
take a minute. `dagster.yaml` names this class. Without it, or with another storage, runs report the same.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from operator import itemgetter
from typing import Any, Self, cast

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, SqliteStorageConfig
from dagster._serdes import ConfigurableClassData, serialize_value
from sqlalchemy import bindparam, create_engine
from sqlalchemy.engine import Connection, Row
from sqlalchemy.pool import NullPool

from stac_assets.orchestration.events_held import MOST_TOGETHER, Held, Last, Stored

BUSY_SECONDS = 30
"""How long to wait for others who write."""
STATEMENT_MILLISECONDS, RECYCLE_SECONDS, MORE_CONNECTIONS = 60_000, 3600, 20

_STORE = SqlEventLogStorageTable.insert()
_CHECKS = AssetCheckExecutionsTable.c
_EVALUATE = AssetCheckExecutionsTable.update().where(
    _CHECKS.asset_key == bindparam("of_asset"),
    _CHECKS.check_name == bindparam("of_check"),
    _CHECKS.run_id == bindparam("of_run"),
    _CHECKS.partition == bindparam("of_partition"),
)
"""Statements whose values are given when they are executed, so that they are compiled once."""


def events_together(instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    """A block that reports many events; what it reports is stored at its end, at the latest."""
    storage = instance.event_log_storage
    if isinstance(storage, BatchingSqliteEventLogStorage):
        return storage.together()
    # a server's storage then keeps its connection, and does not open one for each event
    storage.optimize_for_webserver(
        statement_timeout=STATEMENT_MILLISECONDS, pool_recycle=RECYCLE_SECONDS, max_overflow=MORE_CONNECTIONS
    )
    return nullcontext()


def materialized_together(instance: dg.DagsterInstance, asset_key: dg.AssetKey) -> dict[str | None, Stored]:
    """Materializations that this thread has reported in its block, by partition, in their order.

    There are none where another storage keeps them, or where no block is open: ask Dagster.
    """
    storage = instance.event_log_storage
    held = storage._holding() if isinstance(storage, BatchingSqliteEventLogStorage) else None
    return held.materialized[asset_key] if held else {}


class BatchingSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's own storage, which can be told that many events are to come."""

    _held: Held | None = None
    _tables: frozenset[str] = frozenset()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events that Dagster itself keeps together, such as those that plan a run."""
        with self.together():
            super().store_event_batch(events)

    def has_table(self, table_name: str) -> bool:
        """Whether the database has a table; Dagster would connect anew for each event to see the same."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables |= {table_name}
        return table_name in self._tables

    def store_event(self, event: EventLogEntry) -> None:
        """Store one event; of many together, those of partitions and their checks with few steps.

        Dagster would serialize some twice, and build, compile and execute each statement anew.
        """
        told, held = event.dagster_event, self._holding()
        evaluation = _evaluation_of_partition(event)
        of_asset = told is not None and (evaluation or told.event_type in ASSET_EVENTS)
        if held is None or not event.run_id or not of_asset:
            super().store_event(event)
            return
        row = self._event_to_row(event)
        index = held.beside(INDEX_SHARD_NAME)
        event_id = _inserted(index, row)
        held.rows[event.run_id].append(row)
        if evaluation is None:
            self._store_asset_event_tags(index, [event], [event_id])
            self._store_asset_event(index, event, event_id)
            held.saw(event, event_id)
        else:
            held.evaluated.append((event, event_id, _evaluated(event, evaluation, row, event_id)))

    def _write(self, held: Held) -> None:
        """Write what waits to be written by one statement each."""
        rows, held.rows = held.rows, defaultdict(list)
        evaluated, held.evaluated = held.evaluated, []
        for run_id, of_run in rows.items():
            held.beside(run_id).execute(_STORE, of_run)
        if not evaluated:
            return
        index = held.beside(INDEX_SHARD_NAME)
        if index.execute(_EVALUATE, [values for _, _, values in evaluated]).rowcount != len(evaluated):
            for event, event_id, values in evaluated:
                if index.execute(_EVALUATE, values).rowcount != 1:  # as where nothing was planned
                    self.store_asset_check_event(event, event_id)

    def _store_asset_event(self, conn: Connection, event: EventLogEntry, event_id: int) -> None:
        """What the row of an asset says of its last events; of those stored together only the last counts."""
        held = self._holding()
        if held is not None and event.dagster_event is not None:
            kind = event.dagster_event.asset_key, event.dagster_event_type
            held.last[kind] = event, event_id
        else:
            super()._store_asset_event(conn, event, event_id)

    def _store_last(self, conn: Connection, last: Last) -> None:
        for event, event_id in sorted(last.values(), key=itemgetter(1)):
            super()._store_asset_event(conn, event, event_id)

    def _store_asset_check_evaluation_planned(self, event: EventLogEntry, event_id: int | None) -> None:
        """A row for each partition; Dagster would keep in each the names of all of them."""
        planned = cast(AssetCheckEvaluationPlanned, event.get_dagster_event().event_specific_data)
        subset = planned.partitions_subset
        told = serialize_value(_without_partitions(event, planned))
        rows = [
            {
                "asset_key": planned.asset_key.to_string(),
                "check_name": planned.check_name,
                "partition": partition,
                "run_id": event.run_id,
                "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
                "evaluation_event": told,
                "evaluation_event_timestamp": self._event_insert_timestamp(event),
                "evaluation_event_storage_id": event_id,
            }
            for partition in (subset.get_partition_keys() if subset else [None])
        ]
        with self.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.insert(), rows)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store what this thread stores until the end of the block in few transactions."""
        if self._held is not None:
            yield
            return
        held = Held(self._opened, self._write, self._store_last)
        self._held = held
        try:
            yield
        finally:
            try:
                held.close()
            finally:
                self._held = None

    def _holding(self) -> Held | None:
        """What is held, if it is this thread that holds it."""
        held = self._held
        return held if held is not None and held.thread == threading.get_ident() else None

    def _opened(self, shard: str) -> Connection:
        with super()._connect(shard):
            pass  # which makes the database, if it is new
        engine = create_engine(
            self.conn_string_for_shard(shard), poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS}
        )
        return engine.connect()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        held = self._holding()
        if held is not None:
            yield held.connection(shard)
        else:
            with super()._connect(shard) as connection:
                yield connection


def _evaluation_of_partition(event: EventLogEntry) -> dg.AssetCheckEvaluation | None:
    told = event.dagster_event
    if told is None or told.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    evaluation = told.asset_check_evaluation_data
    return evaluation if evaluation.partition is not None else None


def _inserted(connection: Connection, row: dict[str, Any]) -> int:
    (event_id,) = cast(Row[Any], connection.execute(_STORE, row).inserted_primary_key)
    return event_id


def _evaluated(
    event: EventLogEntry, evaluation: dg.AssetCheckEvaluation, row: dict[str, Any], event_id: int
) -> dict[str, Any]:
    status = AssetCheckExecutionRecordStatus
    target = evaluation.target_materialization_data
    return {
        "of_asset": evaluation.asset_key.to_string(),
        "of_check": evaluation.check_name,
        "of_run": event.run_id,
        "of_partition": evaluation.partition,
        "execution_status": (status.SUCCEEDED if evaluation.passed else status.FAILED).value,
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": event_id,
        "materialization_event_storage_id": target.storage_id if target else None,
    }


def _without_partitions(event: EventLogEntry, planned: AssetCheckEvaluationPlanned) -> EventLogEntry:
    told = AssetCheckEvaluationPlanned(asset_key=planned.asset_key, check_name=planned.check_name)
    return event._replace(dagster_event=event.get_dagster_event()._replace(event_specific_data=told))


class BatchingSqliteStorage(DagsterSqliteStorage):
    """Dagster's own storage of runs, events and schedules, with the event log of this module."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(MOST_TOGETHER))  # Dagster's own switch
        log = cast(SqliteEventLogStorage, self._event_log_storage)
        self._event_log_storage = BatchingSqliteEventLogStorage(log._base_dir)

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData, config_value: SqliteStorageConfig
    ) -> Self:
        """What Dagster makes of the block in `dagster.yaml`."""
        return cls.from_local(inst_data=inst_data, **config_value)
