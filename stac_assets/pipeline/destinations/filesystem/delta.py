"""A table in the Delta format: one entry of its log replaces all that a load replaces.

The Rust writer of `deltalake` keeps 800 MB for 350 MB of documents, so the files are our own, and only the
commit is its. Files of a load that is killed before its commit are in no table; `DeltaTable.vacuum` removes
them, as it does those that were replaced.
"""

import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from stac_assets.pipeline.destinations.filesystem.files import StoredMeanwhile, TableFolder, no_rows
from stac_assets.pipeline.destinations.filesystem.layout import Key, Layout


class DeltaFiles:
    """The files of one table.

    Args:
        folder: where they lie.
        layout: how the table is divided.
        url: of the table, for `deltalake`.
        options: its storage options, credentials among them.
        load_id: dlt's id of the load, which the log keeps with what it commits.
    """

    def __init__(
        self,
        folder: TableFolder,
        layout: Layout,
        url: str,
        options: dict[str, str],
        load_id: str | None = None,
    ) -> None:
        self._folder = folder
        self._layout = layout
        self._url = url.rstrip("/")
        self._options = options
        self._properties = CommitProperties(custom_metadata={"dlt_load_id": load_id} if load_id else None)
        self._read: DeltaTable | None = None
        """The version whose rows were read, where rows that stay are written again beside new ones."""
        self._found_none = False
        """Whether there was no table to read, where rows that stay would be written again."""
        self.footer: dict[str, str] = {}
        self.left_out = {layout.column} if layout.column else set()

    def dataset(self, schema: pa.Schema) -> pads.Dataset:
        """The rows of the newest version."""
        table = self._table()
        if self._layout.identity:
            self._read, self._found_none = table, table is None
        if table is None or not table.file_uris():
            return no_rows(schema)
        return table.to_pyarrow_dataset().replace_schema(schema)

    def replace(self, files: dict[Key, list[Path]], keys: set[Key], schema: pa.Schema) -> None:
        """Bring the files there, and let one commit put them in the place of the old ones.

        Columns that the table does not have yet come with the same commit.
        """
        column = self._layout.column
        partitions = [column] if column else []
        table = self._read or self._table()
        if table is not None and self._found_none:
            raise StoredMeanwhile(f"{self._url} was made by another host meanwhile")
        if table is None:
            table = DeltaTable.create(
                self._url, schema, partition_by=partitions or None, storage_options=self._options
            )
        if not keys:
            return
        added: list[AddAction | RemoveAction] = [
            self._upload(path, key) for key, paths in files.items() for path in paths
        ]
        try:
            table.create_write_transaction(
                added,
                mode="overwrite",
                schema=_evolved(pa.schema(table.schema()), schema),
                partition_by=partitions,
                partition_filters=[(column, "in", sorted(map(str, keys)))] if column else None,
                commit_properties=self._properties,
            )
        except CommitFailedError as error:
            if self._read is None or self._read.version() == self._newest():
                raise
            raise StoredMeanwhile(f"{self._url} was changed by another host meanwhile: {error}") from error

    def add(self, path: Path, name: str, schema: pa.Schema) -> None:
        """Bring a file there, and let a commit add it."""
        table = self._table() or DeltaTable.create(self._url, schema, storage_options=self._options)
        table.create_write_transaction(
            [self._upload(path, None, name)],
            mode="append",
            schema=_evolved(pa.schema(table.schema()), schema),
            commit_properties=self._properties,
        )

    def names(self) -> list[str]:
        """The paths of the files of the newest version, which `exchange` then takes the place of."""
        self._read = self._table()
        return [] if self._read is None else self._read.file_uris()

    def exchange(self, paths: list[Path], name: str, old: list[str], schema: pa.Schema) -> None:
        """Let one commit put the new file in the place of those that the version had which `names` read."""
        assert self._read is not None
        self._read.create_write_transaction(
            [self._upload(path, None, name) for path in paths],
            mode="overwrite",
            schema=_evolved(pa.schema(self._read.schema()), schema),
            commit_properties=self._properties,
        )

    def keys(self) -> set[Key]:
        """The partitions that the files of the newest version are of, as its log says."""
        table, column = self._table(), self._layout.column
        if table is None or column is None:
            return set()
        return {partition[column] for partition in table.partitions()}

    def columns(self, keys: Sequence[Key] = ()) -> pa.Schema | None:
        """The columns of the newest version."""
        table = self._table()
        return None if table is None else pa.schema(table.schema())

    def _newest(self) -> int:
        """The number of the newest version."""
        return DeltaTable(self._url, storage_options=self._options).version()

    def _table(self) -> DeltaTable | None:
        try:  # `DeltaTable.is_deltatable` would keep all other threads waiting for the network
            return DeltaTable(self._url, storage_options=self._options)
        except TableNotFoundError:
            return None

    def _upload(self, path: Path, key: Key, name: str = "") -> AddAction:
        """Copy a file, and describe it for the log (Delta protocol, "Add File"); its name needs no quotes."""
        name = name or f"part-{uuid.uuid4()}.parquet"
        self._folder.fs.put_file(str(path), self._folder.join(name))
        return AddAction(
            path=name,
            size=path.stat().st_size,
            partition_values={self._layout.column: key} if self._layout.column else {},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps({"numRecords": pq.read_metadata(path).num_rows}),
        )


def _evolved(stored: pa.Schema, wanted: pa.Schema) -> pa.Schema:
    """The stored columns as they are, and after them those that are new."""
    return pa.schema([*stored, *(field for field in wanted if field.name not in stored.names)])
