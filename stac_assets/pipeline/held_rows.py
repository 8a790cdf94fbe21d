"""How many rows a table holds of each partition before a load: one count, grouped by the partition keys."""

from collections import Counter
from collections.abc import Mapping, Sequence

from dlt.common.destination.exceptions import DestinationUndefinedEntity, SqlClientNotAvailable
from dlt.pipeline.exceptions import PipelineConfigMissing
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.running import conditions
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window


def held_rows(access: DatasetAccess, table: str, windows: Sequence[Window]) -> Mapping[Window, int]:
    """The rows of each window.

    A window without rows is missing, and so are all where the destination has no such table, or none that
    SQL can ask.

    Args:
        access: of the load to its dataset.
        table: of items.
        windows: no two of which have a day in common.
    """
    return access.read(lambda: _found(access.pipeline, table, Owners(windows))) or {}


def _found(pipeline: Pipeline, table: str, owners: Owners) -> Mapping[Window, int]:
    try:
        return _counted(pipeline, table, owners)
    except (SqlClientNotAvailable, PipelineConfigMissing):
        return {}
    except DestinationUndefinedEntity:
        pass  # there is no such table, or it is made of files, which are found by the schema alone
    pipeline.sync_destination()
    if not pipeline.default_schema_name or table not in pipeline.default_schema.tables:
        return {}
    try:
        return _counted(pipeline, table, owners)
    except DestinationUndefinedEntity:
        return {}


def _counted(pipeline: Pipeline, table: str, owners: Owners) -> Mapping[Window, int]:
    found = Counter[Window]()
    with pipeline.sql_client() as client:
        name, key = client.make_qualified_table_name(table), client.escape_column_name(PARTITION_KEY)
        for condition, values, some in conditions(key, owners):
            rows = client.execute_sql(
                f"SELECT {key}, count(*) FROM {name} WHERE {condition} GROUP BY {key}",  # noqa: S608
                *values,
            )
            for row_key, count in rows or ():
                if window := some.of(row_key):
                    found[window] += count
    return found
