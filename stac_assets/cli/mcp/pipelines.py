"""Tools that dlt's own server has too, by the same names: an assistant that knows that knows these."""

import json
from typing import Annotated, Any, Literal

from dlt._workspace.cli.formatters import render_jsonl, render_md_table
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.libs.sqlglot import to_sqlglot_type
from pydantic import Field

from stac_assets.cli.mcp.choosing import opened, schema_of, table_of, usable
from stac_assets.pipeline.read_only.answer import Answer, Bounds
from stac_assets.pipeline.read_only.reader import QueryRefused, Reader
from stac_assets.source.columns import type_of

Format = Annotated[Literal["markdown", "jsonl"], Field(description="'markdown' or 'jsonl'")]
Name = Annotated[str, Field(description="of the pipeline, as list_pipelines has it")]
PREVIEWED = Bounds(rows=10, cell=300)
MOST_ROWS = 1000
ALL = Bounds(rows=100_000, characters=50_000_000, cell=None, seconds=120)
"""For queries of our own, of which the answer is made smaller afterwards."""


def list_pipelines() -> list[str]:
    """List the pipelines of this project: one for each catalog."""
    return [catalog.pipeline_name for catalog in usable()]


def list_tables(pipeline_name: Name) -> dict[str, Any]:
    """List the tables that loads of a pipeline have made. `search` has the items."""
    with opened(pipeline_name) as (catalog, reader):
        return {"tables": schema_of(catalog, reader).data_table_names()}


def get_table_schema(pipeline_name: Name, table_name: str) -> dict[str, Any]:
    """Get the columns of a table: their types, what they mean, and how SQL names them."""
    with opened(pipeline_name) as (catalog, reader):
        schema = table_of(catalog, reader, table_name)
        stored: dict[str, Any] = schema.clone().to_dict(remove_defaults=True, bump_version=False)  # type: ignore[assignment]
        table = stored["tables"][table_name]
        columns = {
            name: {**hints, "sql_identifier": reader.column(name)} for name, hints in table["columns"].items()
        }
        return {
            **table,
            "columns": columns,
            "sql_identifier": reader.table(table_name),
            "sql_dialect": reader.dialect,
        }


def get_table_create_sql(pipeline_name: Name, table_name: str) -> str:
    """Get a table as CREATE TABLE in the destination's SQL, with what each column means."""
    with opened(pipeline_name) as (catalog, reader):
        schema = table_of(catalog, reader, table_name)
        lines = []
        for name, hints in schema.get_table_columns(table_name).items():
            kind = to_sqlglot_type(type_of(hints), timezone=hints.get("timezone"))  # type: ignore[arg-type]
            needed = "" if hints.get("nullable", True) else " NOT NULL"
            told = " ".join(str(hints.get("description") or "").split())
            lines.append((f"{reader.column(name)} {kind.sql(reader.dialect)}{needed}", told))
        last = len(lines) - 1
        body = [
            f"  {line}{',' if place < last else ''}{f'  -- {told}' if told else ''}"
            for place, (line, told) in enumerate(lines)
        ]
        return "\n".join([f"CREATE TABLE {reader.table(table_name)} (", *body, ");"])


def preview_table(pipeline_name: Name, table_name: str, output_format: Format = "markdown") -> str:
    """Get ten rows of a table; long values are shortened."""
    with opened(pipeline_name) as (catalog, reader):
        table_of(catalog, reader, table_name)
        found = reader.ask(f"SELECT * FROM {reader.table(table_name)} LIMIT 10", PREVIEWED)  # noqa: S608
        return _rendered(found, output_format)


def execute_sql_query(
    pipeline_name: Name,
    sql_select_query: Annotated[str, Field(description="one SELECT in the destination's SQL; it only reads")],
    output_format: Format = "markdown",
    max_rows: Annotated[int, Field(ge=1, le=MOST_ROWS, description="rows of the answer at most")] = 100,
    timeout: Annotated[float, Field(gt=0, le=120, description="seconds that it may take")] = 30,
) -> str:
    """Ask the database by SQL, read-only. Long values and long answers are cut, which the answer says.

    Tables are found by their names alone, or as dataset.table; stac.items has the items of all catalogs.
    """
    with opened(pipeline_name) as (_, reader):
        return _rendered(reader.run(sql_select_query, Bounds(rows=max_rows, seconds=timeout)), output_format)


def get_row_counts(pipeline_name: Name, output_format: Format = "markdown") -> str:
    """Get how many rows each table has."""
    with opened(pipeline_name) as (catalog, reader):
        names = schema_of(catalog, reader).data_table_names()
        rows = [[name, count] for name, count in _counts(reader, names)]
        return _rendered(Answer(("table_name", "row_count"), rows), output_format)


def _counts(reader: Reader, names: list[str]) -> list[tuple[str, Any]]:
    """The rows of each table; of one that somebody has dropped, none is told."""
    selects = [
        f"SELECT {reader.literal(name)} AS t, count(*) AS n FROM {reader.table(name)}"  # noqa: S608
        for name in names
    ]
    try:
        found = {str(name): count for name, count in reader.ask(" UNION ALL ".join(selects), ALL).rows}
        return [(name, found[name]) for name in names]
    except (QueryRefused, DestinationUndefinedEntity) as error:
        if isinstance(error, QueryRefused) and "does not exist" not in str(error):
            raise
        if len(names) == 1:
            return [(names[0], None)]
    return [count for name in names for count in _counts(reader, [name])]


def _rendered(answer: Answer, output_format: str) -> str:
    rows = [tuple(row) for row in answer.rows]
    if output_format == "jsonl":
        told = f"\n{json.dumps({'_cut': answer.cut})}" if answer.cut else ""
        return render_jsonl(answer.columns, rows) + told
    rows = [tuple(c.replace("|", "\\|") if isinstance(c, str) else c for c in row) for row in rows]
    return render_md_table(answer.columns, rows) + (f"\n\n{answer.cut}" if answer.cut else "")
