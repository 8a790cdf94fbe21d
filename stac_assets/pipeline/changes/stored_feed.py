"""What the feed `item_changes` says so far of the windows of a load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from dlt.destinations.sql_client import SqlClientBase
from msgspec.json import decode

from stac_assets.source.changes.feed import CHANGES, THERE
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.running import COLLECTIONS_OF_A_QUERY, conditions
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import PartitionKey, Window


@dataclass(frozen=True)
class EmptySpan:
    """Days of a collection that were found empty by some filters.

    Args:
        collection: its id.
        start: the first day.
        end: the day after the last.
        scope: tells the filters; empty: without any.
    """

    collection: str
    start: date
    end: date
    scope: str


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
        last = dict[tuple[str, str], tuple[datetime, str]]()
        for condition, values, some in conditions(self._key, owners):
            query = (
                f"SELECT {self._key}, id, change, seen_at FROM {self._table} "  # noqa: S608
                f"WHERE resource = %s AND id IS NOT NULL AND ({condition})"
            )
            for key, item_id, change, seen_at in (
                self._client.execute_sql(query, self._resource, *values) or ()
            ):
                if some.of(key) is not None:
                    told = in_utc(seen_at), change
                    last[key, item_id] = max(last.get((key, item_id), told), told)
        found = dict[str, set[str]]()
        for (key, item_id), (_, change) in last.items():
            if change in THERE:
                found.setdefault(key, set()).add(item_id)
        return found

    def empty_spans(self, collections: Sequence[str]) -> list[EmptySpan]:
        """Days that were found empty by filters, in the order of the loads that found them."""
        found = list[tuple[datetime, EmptySpan]]()
        for at in range(0, len(collections), COLLECTIONS_OF_A_QUERY):
            some = collections[at : at + COLLECTIONS_OF_A_QUERY]
            rows = self._client.execute_sql(
                f"SELECT collection, changed_members, scope, seen_at FROM {self._table} "  # noqa: S608
                f"WHERE resource = %s AND id IS NULL AND collection IN ({', '.join(['%s'] * len(some))})",
                *(self._resource, *some),
            )
            for collection, days, scope, seen_at in rows or ():
                parsed = decode(days) if isinstance(days, str | bytes) else days
                start, end = map(date.fromisoformat, parsed)
                found.append((in_utc(seen_at), EmptySpan(collection, start, end, scope or "")))
        return [span for _, span in sorted(found, key=lambda pair: pair[0])]

    def newest(self, windows: Iterable[Window]) -> dict[Window, datetime]:
        """The time of the newest change of each window that has any."""
        found = dict[Window, datetime]()
        for condition, values, some in conditions(self._key, Owners(windows)):
            query = (
                f"SELECT {self._key}, max(seen_at) FROM {self._table} "  # noqa: S608
                f"WHERE resource = %s AND id IS NOT NULL AND ({condition}) GROUP BY {self._key}"
            )
            for key, seen_at in self._client.execute_sql(query, self._resource, *values) or ():
                if (window := some.of(key)) is not None:
                    found[window] = max(found.get(window, in_utc(seen_at)), in_utc(seen_at))
        return found


def scope_of_day(spans: Iterable[EmptySpan], key: str) -> str:
    """By which filters the partition of `key` was last found empty; empty where by none, or never."""
    collection, day = PartitionKey.parse(key)
    found = [s.scope for s in spans if s.collection == collection and s.start <= day < s.end]
    return found[-1] if found else ""


def in_utc(time: Any) -> datetime:
    """A time as drivers give it: with a zone, without, or as text."""
    found = datetime.fromisoformat(time) if isinstance(time, str) else time
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
