"""What a table of items holds of a collection: how many rows of which days, the rows, and the collection."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
from dlt.common.destination.exceptions import DestinationUndefinedEntity

from stac_assets.export.staged import COLUMNS, DOCUMENTS
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.dialects import Rows
from stac_assets.source.running import conditions
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import PartitionKey, Window

MOST_ROWS = 5_000
"""Rows that are asked for at a time, or a day that has more."""
CHUNK = 2048
_COLLECTION_TABLES = ("collection", "collections")
"""Where the document of a collection may be; the first is the fresher one."""


class StoredRows:
    """Reads a collection from the table `search`, wherever that is.

    Args:
        access: to the dataset.
        collection: its id.
    """

    def __init__(self, access: DatasetAccess, collection: str) -> None:
        self._access = access
        self._collection = collection

    def days(self) -> Mapping[date, int]:
        """How many rows there are of each day that has any."""
        everything = Owners([Window(self._collection, date.min, date.max)])
        return self._access.read(lambda: self._days(everything)) or {}

    def document(self) -> dict[str, Any] | None:
        """The document of the collection, where one of the tables of collections has it."""
        return self._access.read(self._document)

    def read(self, parts: Sequence[Mapping[date, int]], sink: Callable[[int, pa.Table], None]) -> None:
        """Hand out the rows of some days, part by part.

        A part is read as a whole before somebody else can store into a DuckDB file; between parts others may.

        Args:
            parts: the days of each part, and their rows.
            sink: takes the number of a part, and some of its rows.
        """
        waiting: list[tuple[int, list[date]]] = []
        rows = 0
        for number, days in enumerate(parts):
            waiting += [(number, some) for some in _grouped(days)]
            rows += sum(days.values())
            if waiting and (rows >= MOST_ROWS or number == len(parts) - 1):
                self._access.read(partial(self._read, tuple(waiting), sink))
                waiting, rows = [], 0

    def _days(self, everything: Owners) -> Mapping[date, int]:
        if not self._knows(SEARCH.name):
            return {}
        found = Counter[date]()
        try:
            with self._access.pipeline.sql_client() as client:
                table, key = _named(client, SEARCH.name), client.escape_column_name(PARTITION_KEY)
                for condition, values, some in conditions(key, everything):
                    query = f"SELECT {key}, count(*) FROM {table} WHERE {condition} GROUP BY {key}"  # noqa: S608
                    for row_key, count in client.execute_sql(query, *values) or ():
                        if some.of(row_key):
                            found[PartitionKey.parse(row_key).day] += count
        except DestinationUndefinedEntity:
            return {}  # somebody has dropped the table
        return found

    def _read(self, asked: Sequence[tuple[int, list[date]]], sink: Callable[[int, pa.Table], None]) -> None:
        casts = self._access.storage.target.dialect.rows is Rows.ARROW
        with self._access.pipeline.sql_client() as client:
            table, key = _named(client, SEARCH.name), client.escape_column_name(PARTITION_KEY)
            columns = ", ".join(_selected(client.escape_column_name(name), name, casts) for name in COLUMNS)
            for number, days in asked:
                keys = [str(PartitionKey(self._collection, day)) for day in days]
                holders = ", ".join(["%s"] * len(keys))
                query = f"SELECT {columns} FROM {table} WHERE {key} IN ({holders})"  # noqa: S608
                with client.execute_query(query, *keys) as cursor:
                    for rows in cursor.iter_arrow(CHUNK):
                        sink(number, rows)

    def _document(self) -> dict[str, Any] | None:
        with self._access.pipeline.sql_client() as client:
            for name in _COLLECTION_TABLES:
                if not self._knows(name):
                    continue
                query = f"SELECT document FROM {_named(client, name)} WHERE id = %s"  # noqa: S608
                try:
                    found = client.execute_sql(query, self._collection)
                except DestinationUndefinedEntity:
                    continue
                for (document,) in found or ():
                    return json.loads(document) if isinstance(document, str | bytes) else document
        return None

    def _knows(self, table: str) -> bool:
        """Whether dlt's schema has a table, as the destination holds it."""
        pipeline = self._access.pipeline
        if not pipeline.default_schema_name:
            pipeline.sync_destination()
        return bool(pipeline.default_schema_name) and table in pipeline.default_schema.tables


def _grouped(days: Mapping[date, int]) -> Iterator[list[date]]:
    some: list[date] = []
    rows = 0
    for day in sorted(days):
        if some and rows + days[day] > MOST_ROWS:
            yield some
            some, rows = [], 0
        some.append(day)
        rows += days[day]
    if some:
        yield some


def _named(client: Any, table: str) -> str:
    return client.make_qualified_table_name(table)


def _selected(column: str, name: str, casts: bool) -> str:
    return f"CAST({column} AS TEXT) AS {column}" if casts and name in DOCUMENTS else column
