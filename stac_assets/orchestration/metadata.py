"""What a materialization tells: figures of the partition, and the table as it is now."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from stac_assets.pipeline.load import LoadResult
from stac_assets.settings import Settings
from stac_assets.source.tables import type_of
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window

Metadata = dict[str, Any]


def figures_metadata(figures: Figures) -> Metadata:
    """The figures of one fetch, as numbers that the UI plots over time."""
    found: Metadata = {
        "items": figures.items,
        "requests": figures.requests,
        "bytes": figures.bytes,
        "retries": figures.retries,
        "seconds_waited": round(figures.seconds_waited, 3),
        "page_size_reductions": figures.page_size_reductions,
        "window_splits": figures.window_splits,
        "duplicates": figures.duplicates,
        "items_owned_elsewhere": figures.items_owned_elsewhere,
        "rejected_items": figures.rejected_items,
        "complete": figures.complete,
    }
    if figures.number_matched is not None:
        found["number_matched"] = figures.number_matched
    if figures.first_datetime is not None and figures.last_datetime is not None:
        found["first_datetime"] = figures.first_datetime.isoformat()
        found["last_datetime"] = figures.last_datetime.isoformat()
    return found


def window_metadata(resource: str, figures: Figures, window: Window, settings: Settings) -> Metadata:
    """What is true of one partition alone."""
    found = figures_metadata(figures)
    found["dagster/partition_row_count"] = figures.items
    found["interval"] = window.interval
    table = f"{settings.dataset_name}.{resource}"
    first, end = (f"{window.collection}|{day}" for day in (window.start, window.end))
    condition = f"_partition_key >= '{first}' AND _partition_key < '{end}'"
    found["query"] = dg.MetadataValue.md(f"```sql\nSELECT * FROM {table}\nWHERE {condition}\n```")
    if settings.recorded_filter is not None:
        found["filter"] = dg.MetadataValue.json(settings.narrowing.__dict__)
    return found


def partitions_metadata(result: LoadResult, settings: Settings) -> Iterator[tuple[str, Metadata]]:
    """The metadata of each partition that was stored: first its own, then what is true of the whole run."""
    run = load_metadata(result, settings)
    for fetched in result.windows:
        own = window_metadata(result.job.resource, fetched.figures, fetched.window, settings)
        yield fetched.window.key, {**own, **run}
    if result.job.resource == "collection":
        for collection in result.job.collections:
            yield collection, {"rows": 1, "dagster/partition_row_count": 1, **run}


def load_metadata(result: LoadResult, settings: Settings) -> Metadata:
    """What is true of the whole load: time, types that did not fit, and the table."""
    seconds = result.fetch_seconds + result.store_seconds
    table = f"{result.target.dataset_name}.{result.job.resource}"
    found: Metadata = {
        "run_seconds": round(seconds, 3),
        "run_seconds_fetching": round(result.fetch_seconds, 3),
        "run_seconds_storing": round(result.store_seconds, 3),
        "run_items_per_second": round(result.figures.items / seconds, 1) if seconds else 0.0,
        "destination": result.location or result.target.destination,
        "dagster/table_name": table,
        "dagster/column_schema": column_schema(result.table or {}),
        "api": dg.MetadataValue.url(settings.base_url),
    }
    if result.job.windows:
        found["type_mismatches"] = sum(result.misfits.values())
        if result.misfits:
            found["type_mismatches_by_property"] = dg.MetadataValue.json(result.misfits)
    else:
        if not result.job.is_partitioned:
            found["rows"] = found["dagster/row_count"] = result.figures.items
            found["query"] = dg.MetadataValue.md(f"```sql\nSELECT * FROM {table}\n```")
        found["requests"] = result.figures.requests
        found["bytes"] = result.figures.bytes
    return found


def column_schema(table: Mapping[str, Any]) -> dg.TableSchema:
    """The stored columns with their types and what they mean."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=type_of(column),
                description=column.get("description"),
                constraints=dg.TableColumnConstraints(nullable=column.get("nullable", True)),
            )
            for name, column in table.get("columns", {}).items()
        ]
    )
