"""What a materialization tells: figures of the partition, and the table as it is now."""

from collections.abc import Iterator, Mapping
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.pictures.bars import bars
from stac_assets.orchestration.pictures.footprints import footprints
from stac_assets.orchestration.short_tables import names_table, short_table
from stac_assets.pipeline.inspection_result import PartitionRows
from stac_assets.source.changes.feed import ADDED, BASELINE, CHANGED, OUT_OF_SCOPE, REMOVED
from stac_assets.source.columns import type_of
from stac_assets.source.rows import BOX
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import curl
from stac_assets.stac.windows import Window, partition_key

if TYPE_CHECKING:
    from stac_assets.pipeline.load_result import LoadResult
    from stac_assets.source.fetched import FetchedWindow

Metadata = dict[str, Any]
COLUMNS = "dagster/column_schema"


def partitions_metadata(
    result: "LoadResult", catalog: Catalog, last: str | None = None
) -> Iterator[tuple[str, Metadata]]:
    """The metadata of each partition that was stored: first its own, then what is true of the whole run.

    The table's columns come with one partition alone: Dagster looks for an asset's columns in its latest
    materialization, and a table may have more than a thousand. A partition without items has its few figures.

    Args:
        result: of the load.
        catalog: what was loaded.
        last: the key of the partition that is reported last; without, it is the last of them here.
    """
    run = load_metadata(result, catalog)
    columns = {COLUMNS: run.pop(COLUMNS)}
    found = result.inspection.partitions if result.inspection else {}
    ranges = dict(_ranges(result))
    last = last or (
        result.windows[-1].window.key if result.windows else (*result.request.collections, "")[-1]
    )
    for fetched in result.windows:
        key = fetched.window.key
        changed = changes_metadata(result, fetched.window)
        own: Metadata = {"items": fetched.figures.items}
        own |= changed if fetched.figures.items or any(changed.values()) else {}
        own |= _seen(found.get(key), catalog, fetched.window.collection)
        if any(ranges.get(key, {}).values()) and len(ranges[key]) > 1:
            own["items_by_date"] = bars(ranges[key])
        if fetched.figures.items:
            own |= window_metadata(result.request.endpoint.name, fetched, catalog) | run
        else:
            own |= empty_metadata(fetched)
        yield key, own | run | columns if key == last else own
    if result.request.endpoint.is_partitioned and not result.windows:
        refused = {document.name for document in result.refused}
        for collection in (each for each in result.request.collections if each not in refused):
            own = {"rows": 1, "dagster/partition_row_count": 1, **_seen(found.get(collection), catalog)}
            own["request"] = dg.MetadataValue.url(f"{result.url}/{quote(collection, safe='')}")
            own["stac_browser"] = browser_link(catalog, collection)
            yield collection, own | run | columns if collection == last else own | run


def changes_metadata(result: "LoadResult", window: Window) -> Metadata:
    """How many items of a partition were added, changed and removed, or came and went by other filters."""
    if result.changes is None:
        return {}
    counts = result.changes.counts.get(window, {})
    others = {kind: counts[kind] for kind in (BASELINE, OUT_OF_SCOPE) if counts.get(kind)}
    return {kind: counts.get(kind, 0) for kind in (ADDED, CHANGED, REMOVED)} | others


def empty_metadata(fetched: "FetchedWindow") -> Metadata:
    """What is true of a partition without items: how it was asked, and whether anything came at all."""
    figures = fetched.figures
    found: Metadata = {
        "items": 0,
        "dagster/partition_row_count": 0,
        "requests": figures.requests,
        "complete": figures.complete,
        "interval": str(fetched.window.interval),
    }
    others = figures_metadata(figures)
    for name in ("items_owned_elsewhere", "rejected_items", "number_matched"):
        if others.get(name):
            found[name] = others[name]
    found |= elsewhere_metadata(fetched)
    if fetched.link is not None:
        found["request_link"] = dg.MetadataValue.url(fetched.link)
    return found


def elsewhere_metadata(fetched: "FetchedWindow") -> Metadata:
    """What a partition's answer brought for others, and others' answers for it, by name."""
    named = {
        "overlaps": fetched.overlaps,
        "strays": fetched.strays,
        "items_of_other_answers": fetched.brought_by_others,
    }
    found: Metadata = {"may_lack_items": fetched.incomplete} if fetched.incomplete else {}
    for name, items in named.items():
        if items:
            found[name] = items.count
            found[f"{name}_named"] = names_table(items.named)
    return found


def window_metadata(resource: str, fetched: "FetchedWindow", catalog: Catalog) -> Metadata:
    """What is true of one partition alone."""
    window, figures = fetched.window, fetched.figures
    found = figures_metadata(figures)
    found["seconds"] = round(fetched.seconds, 3)
    found["items_per_second"] = round(figures.items / fetched.seconds, 1) if fetched.seconds else 0.0
    found["dagster/partition_row_count"] = figures.items
    found |= elsewhere_metadata(fetched)
    found["interval"] = str(window.interval)
    if fetched.request is not None and fetched.link is not None:
        found["request"] = dg.MetadataValue.md(f"```sh\n{curl(fetched.request)}\n```")
        found["request_link"] = dg.MetadataValue.url(fetched.link)
    found["stac_browser"] = browser_link(catalog, window.collection)
    table = f"{catalog.dataset_name}.{resource}"
    first, end = (f"{window.collection}|{day}" for day in (window.start, window.end))
    condition = f"_partition_key >= '{first}' AND _partition_key < '{end}'"
    found["query"] = dg.MetadataValue.md(f"```sql\nSELECT * FROM {table}\nWHERE {condition}\n```")
    if catalog.settings.bbox is not None:
        found["items_outside_bbox"] = figures.items_outside_bbox
    if catalog.settings.recorded_filter is not None:
        found["filter"] = dg.MetadataValue.json(catalog.settings.narrowing.__dict__)
    return found


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
        "asked_again": figures.asked_again,
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


def load_metadata(result: "LoadResult", catalog: Catalog) -> Metadata:
    """What is true of the whole load: time, types that did not fit, and the table."""
    seconds = result.fetch_seconds + result.store_seconds
    table = f"{result.target.dataset_name}.{result.request.endpoint.name}"
    found: Metadata = {
        "run_seconds": round(seconds, 3),
        "run_seconds_fetching": round(result.fetch_seconds, 3),
        "run_seconds_storing": round(result.store_seconds, 3),
        "run_items_per_second": round(result.figures.items / seconds, 1) if seconds else 0.0,
        "destination": result.location or result.target.destination,
        "dagster/table_name": table,
        COLUMNS: column_schema(result.table or {}),
        "api": dg.MetadataValue.url(catalog.settings.base_url),
    }
    if result.request.windows or result.misfits:
        found["type_mismatches"] = sum(result.misfits.values())
    if result.misfits:
        found["type_mismatches_by_property"] = dg.MetadataValue.json(result.misfits)
    if result.request.windows:
        return found
    if not result.request.endpoint.is_partitioned:
        found["rows"] = found["dagster/row_count"] = result.figures.items
        found["query"] = dg.MetadataValue.md(f"```sql\nSELECT * FROM {table}\n```")
        if result.inspection is not None:
            found |= _seen(result.inspection.partitions.get(None), catalog)
        if result.url is not None:
            found["request"] = dg.MetadataValue.url(result.url)
        found["stac_browser"] = browser_link(catalog)
    found["requests"] = result.figures.requests
    found["bytes"] = result.figures.bytes
    return found


def _seen(rows: PartitionRows | None, catalog: Catalog, collection: str | None = None) -> Metadata:
    """What the table shows of a partition: some rows, and where on the globe they lie."""
    if rows is None or not rows.sample:
        return {}
    found: Metadata = {}
    boxes: list[Any] = [tuple(row.get(edge) for edge in BOX) for row in rows.sample]
    picture = footprints([box for box in boxes if None not in box], rows.rows)
    if picture is not None:
        found["footprints"] = picture
    found["sample"] = short_table(rows.sample)
    if collection is not None:
        found["first_item"] = browser_link(catalog, collection, rows.sample[0]["id"])
    return found


def _ranges(result: "LoadResult") -> Iterator[tuple[str, Mapping[date, int]]]:
    """The dates of each collection that were loaded, with their items, under the key of the last of them."""
    counts: dict[str, dict[date, int]] = {}
    for fetched in sorted(result.windows, key=attrgetter("window")):
        counts.setdefault(fetched.window.collection, {})[fetched.window.start] = fetched.figures.items
    for collection, by_date in counts.items():
        yield partition_key(collection, max(by_date)), by_date


def browser_link(
    catalog: Catalog, collection: str | None = None, item: str | None = None
) -> dg.UrlMetadataValue:
    """A link to the API, a collection or an item in a STAC browser (setting `stac_browser`)."""
    url = catalog.settings.base_url.removeprefix("https://").replace("http://", "http:/", 1)
    for name, identifier in (("collections", collection), ("items", item)):
        if identifier is not None:
            url += f"/{name}/{quote(identifier, safe='')}"
    return dg.MetadataValue.url(catalog.settings.stac_browser + url)


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
