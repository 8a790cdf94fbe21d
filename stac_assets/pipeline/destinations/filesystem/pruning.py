"""The feed of changes as files, pruned: one file takes the place of those that were read."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stac_assets.pipeline.destinations.filesystem.files import arrow_schema
from stac_assets.pipeline.destinations.filesystem.jobs import text_columns
from stac_assets.pipeline.destinations.filesystem.staging import Staging
from stac_assets.source.changes.feed import CHANGES

if TYPE_CHECKING:
    from stac_assets.pipeline.destinations.filesystem.destination import Client


def prune_files(client: "Client", remaining: Callable[[], Iterator[pa.Table]], cutoff: datetime) -> None:
    """Let one file take the place of those that the feed has now.

    Args:
        client: of the files.
        remaining: reads what remains of the feed; what is added while it does so stays, at worst twice.
        cutoff: the time before which all is pruned.
    """
    table: Any = client.prepare_load_table(CHANGES)
    schema, files = arrow_schema(table["columns"]), client.table_files(table)
    old = files.names()
    with tempfile.TemporaryDirectory(prefix="changes-") as folder:
        with Staging(Path(folder), schema, None, set(), text_columns(table), files.footer) as staging:
            for rows in remaining():
                staging.add(rows.select(schema.names).cast(schema))
        files.exchange(staging.files.get(None, []), f"before-{cutoff:%Y%m%dT%H%M%S%f}.parquet", old, schema)
