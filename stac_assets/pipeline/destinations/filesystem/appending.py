"""The load job of the feed of changes, whose rows are added to those that are there.

dlt's own asks `DeltaTable.is_deltatable`, which keeps all other threads waiting for the network.
"""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as pads
from dlt.destinations.impl.filesystem.filesystem import ReferenceFollowupJob

from stac_assets.pipeline.destinations.filesystem.files import arrow_schema
from stac_assets.pipeline.destinations.filesystem.jobs import text_columns
from stac_assets.pipeline.destinations.filesystem.staging import Staging

if TYPE_CHECKING:
    from stac_assets.pipeline.destinations.filesystem.destination import Client


class AppendRows(ReferenceFollowupJob):
    """Adds the rows of a load as one file with the name of the load, so that a second try adds nothing."""

    def run(self) -> None:
        """Write the file, and add it to the table."""
        client: Client = self._job_client  # type: ignore[assignment]
        table: Any = self._load_table
        schema = arrow_schema(table["columns"])
        files = client.table_files(table, self._load_id)
        folder = Path(tempfile.mkdtemp(prefix="changes-"))
        try:
            with Staging(folder, schema, None, set(), text_columns(table), files.footer) as staging:
                for batch in pads.dataset(self.file_paths).to_batches():
                    rows = pa.Table.from_batches([batch])
                    staging.add(pa.table([rows[f.name].cast(f.type) for f in schema], schema=schema))
            for path in staging.files.get(None, ()):
                files.add(path, f"load-{self._load_id}.parquet", schema)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
