"""The dlt pipeline in which a resource is being read: its schema and its destination."""

from collections.abc import Sequence

import dlt
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ContextDefaultCannotBeCreated
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.pipeline import PipelineContext
from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.dialects import DEFAULT, Dialect, dialect_of
from stac_assets.stac.errors import ConfigurationError


def restored_schema() -> Schema:
    """The schema that dlt restored from the destination, or an empty one outside a pipeline."""
    try:
        return dlt.current.source_schema()
    except ContextDefaultCannotBeCreated:
        return Schema("pystac_client_source")


def running_pipeline() -> Pipeline | None:
    """The pipeline, or None where the source is read without one."""
    context = Container()[PipelineContext]
    return context.pipeline() if context.is_active() else None  # type: ignore[return-value]


def refuse_appending() -> None:
    """Refuse a destination of dlt's that would only add our rows, and tombstones.

    Raises:
        ConfigurationError: the running pipeline has such a destination; the message names ours.
    """
    pipeline = running_pipeline()
    destination = pipeline.destination if pipeline else None
    dialect = running_dialect()
    if dialect.needs is not None and not hasattr(destination, "replaces_partitions"):
        raise ConfigurationError(
            f"dlt's {dialect.name} destination can only add rows. Give your pipeline the destination "
            f"{dialect.needs}(bucket_url=...), or load by `stac-assets load` or Dagster. Nothing was stored"
        )


def running_dialect() -> Dialect:
    """The dialect of the destination that the running pipeline loads into; without one, that of DuckDB."""
    pipeline = running_pipeline()
    return dialect_of(pipeline.destination.destination_type if pipeline and pipeline.destination else DEFAULT)


def loadable_formats() -> tuple[str, ...]:
    """Formats of the files that the running pipeline may load, by way of its staging if it has one."""
    container = Container()
    if DestinationCapabilitiesContext not in container:
        return ()
    return tuple(container[DestinationCapabilitiesContext].supported_loader_file_formats or ())


def count_rows(pipeline: Pipeline | None, table: str, keys: Sequence[str]) -> int:
    """How many rows the destination holds for some days of an item table."""
    if pipeline is None:
        return 0
    with pipeline.sql_client() as client:
        name, column = client.make_qualified_table_name(table), client.escape_column_name(PARTITION_KEY)
        marks = ", ".join(["%s"] * len(keys))
        found = client.execute_sql(f"SELECT count(*) FROM {name} WHERE {column} IN ({marks})", *keys)  # noqa: S608
    return found[0][0] if found else 0
