"""Fills the geometries that files lack: the files of some partitions at a time are written again."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from stac_assets.pipeline.destinations.base import Filled
from stac_assets.pipeline.destinations.filesystem.files import arrow_schema
from stac_assets.pipeline.destinations.filesystem.jobs import NOT_AHEAD, ROWS, text_columns
from stac_assets.pipeline.destinations.filesystem.layout import Key, layout_of
from stac_assets.pipeline.destinations.filesystem.staging import Staging
from stac_assets.source.geometry import as_wkb
from stac_assets.source.geometry_column import GEOM

if TYPE_CHECKING:
    from stac_assets.pipeline.destinations.filesystem.destination import Client

PARTITIONS = 100
"""Partitions that are written at a time."""


def fill(client: "Client", name: str, folder: Path) -> Filled:
    """Fill the geometries that a table lacks.

    Args:
        client: of the dataset.
        name: of the table.
        folder: an empty one, for the files in the making.
    """
    table: Any = client.prepare_load_table(name)
    schema, layout = arrow_schema(table["columns"]), layout_of(table)
    column, filled = str(layout.column), Filled()
    lacks = pads.field(GEOM).is_null() & pads.field("geometry").is_valid()
    stored = client.table_files(table).dataset(schema)
    keys = stored.to_table(columns=[column], filter=lacks)[column].unique().to_pylist()
    for number in range(0, len(keys), PARTITIONS):
        some: set[Key] = set(keys[number : number + PARTITIONS])
        files = client.table_files(table)
        below = folder / str(number)
        below.mkdir()
        with Staging(below, schema, column, files.left_out, text_columns(table), files.footer) as staging:
            for rows in _filled(files.dataset(schema), column, some, schema, filled):
                staging.add(rows)
        files.replace(staging.files, some, schema)
        for path in (path for paths in staging.files.values() for path in paths):
            path.unlink()
    return filled


def _filled(
    stored: pads.Dataset, column: str, keys: set[Key], schema: pa.Schema, filled: Filled
) -> Iterator[pa.Table]:
    """The rows of some partitions with their geometries, which are counted."""
    touched = pads.field(column).isin(sorted(map(str, keys)))
    for batch in stored.to_batches(filter=touched, batch_size=ROWS, **NOT_AHEAD):
        table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
        derived = as_wkb(table["geometry"])
        lacking = pc.and_(table[GEOM].is_null(), table["geometry"].is_valid())  # type: ignore[attr-defined]
        left = pc.and_(lacking, derived.is_null())  # type: ignore[attr-defined]
        filled.left += pc.sum(left).as_py() or 0  # type: ignore[attr-defined]
        filled.rows += (pc.sum(lacking).as_py() or 0) - (pc.sum(left).as_py() or 0)  # type: ignore[attr-defined]
        at = table.column_names.index(GEOM)
        yield table.set_column(at, schema.field(GEOM), derived)
