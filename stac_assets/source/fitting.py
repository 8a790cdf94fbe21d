"""Values as their columns take them: Arrow arrays of the types of a table."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.schema.typing import TColumnSchema

from stac_assets.source.columns import type_of
from stac_assets.source.spool_files import ARROW_TYPES
from stac_assets.stac.windows import parse_time


def arrow_schema(columns: Iterable[TColumnSchema]) -> pa.Schema:
    """The Arrow schema of a table with these columns."""
    return pa.schema([(str(column.get("name")), ARROW_TYPES[type_of(column)]) for column in columns])


def fitted(values: pa.ChunkedArray, data_type: str) -> pa.Array | pa.ChunkedArray:
    """Values of a property as its column takes them; null where one does not fit."""
    if data_type == "timestamp":
        return pa.array([parse_time(value) for value in values.to_pylist()], ARROW_TYPES[data_type])
    if data_type == "bigint":
        whole = pc.equal(values, pc.floor(values))  # type: ignore[attr-defined]
        small = pc.less(pc.abs(values), 2.0**53)  # type: ignore[attr-defined]
        kept = pc.if_else(pc.and_(whole, small), values, None)  # type: ignore[attr-defined]
        return kept.cast(ARROW_TYPES[data_type])
    return values


def conform(arrays: Mapping[str, pa.Array | pa.ChunkedArray], schema: pa.Schema, rows: int) -> pa.Table:
    """A table with all columns of `schema`, which are null where there is no array of that name."""
    nulls = {kind: pa.nulls(rows, kind) for kind in {field.type for field in schema}}
    columns = [arrays.get(field.name, nulls[field.type]) for field in schema]
    return pa.table(columns, schema=schema)
