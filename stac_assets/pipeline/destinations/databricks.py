"""dlt's Databricks destination, in which JSON is VARIANT.

dlt 1.31 makes columns of text for it. It copies Parquet files, which hold JSON as text, and a COPY may
select: here it selects what `parse_json` makes of that text.
"""

from typing import ClassVar

from dlt import destinations
from dlt.common.data_types.typing import TDataType
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.databricks.databricks import DatabricksClient, DatabricksLoadJob
from dlt.destinations.impl.databricks.factory import DatabricksTypeMapper

from stac_assets.pipeline.destinations.base import Adapted, Storage
from stac_assets.source.columns import type_of


class VariantDatabricks(Adapted, destinations.databricks):
    """dlt's Databricks destination, whose JSON columns are VARIANT."""

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = _Types
        return capabilities

    @property
    def client_class(self) -> type[DatabricksClient]:
        """The client that parses JSON."""
        return _Client


class DatabricksStorage(Storage):
    """Stores into Databricks."""

    adapted = VariantDatabricks


class _Types(DatabricksTypeMapper):
    sct_to_unbound_dbt: ClassVar[dict[TDataType, str]] = {
        **DatabricksTypeMapper.sct_to_unbound_dbt,
        "json": "VARIANT",
    }
    dbt_to_sct: ClassVar[dict[str, TDataType]] = {**DatabricksTypeMapper.dbt_to_sct, "VARIANT": "json"}


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


class _Client(DatabricksClient):
    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        job = super().create_load_job(table, file_path, load_id, restore)
        return _Copy(file_path, job._staging_config) if isinstance(job, DatabricksLoadJob) else job
