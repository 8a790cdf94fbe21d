"""Tools for what dlt does not know: catalogs, partitions and changes."""

from typing import Annotated, Any, Literal

from msgspec.json import decode
from pydantic import Field

from stac_assets.catalog import Catalog, each_catalog
from stac_assets.cli.mcp import partitions
from stac_assets.cli.mcp.choosing import opened, table_of
from stac_assets.cli.mcp.pipelines import ALL
from stac_assets.pipeline.read_only.answer import Bounds
from stac_assets.pipeline.target import target_of
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.links import shown
from stac_assets.stac.windows import PartitionKey, parse_time

Called = Annotated[
    str | None, Field(description="name of the catalog; it may be left out where there is only one")
]
Table = Annotated[
    Literal["search", "collection_items", "item"], Field(description="table of the items; usually search")
]
Most = Annotated[int, Field(ge=1, le=1000, description="entries of the answer at most")]


def list_catalogs() -> dict[str, Any]:
    """List the catalogs of this project: which API each mirrors, what of it, and where its tables are."""
    found = list(each_catalog())
    return {
        "catalogs": [_described(each) for each in found if isinstance(each, Catalog)],
        "faults": [str(each) for each in found if isinstance(each, ConfigurationError)],
    }


def _described(catalog: Catalog) -> dict[str, Any]:
    settings = catalog.settings
    return {
        "catalog": catalog.name,
        "api": shown(settings.base_url),
        "collections": "*" if settings.all_collections else list(settings.named_collections),
        "start_date": str(settings.start_date),
        "end_date": str(settings.end_date) if settings.end_date else None,
        "granularity": str(settings.granularity),
        "pipeline": catalog.pipeline_name,
        "dataset": catalog.dataset_name,
        "where": target_of(catalog).describe(),
    }


def list_partitions(
    catalog: Called = None,
    collection: Annotated[
        str | None, Field(description="id; without one, all collections are summed up")
    ] = None,
    resource: Table = "search",
    limit: Most = 100,
) -> dict[str, Any]:
    """Tell the state of partitions: rows, when they were loaded, what is missing, what was rejected."""
    with opened(catalog) as (chosen, reader):
        schema = table_of(chosen, reader, resource)
        if collection is None:
            return partitions.of_collections(chosen, reader, schema, resource, limit)
        return partitions.of_collection(chosen, reader, schema, resource, collection, limit)


def list_changes(
    catalog: Called = None,
    since: Annotated[
        str | None,
        Field(description="UTC day or time (RFC 3339): changes from then on; without it, the newest ones"),
    ] = None,
    collections: Annotated[list[str] | None, Field(description="ids; by default all")] = None,
    limit: Most = 100,
) -> dict[str, Any]:
    """Tell which items loads have found added, changed and removed, in the order of the loads."""
    time = parse_time(since)
    if since is not None and time is None:
        raise ConfigurationError(f"since is {since!r}; expected a UTC day (2024-01-31) or time (RFC 3339)")
    with opened(catalog) as (chosen, reader):
        table_of(chosen, reader, CHANGES)
        conditions = ["id IS NOT NULL"]
        if time is not None:
            instant = reader.literal(time.isoformat(" "))
            conditions.append(f"seen_at >= CAST({instant} AS TIMESTAMP WITH TIME ZONE)")
        if collections:
            conditions.append(f"collection IN ({', '.join(map(reader.literal, collections))})")
        where, key = " AND ".join(conditions), reader.column(PARTITION_KEY)
        table, down = reader.table(CHANGES), "DESC" if time is None else ""
        counts = reader.ask(f"SELECT change, count(*) FROM {table} WHERE {where} GROUP BY 1 ORDER BY 1", ALL)  # noqa: S608
        found = reader.ask(
            f"SELECT seen_at, change, resource, collection, {key}, id, changed_members FROM {table} "  # noqa: S608
            f"WHERE {where} ORDER BY seen_at {down}, resource {down}, {key} {down}, id {down} "
            f"LIMIT {int(limit)}",
            Bounds(rows=limit, cell=None),
        )
    changes = [_change(row) for row in found.rows]
    totals: dict[str, Any] = {str(kind): count for kind, count in counts.rows}
    if time is None:
        changes.reverse()
    told = {"changes": changes, "totals": totals}
    if sum(totals.values()) > len(changes):
        told["cut"] = f"{len(changes):,} of {sum(totals.values()):,} are told: " + (
            "the newest; ask with `since` for others" if time is None else "ask again from the last `seen_at`"
        )
    return told


def _change(row: list[Any]) -> dict[str, Any]:
    seen_at, change, resource, collection, key, item_id, members = row
    return {
        "seen_at": seen_at,
        "change": change,
        "resource": resource,
        "collection": collection,
        "day": str(PartitionKey.parse(key).day),
        "id": item_id,
        "changed_members": decode(members) if members else [],
    }
