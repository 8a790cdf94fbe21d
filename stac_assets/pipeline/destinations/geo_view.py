"""The view `<table>_geo` of an item table, where a warehouse makes geometries of GeoJSON in its own SQL."""

import logging
from typing import Any

from dlt.pipeline.pipeline import Pipeline

from stac_assets.source.dialects import GeoView
from stac_assets.source.dlt_log import first_line
from stac_assets.source.geometry_column import GEOM

SUFFIX = "_geo"
told: set[tuple[str, type[Exception]]] = set()
"""The tables of which something has been said in this process already, and the kind of error."""

logger = logging.getLogger("stac_assets")


def keep_in_step(pipeline: Pipeline, table: str, form: GeoView) -> None:
    """Make the view anew, with the columns that the table has now. The rows are stored without it.

    So whatever fails is told, for each cause once in a process.

    Args:
        pipeline: which has stored the table.
        table: its name.
        form: how the warehouse writes it.
    """
    columns = [n for n, column in pipeline.default_schema.get_table_columns(table).items() if n != GEOM]
    try:
        with pipeline.sql_client() as client:
            _make(client, table, columns, form)
    except Exception as error:  # of any driver
        if (cause := (table, type(error))) not in told:  # messages hold the number of a request
            told.add(cause)
            reason = first_line(error)
            logger.warning("the rows are stored, but the view %s%s is as it was (%s)", table, SUFFIX, reason)


def _make(client: Any, table: str, columns: list[str], form: GeoView) -> None:
    made = statement(client, table, columns, form)
    try:
        client.execute_sql(made)
    except Exception:  # of any driver
        if form.takes_new_columns:
            raise
        client.execute_sql(f"DROP VIEW IF EXISTS {client.make_qualified_table_name(f'{table}{SUFFIX}')}")
        client.execute_sql(made)


def statement(client: Any, table: str, columns: list[str], form: GeoView) -> str:
    """The statement that makes the view, or makes it anew.

    Args:
        client: dlt's, which knows how names are written.
        table: the item table.
        columns: those of it.
        form: how the warehouse writes it.
    """
    names = [client.escape_column_name(column) for column in columns]
    shape = form.shape.format(client.escape_column_name("geometry"))
    named = f"{shape} AS {client.escape_column_name(GEOM)}"
    return form.statement.format(
        view=client.make_qualified_table_name(f"{table}{SUFFIX}"),
        query=f"SELECT {', '.join([*names, named])} FROM {client.make_qualified_table_name(table)}",  # noqa: S608
    )
