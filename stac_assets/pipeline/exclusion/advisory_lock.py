"""A lock in the destination itself, so that two hosts do not store into one dataset at the same time.

dlt stages a merge in tables that all loads of a dataset share: a load that stages while another merges takes
its rows away, and both report success (https://github.com/dlt-hub/dlt/issues/4297). And of two loads that
begin with the same stored schema, the later one forgets what the earlier one has added to it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.errors import StoreFailed
from stac_assets.pipeline.exclusion.waiting import Hold, Holder, Wait, moment

MAX_NAME = 63
"""Bytes of a PostgreSQL identifier, and so of `application_name`."""
LASTING = {
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # without them a server notices only after hours that a host is gone
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Settings of the lock's transaction, as far as the server knows them: it lasts as long as its host."""


@contextmanager
def advisory_lock(pipeline: Pipeline, wait: Wait, doing: str | None) -> Iterator[Hold]:
    """Hold a dataset on a PostgreSQL server, on a connection of its own.

    The server releases the lock when the holder dies. It is a transaction's lock and not a session's, which a
    connection pooler between them could leave behind; the transaction has no snapshot and keeps no old rows.

    Args:
        pipeline: whose dataset it is.
        wait: what to do while somebody else holds it.
        doing: what this process does, for those that wait for it.

    Raises:
        DatasetBusy: somebody else held it for too long.
        StoreFailed: the connection was lost meanwhile, and the lock with it.
    """
    client = pipeline.destination_client()
    assert isinstance(client, SqlJobClientBase)
    what = f"the dataset {client.sql_client.dataset_name} on the server"
    key = key_of(client.sql_client.dataset_name)
    with client.sql_client as sql:
        connection: Any = sql.native_connection
        connection.autocommit = False
        with connection.cursor() as cursor:
            while not _locked(cursor, key, doing):
                holder = _holder(cursor, key)
                connection.rollback()
                wait.on(what, holder, "Let it finish")
            yield Hold(wait)
            try:
                cursor.execute("SELECT 1")
            except Exception:
                raise StoreFailed(
                    f"the connection that held {what} was lost, so that another host may have stored at the "
                    "same time. Run again, and what the other one loaded too"
                ) from None
            connection.rollback()


def key_of(dataset: str) -> int:
    """A signed number of 64 bits that stands for a dataset, or another name, in one database."""
    return int.from_bytes(hashlib.sha256(f"stac-assets {dataset}".encode()).digest()[:8], signed=True)


def _locked(cursor: Any, key: int, doing: str | None) -> bool:
    me = Holder.this(doing)
    name = f"{me.doing} @{me.host}:{me.pid}".encode()[:MAX_NAME].decode(errors="ignore")
    wished = {**LASTING, "application_name": name}
    cursor.execute(
        "SELECT set_config(name, %s::jsonb ->> name, true) FROM pg_settings WHERE name = ANY(%s)",
        (json.dumps(wished), list(wished)),
    )
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (key,))
    return cursor.fetchone()[0]


def _holder(cursor: Any, key: int) -> str:
    """Who holds the lock, as far as the server may tell this user."""
    cursor.execute(
        "SELECT pid, application_name, host(client_addr), xact_start FROM pg_locks "
        "JOIN pg_database ON pg_database.oid = pg_locks.database LEFT JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND pg_database.datname = current_database() "
        "AND classid::bigint = %s AND objid::bigint = %s AND objsubid = 1",
        ((key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF),
    )
    found = cursor.fetchone()
    if found is None:
        return "somebody who has just let it go"
    pid, name, address, since = found
    told = f"{name or 'somebody'} (server process {pid}"
    told += f", from {address}" if address else ""
    return f"{told}, since {moment(since)})" if since else f"{told})"
