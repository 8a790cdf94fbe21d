"""Tables that are files on this machine: which files each has, and how a process shows them to DuckDB.

DuckDB opens none of them. Arrow reads those that it was told of, and DuckDB gets rows.
"""

from __future__ import annotations

import base64
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.fs as pafs


def described(dataset: pads.Dataset) -> dict[str, Any]:
    """What `show` has to know of a table, as JSON can hold it.

    Args:
        dataset: of files on this machine.
    """
    files = [
        (fragment.path, pads.get_partition_keys(fragment.partition_expression))
        for fragment in dataset.get_fragments()
        if isinstance(fragment, pads.ParquetFileFragment)
    ]
    schema = base64.b64encode(dataset.schema.serialize().to_pybytes()).decode()
    return {"schema": schema, "files": files}


def show(connection: Any, schema: str, tables: dict[str, dict[str, Any]]) -> None:
    """Let a connection of DuckDB have the tables.

    Args:
        connection: to a database in memory.
        schema: in which the tables are.
        tables: what `described` said of them, by name, and `root`, below which their paths are.
    """
    quoted = '"' + schema.replace('"', '""') + '"'
    connection.execute(f"CREATE SCHEMA {quoted}")
    for name, told in tables.items():
        registered, table = f"files of {name}", name.replace('"', '""')
        connection.register(registered, _dataset(told))
        connection.execute(f'CREATE VIEW {quoted}."{table}" AS SELECT * FROM "{registered}"')  # noqa: S608


def _dataset(told: dict[str, Any]) -> pads.Dataset:
    columns = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(told["schema"])))
    form = pads.ParquetFileFormat()
    system: pafs.FileSystem = pafs.SubTreeFileSystem(told["root"], pafs.LocalFileSystem())
    fragments = []
    for path, values in told["files"]:
        expression = None
        for name, value in values.items():
            term = pads.field(name) == value
            expression = term if expression is None else expression & term
        fragments.append(form.make_fragment(path, system, partition_expression=expression))
    return pads.FileSystemDataset(fragments, columns, form, system)
