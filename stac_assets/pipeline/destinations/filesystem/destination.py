"""dlt's filesystem destination, which keeps a file or more for each partition and replaces them as a whole.

dlt 1.31 can only add to such tables, replace them as a whole, or (Delta) update single rows. It stays the
loader: the schema, the state and the list of loads are its own files, written as it always does.
"""

import posixpath
from typing import Any, cast

from dlt import destinations
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient, ReferenceFollowupJob
from dlt.destinations.sql_client import SqlClientBase

from stac_assets.pipeline.destinations.base import Adapted
from stac_assets.pipeline.destinations.filesystem.appending import AppendRows
from stac_assets.pipeline.destinations.filesystem.files import TableFiles, TableFolder, arrow_schema
from stac_assets.pipeline.destinations.filesystem.hive import HiveFiles
from stac_assets.pipeline.destinations.filesystem.jobs import ReplacePartitions
from stac_assets.pipeline.destinations.filesystem.layout import Described, layout_of
from stac_assets.pipeline.destinations.filesystem.views import ViewsOfFiles
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.delivery import Delivery
from stac_assets.source.geometry_column import HINT

ASIDE = "_stac_assets_loading"
"""Directory of a local dataset in which files are made; it is there only while a load is storing."""


class PartitionedFilesystem(Adapted, destinations.filesystem):
    """dlt's filesystem destination for tables whose partitions are replaced.

    Args:
        delivery: the rows of the load; none where dlt's own files hold them.
    """

    replaces_partitions = True
    """What dlt's own destination does not, and our resources therefore refuse to load into."""

    def __init__(self, *args: Any, delivery: Delivery | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._delivery = delivery

    @property
    def client_class(self) -> type[FilesystemClient]:
        """The client of this load."""
        return type("Client", (Client,), {"delivery": self._delivery})

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities: Any = super()._raw_capabilities()
        capabilities.preferred_loader_file_format = "parquet"
        capabilities.loader_file_format_selector = None
        capabilities.supported_merge_strategies = ["delete-insert"]
        capabilities.merge_strategies_selector = None
        return capabilities


class Client(FilesystemClient):
    """Loads tables by partitions, and reads them where no extension of DuckDB can be installed."""

    delivery: Delivery | None

    def table_files(self, described: PreparedTableSchema, load_id: str | None = None) -> TableFiles:
        """The files of a table that dlt describes."""
        table = cast(Described, described)
        path = self.get_table_dir(table["name"]).rstrip("/\\")
        aside = posixpath.join(self.dataset_path, ASIDE, table["name"])
        folder = TableFolder(self.fs_client, path, aside, self.is_local_filesystem)
        layout = layout_of(table)
        if table.get("table_format") != "delta":
            return HiveFiles(folder, layout, arrow_schema(table["columns"]))
        from dlt.common.libs.deltalake import deltalake_storage_options

        from stac_assets.pipeline.destinations.filesystem.delta import DeltaFiles

        options = deltalake_storage_options(self.config.credentials, self.config.deltalake_storage_options)
        return DeltaFiles(folder, layout, self.make_remote_url(path), options, load_id)

    def get_reference_followup_job_class(  # type: ignore[override]
        self, table: PreparedTableSchema
    ) -> type[ReferenceFollowupJob] | None:
        name = str(table.get("name"))
        if name == CHANGES:  # whose rows are added
            return AppendRows
        return None if self.is_dlt_table(name) else ReplacePartitions

    def get_storage_tables(self, table_names: Any) -> Any:
        """The columns that the files have; dlt's own client says what its schema has."""
        for name in table_names:
            written = self.delivery.written if self.delivery and self.delivery.taken(name) else ()
            stored = self.table_files(self.prepare_load_table(name)).columns(written)
            known = self.schema.get_table_columns(name)
            yield name, {} if stored is None else _in_dlt_words(stored, known)

    def _replaced_atomically_in_load(self, table_name: str) -> bool:
        return table_name in self._tables_with_jobs

    @property
    def sql_client(self) -> SqlClientBase[Any]:
        if not self._sql_client:
            self._sql_client = ViewsOfFiles(self, self.dataset_name)
        return self._sql_client

    @sql_client.setter
    def sql_client(self, client: SqlClientBase[Any]) -> None:
        self._sql_client = client

    @property
    def sql_client_class(self) -> type[SqlClientBase[Any]]:
        return ViewsOfFiles


def _in_dlt_words(stored: Any, known: TTableSchemaColumns) -> TTableSchemaColumns:
    """The stored columns in dlt's words; JSON is text there, text may be JSON, and WKB is a geometry."""
    columns = cast(TTableSchemaColumns, py_arrow_to_table_schema_columns(stored))
    for name, column in columns.items():
        told = known.get(name, {})
        if column.get("data_type") == "text" and told.get("data_type") == "json":
            column["data_type"] = "json"
        elif column.get("data_type") == "binary" and told.get(HINT):
            column["data_type"] = "text"
    return columns
