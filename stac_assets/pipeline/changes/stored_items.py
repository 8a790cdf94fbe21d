"""What a table of items holds of some windows: fingerprints, documents, and what was rejected for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.sql_client import SqlClientBase

from stac_assets.pipeline.changes.stored_feed import newest_loads
from stac_assets.source.changes.difference import SCHEMA
from stac_assets.source.columns import FINGERPRINT, PARTITION_KEY, REJECTED, rejected_key
from stac_assets.source.geometry_column import GEOM
from stac_assets.source.rows import JSON_MEMBERS, TEXT_MEMBERS, item_from_row
from stac_assets.source.running import conditions
from stac_assets.stac.owners import Owners

IDS_OF_A_QUERY = 100
"""Items whose documents a query asks for, so that no destination finds it too long."""
IDS_OF_DUCKDB = 1000
"""The same of DuckDB, which finds no query too long."""

Name = tuple[str, str]
"""Partition key and id of an item."""
Reasons = Counter[tuple[str | None, str, str]]
"""How often each rejected document is there, with its id and the reason."""


class NothingStored:
    """As of a table that is not there yet.

    Args:
        table: the endpoint's name.
    """

    def __init__(self, table: str) -> None:
        self.name = table

    def fingerprints(self, owners: Owners) -> pa.Table:
        """No rows."""
        return SCHEMA.empty_table()

    def loads(self, owners: Owners) -> dict[str, str]:
        """No loads."""
        return {}

    def documents(self, names: Iterable[Name]) -> Iterator[tuple[Name, dict[str, Any]]]:
        """No items."""
        return iter(())

    def without_geometry(self, owners: Owners) -> int:
        """None."""
        return 0

    def rejected(self, owners: Owners) -> dict[str, Reasons]:
        """None."""
        return {}


class StoredItems(NothingStored):
    """Asks for the rows of one table.

    Args:
        client: dlt's, of SQL, which is open.
        table: the endpoint's name.
        has_fingerprints: whether the table has a column with fingerprints.
    """

    def __init__(self, client: SqlClientBase[Any], table: str, has_fingerprints: bool = True) -> None:
        super().__init__(table)
        self._client = client
        self._has_fingerprints = has_fingerprints
        self._table = client.make_qualified_table_name(table)
        self._key = client.escape_column_name(PARTITION_KEY)

    def fingerprints(self, owners: Owners) -> pa.Table:
        """Partition key, id and fingerprint of each row of some windows."""
        escaped = ", ".join(map(self._client.escape_column_name, SCHEMA.names[:2]))
        escaped += f", {FINGERPRINT if self._has_fingerprints else 'NULL'}"
        tables = [SCHEMA.empty_table()]
        for condition, values, some in conditions(self._key, owners):
            found = self._table_of(f"SELECT {escaped} FROM {self._table} WHERE {condition}", values)  # noqa: S608
            keys = found[PARTITION_KEY].unique()
            own = pa.array([*some.among(keys.to_pylist())], pa.string())
            if len(own) < len(keys):
                found = found.filter(pc.is_in(found[PARTITION_KEY], value_set=own))  # type: ignore[attr-defined]
            tables.append(found)
        return pa.concat_tables(tables)

    def loads(self, owners: Owners) -> dict[str, str]:
        """The newest load of each partition of some windows, by its key."""
        return newest_loads(self._client, self.name, owners)

    def documents(self, names: Iterable[Name]) -> Iterator[tuple[Name, dict[str, Any]]]:
        """The items, as parsed JSON, of some rows."""
        columns = [PARTITION_KEY, *TEXT_MEMBERS, *JSON_MEMBERS, "extra"]
        escaped = ", ".join(map(self._client.escape_column_name, columns))
        rest, most = (
            iter(names),
            IDS_OF_DUCKDB if isinstance(self._client, DuckDbSqlClient) else IDS_OF_A_QUERY,
        )
        while some := set(islice(rest, most)):
            keys, ids = sorted({key for key, _ in some}), sorted({item_id for _, item_id in some})
            condition = f"{self._key} IN ({_places(keys)}) AND id IN ({_places(ids)})"
            query = f"SELECT {escaped} FROM {self._table} WHERE {condition}"  # noqa: S608
            for row in self._client.execute_sql(query, *keys, *ids) or ():
                found = dict(zip(columns, row, strict=True))
                if (name := (found[PARTITION_KEY], found["id"])) in some:
                    yield name, item_from_row(found)

    def without_geometry(self, owners: Owners) -> int:
        """How many rows of some windows have GeoJSON of which no geometry could be made."""
        geom = self._client.escape_column_name(GEOM)
        count = 0
        for condition, values, some in conditions(self._key, owners):
            query = (
                f"SELECT {self._key}, count(*) FROM {self._table} WHERE ({condition}) "  # noqa: S608
                f"AND geometry IS NOT NULL AND {geom} IS NULL GROUP BY {self._key}"
            )
            rows = self._client.execute_sql(query, *values) or ()
            count += sum(number for key, number in rows if some.of(key) is not None)
        return count

    def rejected(self, owners: Owners) -> dict[str, Reasons]:
        """The rejected documents of some windows, by the partition key of the item."""
        table, found = self._client.make_qualified_table_name(REJECTED), dict[str, Reasons]()
        prefix = rejected_key(self.name, "")
        for condition, values, some in conditions(self._key, owners.with_prefix(prefix)):
            query = f"SELECT {self._key}, id, reason, document FROM {table} WHERE {condition}"  # noqa: S608
            for key, *document in self._client.execute_sql(query, *values) or ():
                if some.of(key) is not None:
                    found.setdefault(key.removeprefix(prefix), Counter())[tuple(document)] += 1
        return found

    def _table_of(self, query: str, values: Sequence[str]) -> pa.Table:
        if isinstance(self._client, DuckDbSqlClient):
            with self._client.execute_query(query, *values) as cursor:
                found = cursor.arrow()
                return (
                    SCHEMA.empty_table() if found is None else found.rename_columns(SCHEMA.names).cast(SCHEMA)
                )
        rows = self._client.execute_sql(query, *values) or ()
        columns = zip(*rows, strict=True) if rows else ((), (), ())
        return pa.table([pa.array([*column], pa.string()) for column in columns], schema=SCHEMA)


def _places(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
