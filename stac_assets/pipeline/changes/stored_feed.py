"""What the feed `item_changes` says so far of the windows of a load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from dlt.common.schema.typing import C_DLT_LOAD_ID
from dlt.destinations.sql_client import SqlClientBase
from msgspec.json import decode

from stac_assets.source.changes.feed import CHANGES, THERE
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.running import COLLECTIONS_OF_A_QUERY, conditions
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window

KEYS_OF_A_QUERY = 100
"""What a query asks for at once, so that no destination finds it too long."""

Told = tuple[str, str, datetime, str]
"""Partition key and id of an item, when a change of it was found, and its kind."""


class StoredFeed:
    """Asks for rows of the feed.

    Args:
        client: dlt's, of SQL, which is open.
        resource: whose changes are asked for.
    """

    def __init__(self, client: SqlClientBase[Any], resource: str) -> None:
        self._client = client
        self._resource = resource
        self._table = client.make_qualified_table_name(CHANGES)
        self._key = client.escape_column_name(PARTITION_KEY)

    def last_seen(self) -> datetime | None:
        """The time of the newest row; None where there is none."""
        ((found,),) = self._client.execute_sql(f"SELECT max(seen_at) FROM {self._table}") or ((None,),)  # noqa: S608
        return None if found is None else in_utc(found)

    def present(self, owners: Owners) -> dict[str, set[str]]:
        """The items that are in some windows after all changes so far, by partition key."""
        told = list[Told]()
        for condition, values, some in conditions(self._key, owners):
            told += (each for each in self._told(condition, values) if some.of(each[0]) is not None)
        return _present(told)

    def present_in(self, keys: Sequence[str]) -> dict[str, set[str]]:
        """The same of some partitions, which are few among others."""
        told = list[Told]()
        for at in range(0, len(keys), KEYS_OF_A_QUERY):
            some = keys[at : at + KEYS_OF_A_QUERY]
            told += self._told(f"{self._key} IN ({', '.join(['%s'] * len(some))})", some)
        return _present(told)

    def _told(self, condition: str, values: Sequence[str]) -> Iterator[Told]:
        query = (
            f"SELECT {self._key}, id, change, seen_at FROM {self._table} "  # noqa: S608
            f"WHERE resource = %s AND id IS NOT NULL AND ({condition})"
        )
        rows = self._client.execute_sql(query, self._resource, *values) or ()
        return ((key, item_id, in_utc(seen_at), change) for key, item_id, change, seen_at in rows)

    def empty_days(self, windows: Sequence[Window]) -> dict[str, str]:
        """By which filters days of some windows were last asked for, of those for which rows cannot tell.

        Returns:
            What tells the filters, empty for none, by partition key.
        """
        found, days = list[tuple[datetime, str, date, date, str]](), dict[str, tuple[date, date]]()
        for each in windows:
            first, last = days.get(each.collection, (each.start, each.end))
            days[each.collection] = min(first, each.start), max(last, each.end)
        collections = sorted(days)
        for at in range(0, len(collections), COLLECTIONS_OF_A_QUERY):
            some = collections[at : at + COLLECTIONS_OF_A_QUERY]
            rows = self._client.execute_sql(
                f"SELECT collection, changed_members, scope, seen_at FROM {self._table} "  # noqa: S608
                f"WHERE resource = %s AND id IS NULL AND collection IN ({', '.join(['%s'] * len(some))})",
                *(self._resource, *some),
            )
            for collection, span, scope, seen_at in rows or ():
                parsed = decode(span) if isinstance(span, str | bytes) else span
                start, end = map(date.fromisoformat, parsed)
                first, last = days[collection]
                found.append((in_utc(seen_at), collection, max(first, start), min(last, end), scope or ""))
        return {
            key: scope
            for _, collection, start, end, scope in sorted(found)
            for key in (Window(collection, start, end).day_keys() if start < end else ())
        }

    def loads(self, owners: Owners) -> dict[str, str]:
        """The newest load that told of each partition of some windows, by its key."""
        return newest_loads(self._client, CHANGES, owners, "resource = %s AND id IS NOT NULL", self._resource)

    def newest(self, owners: Owners) -> dict[str, datetime]:
        """The time of the newest change of each partition of some windows that has any, by its key."""
        found = dict[str, datetime]()
        for condition, values, some in conditions(self._key, owners):
            query = (
                f"SELECT {self._key}, max(seen_at) FROM {self._table} "  # noqa: S608
                f"WHERE resource = %s AND id IS NOT NULL AND ({condition}) GROUP BY {self._key}"
            )
            rows = self._client.execute_sql(query, self._resource, *values) or ()
            found.update({key: in_utc(seen_at) for key, seen_at in rows if some.of(key) is not None})
        return found


def newest_loads(
    client: SqlClientBase[Any], table: str, owners: Owners, condition: str = "1 = 1", *values: str
) -> dict[str, str]:
    """The newest load of the rows of each partition of some windows, by its key."""
    name = client.make_qualified_table_name(table)
    key, load_id = map(client.escape_column_name, (PARTITION_KEY, C_DLT_LOAD_ID))
    found = dict[str, str]()
    for among, keys, some in conditions(key, owners):
        query = f"SELECT {key}, max({load_id}) FROM {name} WHERE {condition} AND ({among}) GROUP BY {key}"  # noqa: S608
        rows = client.execute_sql(query, *values, *keys) or ()
        found.update({row_key: load for row_key, load in rows if load and some.of(row_key) is not None})
    return found


def _present(told: Iterable[Told]) -> dict[str, set[str]]:
    """The items that are there after changes, which come in any order, by partition key."""
    last = dict[tuple[str, str], tuple[datetime, str]]()
    for key, item_id, seen_at, change in told:
        now = seen_at, change
        last[key, item_id] = max(last.get((key, item_id), now), now)
    found = dict[str, set[str]]()
    for (key, item_id), (_, change) in last.items():
        if change in THERE:
            found.setdefault(key, set()).add(item_id)
    return found


def in_utc(time: Any) -> datetime:
    """A time as drivers give it: with a zone, without, or as text."""
    found = datetime.fromisoformat(time) if isinstance(time, str) else time
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
