"""Queries over files by DuckDB, through Arrow. dlt's own client would need extensions from the network."""

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads
from dlt.destinations.impl.duckdb.sql_client import WithTableScanners

from stac_assets.pipeline.destinations.filesystem.files import arrow_schema
from stac_assets.source.geometry import FIELD
from stac_assets.source.geometry_column import GEOM

if TYPE_CHECKING:
    from stac_assets.pipeline.destinations.filesystem.destination import Client


class ReadInTurn(pads.Dataset):
    """A dataset whose files are read one after another; Arrow would read several ahead, whole documents too.

    Files of a bucket are not read so: each would be waited for.

    Args:
        dataset: what is read.
    """

    def __init__(self, dataset: pads.Dataset) -> None:  # Arrow's own refuses to be called
        self._dataset = dataset

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._dataset.schema

    def scanner(self, **asked: Any) -> pads.Scanner:
        """What DuckDB reads, with the columns and the filter that it asks for."""
        return self._dataset.scanner(batch_readahead=1, fragment_readahead=1, **asked)


class ViewsOfFiles(WithTableScanners):
    """A DuckDB in memory, in which the tables of the dataset are views."""

    remote_client: "Client"  # type: ignore[assignment]

    def __init__(self, remote_client: "Client", dataset_name: str) -> None:
        super().__init__(remote_client, dataset_name)
        self._shown: set[str] = set()

    def open_connection(self) -> duckdb.DuckDBPyConnection:
        self._shown.clear()
        return super().open_connection()

    def can_create_view(self, table_schema: Any) -> bool:
        """Every table can be seen."""
        return True

    def should_replace_view(self, view_name: str, table_schema: Any) -> bool:
        """The view of a connection stays, as it sees no later load."""
        return False

    def create_view_select(self, table_schema: Any, schema: Any = None) -> None:
        """No SQL makes a view; `create_views_for_tables` does."""

    def create_views_for_tables(self, tables: dict[str, str]) -> None:
        """Register the files of tables as they are now; once for a connection, which sees no later load."""
        known = set(self.schema.data_table_names()) - self._shown
        for name in known.intersection(tables):
            table = self.remote_client.prepare_load_table(name)
            schema = pa.schema(
                [FIELD if f.name == GEOM else f for f in arrow_schema(self.schema.get_table_columns(name))]
            )
            registered = f"files of {name}"
            dataset = self.remote_client.table_files(table).dataset(schema)
            is_near = self.remote_client.is_local_filesystem
            self._conn.register(registered, ReadInTurn(dataset) if is_near else dataset)
            view = self.make_qualified_table_name(name)
            self._conn.execute(f'CREATE OR REPLACE VIEW {view} AS SELECT * FROM "{registered}"')  # noqa: S608
            self._shown.add(name)
