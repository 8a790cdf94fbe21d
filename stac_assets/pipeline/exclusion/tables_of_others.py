"""Tables that another host makes, or widens, while a load wants to do so too.

Most warehouses have no lock that would keep loads of other hosts away. dlt looks which tables and columns are
there, and then adds those that are missing; where another host has added one in between, the server refuses.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from dlt.common.pipeline import LoadInfo
from dlt.common.schema import Schema
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

logger = logging.getLogger("stac_assets")

Column = tuple[str, str]
"""Names of a table, and of a column of it in lower case: some servers tell it in upper case."""


def run_beside_others(pipeline: Pipeline, source: Any, known: Schema | None) -> LoadInfo:
    """Store a source, and go on as long as each failure finds tables or columns that were not there.

    What dlt could not load waits in its working folder, and it looks again at what is there when it goes on.

    Args:
        pipeline: which stores.
        source: of dlt, with the rows.
        known: the schema that the destination held before; None if it held none.

    Returns:
        What dlt says of the load.

    Raises:
        PipelineStepFailed: no other host explains why.
    """
    remembered = known.tables if known else {}
    seen = _columns({name: table.get("columns", {}) for name, table in remembered.items()})
    is_begun = False
    while True:
        try:
            return pipeline.load() if is_begun else pipeline.run(source)
        except PipelineStepFailed as error:
            there = _there(pipeline) if error.has_pending_data else set()
            if there <= seen:
                raise
            logger.info("tables have grown while this load stored: it looks again at what is there")
            seen |= there
            is_begun = True


def _columns(tables: Mapping[str, Iterable[str]]) -> set[Column]:
    return {(name, column.lower()) for name, columns in tables.items() for column in columns}


def _there(pipeline: Pipeline) -> set[Column]:
    """The columns of the load's tables that the destination has; none where it cannot say."""
    try:
        with pipeline.destination_client() as client:
            found: Any = client
            return _columns(dict(found.get_storage_tables(pipeline.default_schema.tables)))
    except Exception:  # of any driver: the failure of the load is what counts
        return set()
