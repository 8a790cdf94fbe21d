"""The form in which rows reach a destination: Arrow tables, files with native JSON, or Python values.

BigQuery, Snowflake and Redshift would store JSON in an Arrow string as a text, or refuse it. And given Python
values dlt cannot write an integer beyond 64 bits, refuses `true` as JSON, and takes some texts for its own
marks. So the load files are written here, and dlt imports them as they are. Databricks is told to parse the
text (`stac_assets.pipeline.destinations.databricks`). Other destinations, of which nobody has looked at the
files, get Python values.
"""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Set
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.data_writers.escape import escape_redshift_identifier, escape_redshift_literal
from dlt.common.schema.typing import C_DLT_LOAD_ID
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from msgspec.json import decode, encode

from stac_assets.source.columns import type_of
from stac_assets.source.dialects import Dialect, Rows
from stac_assets.source.hints import LOAD_ID, Columns, make_hints, with_hints
from stac_assets.source.spool_files import core_array

TABLE_BYTES = 128 * 1024 * 1024
"""Arrow memory that one table given to dlt may take."""


def table_of(rows: list[dict[str, Any]], columns: Columns) -> pa.Table:
    """Rows as a table with these columns; a cell that a row lacks is NULL."""
    return pa.table(
        {
            name: core_array([row.get(name) for row in rows], type_of(column))
            for name, column in columns.items()
        }
    )


def gathered(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Few large tables made of many small ones, because each costs dlt the same."""
    some: list[pa.Table] = []
    size = 0
    for table in tables:
        some.append(table)
        size += table.nbytes
        if size >= TABLE_BYTES:
            yield pa.concat_tables(some)
            some, size = [], 0
    if some:
        yield pa.concat_tables(some)


def emit(table: pa.Table, columns: Columns, dialect: Dialect, formats: Iterable[str]) -> Iterator[Any]:
    """`table` as something that dlt loads without loss, with the hints of its columns.

    Args:
        table: rows; JSON is text. A column that it lacks is NULL in all of them.
        columns: what dlt is to know of the columns.
        dialect: of the destination.
        formats: of files that the destination loads, staging included.
    """
    described = with_hints(columns, dialect)
    named = {**described, C_DLT_LOAD_ID: LOAD_ID}
    if dialect.rows is Rows.ARROW:
        spelled = _spelled_plainly(table, columns) if dialect.has_strict_json else table
        yield dlt.mark.with_hints(_with_load_id(spelled), make_hints(named, dialect))
        return
    if dialect.rows is Rows.VALUES:
        if not table.num_rows:
            yield dlt.mark.with_hints(dlt.mark.materialize_table_schema(), make_hints(described, dialect))
        for rows in _parsed(table, described):
            yield dlt.mark.with_hints(rows, make_hints(described, dialect))
        return
    texts = {name for name, column in columns.items() if type_of(column) == "text" and column.get("nullable")}
    table = _without_long_texts(table, texts, dialect.longest_text)
    table = _with_load_id(table)
    file_format, write = ("jsonl", _json_lines) if "jsonl" in formats else ("insert_values", _insert_values)
    with tempfile.TemporaryDirectory(prefix="stac-assets-") as folder:
        path = Path(folder) / "rows"
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=1, newline="\n") as file:
            file.writelines(write(table, named))
        # dlt links or copies the file before it asks for more
        yield dlt.mark.with_file_import(
            str(path),
            file_format,  # type: ignore[arg-type]
            table.num_rows,
            make_hints(named, dialect),
        )


def emit_variant(table: pa.Table, name: str, dialect: Dialect) -> Any:
    """The rows of a second table, which has no JSON, and whose hints the resource has already.

    A text that is longer than the destination can hold is cut.
    """
    if dialect.rows is Rows.ARROW:
        return dlt.mark.with_table_name(_with_load_id(table), name)
    most = dialect.longest_text
    rows = [{key: _begin(value, most) for key, value in row.items()} for row in table.to_pylist()]
    return dlt.mark.with_table_name(rows, name)


def _with_load_id(table: pa.Table) -> pa.Table:
    """`table` with dlt's id of the load that is being extracted; unchanged where no pipeline runs."""
    try:
        load_id = dlt.current.load_package_state().get("load_id")
    except CurrentLoadPackageStateNotAvailable:
        return table
    field = pa.field(C_DLT_LOAD_ID, pa.string(), nullable=False)
    rows = table.num_rows
    return table.append_column(field, pa.repeat(load_id, rows) if rows else pa.nulls(0, field.type))


def _begin(value: Any, most: int | None) -> Any:
    """`value`, cut to `most` bytes if it is a longer text."""
    if most is None or not isinstance(value, str) or len(value) * 4 <= most:
        return value
    return value.encode()[:most].decode(errors="ignore")


def _without_long_texts(table: pa.Table, names: Set[str], most: int | None) -> pa.Table:
    """`table` with NULL for texts of more than `most` bytes; they stay whole in the JSON they come from."""
    for name in table.column_names if most is not None else ():
        if name not in names:
            continue
        fits = pc.less_equal(pc.binary_length(table[name]), most)  # type: ignore[attr-defined]
        if not pc.all(fits).as_py():  # type: ignore[attr-defined]
            kept = pc.if_else(fits, table[name], None)  # type: ignore[attr-defined]
            table = table.set_column(table.column_names.index(name), name, kept)
    return table


def _spelled_plainly(table: pa.Table, columns: Columns) -> pa.Table:
    """`table` with JSON that has each member once, as it was sent last, and no digits beyond a double's."""
    for at, name in enumerate(table.column_names):
        if type_of(columns[name]) == "json":
            texts = (chunk.to_pylist() for chunk in table[name].chunks)
            spelled = [core_array([t and encode(decode(t)) for t in chunk], "json") for chunk in texts]
            table = table.set_column(at, name, pa.chunked_array(spelled, pa.string()))
    return table


def _parsed(table: pa.Table, columns: Columns) -> Iterator[list[dict[str, Any]]]:
    """Lists of rows with their JSON parsed, 1,000 rows at a time. Null cells are left out."""
    parsed = {name for name, column in columns.items() if type_of(column) == "json"}
    for batch in table.to_batches(max_chunksize=1000):
        yield [
            {
                name: json.loads(value) if name in parsed else value
                for name, value in row.items()
                if value is not None
            }
            for row in batch.to_pylist()
        ]


def _rows(table: pa.Table, columns: Columns) -> Iterator[dict[str, Any]]:
    return chain.from_iterable(_parsed(table, columns))


def _json_lines(table: pa.Table, columns: Columns) -> Iterator[str]:
    """A JSON object in each line; a member that is sent twice is in it once, as warehouses want it."""
    for row in _rows(table, columns):
        yield json.dumps(row, default=_time, ensure_ascii=False, separators=(",", ":")) + "\n"


def _time(value: datetime) -> str:
    return value.isoformat().removesuffix("+00:00") + "Z"


def _insert_values(table: pa.Table, columns: Columns) -> Iterator[str]:
    """An INSERT as dlt's load job expects it: with a place for the table's name, and each row on a line."""
    names = ",".join(map(escape_redshift_identifier, columns))
    yield f"INSERT INTO {{}}({names})\nVALUES"
    writers = [(name, _literal(type_of(column))) for name, column in columns.items()]
    separator = "\n"
    for row in _rows(table, columns):
        cells = ",".join(write(row[name]) if name in row else "NULL" for name, write in writers)
        yield f"{separator}({cells})"
        separator = ",\n"
    yield ";" if table.num_rows else "\n"


def _literal(data_type: str) -> Callable[[Any], str]:
    if data_type == "json":
        return lambda value: f"json_parse({escape_redshift_literal(json.dumps(value, ensure_ascii=False))})"
    return escape_redshift_literal
