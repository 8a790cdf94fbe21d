"""Reads tables that are files in a folder, by a process that is told of these files alone."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.destinations.filesystem.files import arrow_schema
from stac_assets.pipeline.read_only.answer import Answer, Bounds
from stac_assets.pipeline.read_only.duckdb_reader import ask_here, ask_process
from stac_assets.pipeline.read_only.files import described
from stac_assets.pipeline.read_only.reader import NothingStored, Reader


class FilesReader(Reader):
    """Reads Delta tables and Parquet files. In a bucket only our own queries are run.

    Args:
        pipeline: whose configuration names the folder or the bucket.
        is_local: whether it is a folder of this machine.
    """

    def __init__(self, pipeline: Pipeline, is_local: bool) -> None:
        super().__init__(pipeline)
        self._dataset: str = self._client.dataset_name
        self._is_local = is_local
        self._schema: Schema | None = None
        if is_local:
            self.refuses = None
        else:
            self.refuses = (
                "tables in a bucket are read with its credentials, which no process that runs other people's "
                "SQL gets; row counts, schemas, partitions and changes can be asked for"
            )

    def schema(self) -> Schema | None:
        """As every reader; files are found by the schema that dlt has restored."""
        found = super().schema()
        if found is not None:
            self.pipeline.sync_destination()
        self._schema = found
        return found

    def run(self, sql: str, bounds: Bounds) -> Answer:
        """As every reader."""
        return ask_process(self._question(sql), bounds) if self._is_local else super().run(sql, bounds)

    def ask(self, sql: str, bounds: Bounds) -> Answer:
        """As every reader."""
        return ask_here(self._question(sql), bounds) if self._is_local else super().ask(sql, bounds)

    def _question(self, sql: str) -> dict[str, Any]:
        schema = self._schema or self.schema()
        if schema is None:
            raise NothingStored("nothing was loaded yet")
        tables = {name: self._described(name, schema) for name in schema.data_table_names()}
        return {"sql": sql, "dataset": self._dataset, "tables": tables}

    def table(self, name: str) -> str:
        """As every reader."""
        return f"{self.column(self._dataset)}.{self.column(name)}"

    def column(self, name: str) -> str:
        """As every reader."""
        return '"' + name.replace('"', '""') + '"'

    def literal(self, text: str) -> str:
        """As every reader."""
        return "'" + text.replace("'", "''") + "'"

    @property
    def dialect(self) -> str:
        """As every reader."""
        return "duckdb"

    def _described(self, name: str, schema: Schema) -> dict[str, Any]:
        with self.pipeline.destination_client() as opened:
            client: Any = opened
            files = client.table_files(client.prepare_load_table(name))
            columns = pa.schema(list(arrow_schema(schema.get_table_columns(name))))
            told = described(files.dataset(columns))
            folder = Path(client.get_table_dir(name)).absolute()
        paths = [(str(folder.joinpath(path).relative_to(folder)), said) for path, said in told["files"]]
        return {**told, "files": paths, "root": str(folder)}
