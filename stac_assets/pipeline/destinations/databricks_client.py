"""How JSON becomes VARIANT in Databricks while files are copied. Importing this needs Databricks' driver."""

from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.databricks.databricks import DatabricksClient, DatabricksLoadJob

from stac_assets.source.columns import type_of


class _Copy(DatabricksLoadJob):
    """Copies a Parquet file, and parses the JSON in it on the way."""

    def _build_copy_into_statement(
        self,
        qualified_table_name: str,
        from_clause: str,
        credentials_clause: str,
        source_format: str,
        format_options_clause: str,
    ) -> str:
        columns = self._load_table.get("columns", {})
        kinds = {name: type_of(column) for name, column in columns.items() if "data_type" in column}
        if source_format == "PARQUET" and "json" in kinds.values():
            # all by name, because dlt adds to a file the columns that its rows lack
            selected = ", ".join(self._selected(*each) for each in kinds.items())
            from_clause = f"FROM (SELECT {selected} {from_clause} {credentials_clause})"
            credentials_clause = ""
        return super()._build_copy_into_statement(
            qualified_table_name, from_clause, credentials_clause, source_format, format_options_clause
        )

    def _selected(self, name: str, kind: str) -> str:
        column = self._sql_client.escape_column_name(name)
        return f"parse_json({column}) AS {column}" if kind == "json" else column


class VariantClient(DatabricksClient):
    """dlt's client of Databricks, which parses JSON while it copies files."""

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """dlt's job for a file, or ours where it copies one."""
        job = super().create_load_job(table, file_path, load_id, restore)
        return _Copy(file_path, job._staging_config) if isinstance(job, DatabricksLoadJob) else job
