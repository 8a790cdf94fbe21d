"""The dlt pipeline in which a resource is being read: its schema and its destination."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import dlt
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ContextDefaultCannotBeCreated
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.exceptions import DestinationUndefinedEntity, SqlClientNotAvailable
from dlt.common.pipeline import PipelineContext
from dlt.common.schema import Schema
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineConfigMissing
from dlt.pipeline.pipeline import Pipeline

from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.dialects import DEFAULT, Dialect, dialect_of
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.owners import Owners

COLLECTIONS_OF_A_QUERY = 100
"""What a query asks for at once, so that no destination finds it too long."""


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


def held_keys(table: str, owners: Owners, schema: Schema) -> list[str]:
    """The partition keys of the rows that the destination holds of some windows, in order.

    Where no destination can be asked, these are the keys of all days: each might have rows.

    Args:
        table: a table with partition keys; none that the destination does not have holds anything.
        owners: the windows.
        schema: what dlt has restored from the destination.
    """
    pipeline = running_pipeline()
    if pipeline is None or not owners:
        return []
    known = any(each.get("name") == table for each in schema.data_tables(seen_data_only=True))
    if not known and pipeline.config.restore_from_destination:
        return []
    try:
        with pipeline.sql_client() as client:
            return sorted(chain.from_iterable(portions_of_keys(client, table, owners)))
    except DestinationUndefinedEntity:
        return []
    except (SqlClientNotAvailable, PipelineConfigMissing):
        return list(owners.day_keys())


def portions_of_keys(client: SqlClientBase[Any], table: str, owners: Owners) -> Iterator[list[str]]:
    """The partition keys of the rows that a table holds of some windows.

    Keys that are there are asked for, since days may be millions, and ranges of them hold others' keys too.

    Args:
        client: which is open.
        table: its name alone.
        owners: the windows.

    Yields:
        The keys that one query finds, each once.
    """
    name, column = client.make_qualified_table_name(table), client.escape_column_name(PARTITION_KEY)
    for condition, values, some in conditions(column, owners):
        found = client.execute_sql(f"SELECT DISTINCT {column} FROM {name} WHERE {condition}", *values)  # noqa: S608
        yield list(some.among(key for (key,) in found or ()))


def conditions(column: str, owners: Owners) -> Iterator[tuple[str, tuple[str, ...], Owners]]:
    """SQL conditions that find the rows of windows, each for those of some collections.

    They find others besides: of days between the windows, and of collections whose names are between theirs.

    Args:
        column: that holds the partition keys, as SQL calls it.
        owners: the windows.

    Yields:
        A condition, its values, and the windows that it is for, which tell their own rows from others.
    """
    for some in owners.portions(COLLECTIONS_OF_A_QUERY):
        ranges = some.ranges()
        condition = " OR ".join([f"{column} BETWEEN %s AND %s"] * len(ranges))
        yield condition, tuple(chain.from_iterable(ranges)), some
