"""The load job of PostgreSQL, which replaces partitions in one transaction, straight from our rows.

dlt would write the rows to CSV files, copy these into a staging table, and from there into the table, where
each document is compressed for the second time.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.common.schema.typing import C_DLT_LOAD_ID
from dlt.destinations.exceptions import DatabaseTerminalException
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
from psycopg2 import DataError

from stac_assets.pipeline.destinations.postgres_copy import Stream, as_binary
from stac_assets.pipeline.destinations.postgres_geometry import takes_geometries, tell_of_postgis
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.geometry_column import GEOM
from stac_assets.source.running import portions_of_keys
from stac_assets.source.taken_rows import TakenRows, prepared

READ_BYTES = 1024 * 1024
"""What psycopg2 sends at a time."""
KEYS_OF_A_STATEMENT = 10_000

COMPRESS_FAST = """
    SELECT set_config(name, 'lz4', true) FROM pg_catalog.pg_settings
    WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY(enumvals)
"""
"""For this transaction, where the server knows it and nobody has chosen otherwise: pglz, the server's own
default, takes half as long again for all of a load."""

TYPES = """
    SELECT attname, format_type(CASE typtype WHEN 'd' THEN typbasetype ELSE atttypid END, NULL)
    FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_type ON pg_type.oid = atttypid
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""
"""Of each column; of a domain, the type that it is made of."""


class ReplacePartitions(RunnableLoadJob, HasFollowupJobs):
    """Deletes what the table holds of some partitions, and copies the rows that replace it."""

    changes: TakenRows | None = None
    """Rows of the feed, which are stored in the same transaction."""

    def __init__(self, file_path: str, rows: TakenRows) -> None:
        super().__init__(file_path)
        self._rows = rows

    def run(self) -> None:
        """Replace the partitions."""
        client: Psycopg2SqlClient = self._job_client.sql_client  # type: ignore[attr-defined]
        table = client.make_qualified_table_name(self.load_table_name)
        with client.begin_transaction():
            client.execute_sql(COMPRESS_FAST)
            schema = self._stored(client)
            types: Any = client.execute_sql(TYPES, table)
            self._delete(client, table)
            self._copy(client, table, schema, dict(types), self._rows)
            if self.changes is not None:
                feed = client.make_qualified_table_name(CHANGES)
                types = client.execute_sql(TYPES, feed)
                self._copy(client, feed, self.changes.schema, dict(types), self.changes)

    def _stored(self, client: Psycopg2SqlClient) -> pa.Schema:
        """What is stored of the rows: not the geometries, where somebody's own column has their name."""
        schema = self._rows.schema
        if GEOM in schema.names and not takes_geometries(client, self.load_table_name):
            return schema.remove(schema.get_field_index(GEOM))
        if GEOM not in schema.names and self._rows.wants_geometries:
            tell_of_postgis(client, self.load_table_name)
        return schema

    def _delete(self, client: Psycopg2SqlClient, table: str) -> None:
        """Delete by the keys that are there: an index finds them, and so the rows of each."""
        key = client.escape_column_name(PARTITION_KEY)
        for gone in portions_of_keys(client, self.load_table_name, self._rows.owners):
            for at in range(0, len(gone), KEYS_OF_A_STATEMENT):
                some = gone[at : at + KEYS_OF_A_STATEMENT]
                client.execute_sql(f"DELETE FROM {table} WHERE {key} = ANY(%s)", some)  # noqa: S608

    def _copy(
        self,
        client: Psycopg2SqlClient,
        table: str,
        schema: pa.Schema,
        types: dict[str, str],
        rows: TakenRows,
    ) -> None:
        """Copy rows. A thread makes the next while the server takes some."""
        load_id = self._load_id
        field = pa.field(C_DLT_LOAD_ID, pa.string(), nullable=False)
        tables = (
            table.select(schema.names).append_column(field, pa.repeat(load_id, table.num_rows))
            for table in rows.rows()
        )
        pieces = as_binary(tables, types)
        columns = ", ".join(map(client.escape_column_name, [*schema.names, C_DLT_LOAD_ID]))
        connection: Any = client.native_connection
        copy = f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT binary, ENCODING 'utf-8')"
        with ThreadPoolExecutor(1) as thread, connection.cursor() as cursor:
            try:
                cursor.copy_expert(copy, Stream(prepared(pieces, thread)), READ_BYTES)
            except DataError as error:
                raise DatabaseTerminalException(error) from error  # no other try of dlt's would mend it
