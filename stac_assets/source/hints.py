"""What dlt is told of the columns of a table before it sees a row."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dlt
from dlt.common.schema.typing import C_DLT_LOAD_ID, TColumnSchema

from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.dialects import Dialect

LOAD_ID = TColumnSchema(name=C_DLT_LOAD_ID, data_type="text", nullable=False)
"""dlt adds this column to Arrow tables where it is configured to, and not to files that it imports."""

Columns = Mapping[str, TColumnSchema]


def without_rows(columns: Columns, dialect: Dialect) -> Iterator[Any]:
    """A load file without rows, by which dlt makes a table, or gives it its new columns.

    dlt takes it as it is. Of a table of Arrow without rows it would import Arrow, and to a list without rows
    it would add an identifier of its own.
    """
    hints = make_hints({**with_hints(columns, dialect), C_DLT_LOAD_ID: LOAD_ID}, dialect)
    with tempfile.TemporaryDirectory(prefix="stac-assets-") as folder:
        path = Path(folder) / "rows"
        path.touch()
        yield dlt.mark.with_file_import(str(path), "insert_values", 0, hints)  # it links or copies the file


def with_hints(columns: Columns, dialect: Dialect) -> dict[str, TColumnSchema]:
    """`columns`; an item table's get the hints by which a warehouse lays its rows out."""
    hints = dialect.column_hints if _holds_items(columns) else {}
    return {
        name: {**column, hints[name]: True} if name in hints else column  # type: ignore[misc]
        for name, column in columns.items()
    }


def make_hints(columns: Columns, dialect: Dialect) -> Any:
    """dlt's hints for a table with these columns."""
    hints = dict(dialect.table_hints) if _holds_items(columns) else {}
    return dlt.mark.make_hints(columns=list(columns.values()), additional_table_hints=hints or None)


def _holds_items(columns: Columns) -> bool:
    return PARTITION_KEY in columns and "datetime" in columns
