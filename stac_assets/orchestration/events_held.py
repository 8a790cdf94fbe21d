"""Events that one thread stores in few transactions, and with few statements."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import dagster as dg
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from sqlalchemy.engine import Connection

MOST_TOGETHER = 300
"""Uses of a database in one transaction: others who want to write get their turn in between."""


class Stored(NamedTuple):
    """Where an event is in the log."""

    storage_id: int
    run_id: str
    timestamp: float


Last = dict[Any, tuple[EventLogEntry, int]]
"""The last event of an asset, with its id, by asset and type."""


class Held:
    """The open connections of one thread, by shard, each in a transaction, and what waits to be written."""

    def __init__(
        self,
        open_shard: Callable[[str], Connection],
        write: "Callable[[Held], None]",
        store_last: Callable[[Connection, Last], None],
    ) -> None:
        self.last: Last = {}
        self.rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        """Of the events of each run, which nobody looks up by what the database numbers them."""
        self.evaluated: list[tuple[EventLogEntry, int, dict[str, Any]]] = []
        """Evaluations of checks, with the ids of their events, and the values of `_EVALUATE`."""
        self.materialized: defaultdict[dg.AssetKey, dict[str | None, Stored]] = defaultdict(dict)
        """By asset and partition."""
        self.thread = threading.get_ident()
        self._open = open_shard
        self._write = write
        self._store_last = store_last
        self._connections: dict[str, Connection] = {}
        self._uses = 0

    def connection(self, shard: str) -> Connection:
        """A connection that sees all that was stored, but for what an asset says of its last events."""
        self._write(self)
        return self.beside(shard)

    def beside(self, shard: str) -> Connection:
        """A connection for what has nothing to do with what waits."""
        self._uses += 1
        if self._uses >= MOST_TOGETHER:
            self._commit()
        return self._connected(shard)

    def saw(self, event: EventLogEntry, event_id: int) -> None:
        """Remember a materialization."""
        told = event.get_dagster_event()
        if told.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION and told.asset_key:
            stored = Stored(event_id, event.run_id, event.timestamp)
            self.materialized[told.asset_key][told.partition] = stored

    def close(self) -> None:
        """Write and commit all, and let go of the databases."""
        try:
            self._commit()
        finally:
            for connection in self._connections.values():
                connection.close()
                connection.engine.dispose()

    def _commit(self) -> None:
        self._uses = 0
        self._write(self)
        if self.last:
            self._store_last(self._connected(INDEX_SHARD_NAME), self.last)
            self.last = {}
        for connection in self._connections.values():
            connection.commit()

    def _connected(self, shard: str) -> Connection:
        if shard not in self._connections:
            self._connections[shard] = self._open(shard)
        connection = self._connections[shard]
        if not connection.in_transaction():
            connection.begin()
        return connection
