"""The load job of a DuckDB file, which replaces partitions in one transaction, straight from our rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.common.schema.typing import C_DLT_LOAD_ID
from dlt.destinations.exceptions import DatabaseTerminalException
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from stac_assets.pipeline.destinations.duckdb_connection import (
    ROW_GROUP_SIZE,
    compress_sparsely,
    frugal_limits,
    lacks_memory,
    leave_heavy_rows,
    limited,
)
from stac_assets.pipeline.destinations.duckdb_geometry import GEOMETRY
from stac_assets.pipeline.errors import StoreFailed
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import ITEM_COLUMNS, PARTITION_KEY, type_of
from stac_assets.source.geometry_column import GEOM
from stac_assets.source.running import portions_of_keys
from stac_assets.source.taken_rows import TakenRows

if TYPE_CHECKING:  # it is imported where there are rows, or some to be deleted
    import pyarrow as pa

VIEW = "delivered"
"""The temporary view by which a statement reads rows."""
REPLACED = "replaced"
"""That by which a statement reads the partition keys of what is replaced."""
PORTIONS = 4
"""Portions of heavy rows that a statement inserts, because until its end some of what was read is kept."""

logger = logging.getLogger("stac_assets")


class ReplacePartitions(RunnableLoadJob, HasFollowupJobs):
    """Deletes what the table holds of some partitions, and inserts the rows that replace it."""

    changes: TakenRows | None = None
    """Rows of the feed, which are stored in the same transaction."""

    def __init__(self, file_path: str, rows: TakenRows) -> None:
        super().__init__(file_path)
        self._rows = rows

    def run(self) -> None:
        """Replace the partitions with little memory, or with all there is where that is too little."""
        client: DuckDbSqlClient = self._job_client.sql_client  # type: ignore[attr-defined]
        connection = client.native_connection
        table = client.make_qualified_table_name(self.load_table_name)
        there = connection.execute(f"SELECT * FROM {table} LIMIT 0").description or ()  # noqa: S608
        columns = len(there)
        self._prepare({name: str(kind) for name, kind, *_ in there})
        ((count,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
        connection.execute("SET enable_caching_operators = false")  # it would gather copies of 2,048 rows
        compress_sparsely(connection, columns)
        leave_heavy_rows(connection, self._rows)
        try:
            with limited(connection, frugal_limits(connection, columns, self._rows, not count)):
                self._replace(client, table)
        except Exception as error:
            if not lacks_memory(error):
                raise
        else:
            return
        try:
            with limited(connection, {"threads": "1"}):
                self._replace(client, table)
        except Exception as error:
            if not lacks_memory(error):
                raise
            ((limit,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
            failed = StoreFailed(
                f"the {limit} of memory that DuckDB may take are too little for {columns} columns: give it "
                "more (`memory_limit` in global_config of the destination's credentials, or a larger "
                "machine). The table is as it was"
            )
            failed.__cause__ = error
            raise DatabaseTerminalException(failed) from failed  # no other try of dlt's would mend it

    def _prepare(self, there: Mapping[str, str]) -> None:
        """Tell which columns are stored: not the geometries, where somebody's own column has their name.

        Args:
            there: the types of the table's columns by name.
        """
        self._names = list(self._rows.columns)
        if GEOM in self._names and not there.get(GEOM, GEOMETRY).startswith("GEOMETRY"):
            self._names.remove(GEOM)
            logger.warning(
                "the column %s of %s is %s, and so no geometries are stored: rename the column, and the next "
                "loads store them",
                *(GEOM, self.load_table_name, there[GEOM]),
            )

    def _replace(self, client: DuckDbSqlClient, table: str) -> None:
        connection, rows = client.native_connection, self._rows
        columns = ", ".join(map(client.escape_column_name, self._names))
        insert = (
            f"INSERT INTO {table} ({columns}, {client.escape_column_name(C_DLT_LOAD_ID)}) "  # noqa: S608
            f"SELECT {columns}, '{self._load_id}' FROM temp.{VIEW}"
        )
        number = min(ROW_GROUP_SIZE, PORTIONS * rows.fitting(ROW_GROUP_SIZE))
        with client.begin_transaction():
            self._delete(client, table)
            for stream in rows.streams(number):
                connection.register(VIEW, stream.cast(self._typed))
                client.execute_sql(insert)
            if self.changes is not None:
                self._insert_changes(client, self.changes)

    def _insert_changes(self, client: DuckDbSqlClient, changes: TakenRows) -> None:
        table = client.make_qualified_table_name(CHANGES)
        columns = ", ".join(map(client.escape_column_name, changes.columns))
        for stream in changes.streams(ROW_GROUP_SIZE):
            client.native_connection.register(VIEW, stream)
            client.execute_sql(
                f"INSERT INTO {table} ({columns}, {client.escape_column_name(C_DLT_LOAD_ID)}) "  # noqa: S608
                f"SELECT {columns}, '{self._load_id}' FROM temp.{VIEW}"
            )

    @cached_property
    def _typed(self) -> pa.Schema:
        """The schema of the rows with JSON columns as such, which DuckDB takes as they are.

        Text it would parse again to see that it is JSON, as decoding the page has shown.
        """
        import pyarrow as pa

        json = {name for name, column in ITEM_COLUMNS.items() if type_of(column) == "json"}
        return pa.schema([f.with_type(pa.json_(f.type)) if f.name in json else f for f in self._rows.schema])

    def _delete(self, client: DuckDbSqlClient, table: str) -> None:
        """Delete by the keys that are there."""
        key = client.escape_column_name(PARTITION_KEY)
        for gone in portions_of_keys(client, self.load_table_name, self._rows.owners):
            if gone:
                import pyarrow as pa

                keys = pa.table({PARTITION_KEY: pa.array(gone, pa.string())})
                client.native_connection.register(REPLACED, keys)
                client.execute_sql(f"DELETE FROM {table} WHERE {key} IN (FROM temp.{REPLACED})")  # noqa: S608
