"""How rows reach a destination: as Arrow where it takes JSON from text, else as Python values."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from dlt.common.schema.typing import TTableSchemaColumns

ARROW_DESTINATIONS = {"duckdb", "motherduck", "ducklake", "postgres", "databricks", "filesystem"}
"""Destinations that read JSON out of an Arrow string column."""


def emit(table: pa.Table, columns: TTableSchemaColumns, destination_type: str) -> Iterator[Any]:
    """`table` in the form that the destination loads without loss."""
    if destination_type.rpartition(".")[2] in ARROW_DESTINATIONS:
        yield table
        return
    parsed = [name for name, column in columns.items() if column.get("data_type") == "json"]
    for batch in table.to_batches(max_chunksize=1000):
        rows = batch.to_pylist()
        for row in rows:
            for name in parsed:
                if row.get(name) is not None:
                    row[name] = json.loads(row[name])
        yield rows
