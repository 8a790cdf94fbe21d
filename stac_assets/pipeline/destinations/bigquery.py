"""dlt's BigQuery destination, which replaces a partition in one transaction.

dlt 1.31 can begin one there, but does not; and anywhere it begins none for statements that hold a word like
CREATE, of which the column `created` is one. A kill between the delete and the insert would leave the
partition empty. BigQuery has DELETE, INSERT and TRUNCATE in transactions, but no CREATE of a lasting table.
"""

from dlt import destinations
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.bigquery.bigquery import BigQueryClient
from dlt.destinations.job_client_impl import DDL_COMMANDS, SqlLoadJob

from stac_assets.pipeline.destinations.base import Adapted, Storage


class TransactionalBigQuery(Adapted, destinations.bigquery):
    """dlt's BigQuery destination, whose merges are transactions."""

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.supports_transactions = True
        return capabilities

    @property
    def client_class(self) -> type[BigQueryClient]:
        """The client that begins the transactions."""
        return _Client


class BigQueryStorage(Storage):
    """Stores into BigQuery."""

    adapted = TransactionalBigQuery


class _Client(BigQueryClient):
    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        if SqlLoadJob.is_sql_job(file_path):
            return _Statements(file_path)
        return super().create_load_job(table, file_path, load_id, restore)


class _Statements(SqlLoadJob):
    """Statements in one transaction, unless one of them begins like those that BigQuery has in none."""

    def _string_contains_ddl_statements(self, sql: str) -> bool:
        return any(
            statement.upper().startswith(tuple(DDL_COMMANDS)) for statement in self._split_fragments(sql)
        )
