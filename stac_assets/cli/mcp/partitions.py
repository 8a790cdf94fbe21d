"""The state of partitions, as the tables tell it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from dlt.common.schema import Schema
from dlt.common.schema.typing import C_DLT_LOAD_ID

from stac_assets.catalog import Catalog
from stac_assets.cli.mcp.pipelines import ALL
from stac_assets.pipeline.read_only.reader import Reader
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import ITEM_TIME, PARTITION_KEY, REJECTED, rejected_key
from stac_assets.stac.windows import ONE_DAY, PartitionKey, Window

WITHOUT_ROWS = (
    "days of the configured range without a row: not loaded yet, or loaded and empty, or failed. The tables "
    "do not tell these apart; Dagster's UI does, and loading such a partition again is safe"
)


@dataclass
class Stored:
    """What a table has of one partition."""

    rows: int = 0
    load: str = ""
    newest: str = ""
    changed: str = ""

    def add(self, rows: int, load: str | None, newest: str | None) -> None:
        """Add what it has of one of its days."""
        self.rows += rows
        self.load, self.newest = max(self.load, load or ""), max(self.newest, newest or "")


def of_collections(
    catalog: Catalog, reader: Reader, schema: Schema, table: str, limit: int
) -> dict[str, Any]:
    """What is stored of each collection."""
    loads = (
        f"max({reader.column(C_DLT_LOAD_ID)})" if C_DLT_LOAD_ID in schema.get_table_columns(table) else "NULL"
    )
    key = reader.column(PARTITION_KEY)
    found = reader.ask(
        f"SELECT collection, count(*), count(DISTINCT {key}), min({ITEM_TIME}), max({ITEM_TIME}), {loads} "  # noqa: S608
        f"FROM {reader.table(table)} GROUP BY collection ORDER BY collection",
        ALL,
    )
    told = [
        {
            "collection": collection,
            "rows": rows,
            "days": days,
            "oldest_item": oldest,
            "newest_item": newest,
            "last_load": _time_of(load),
        }
        for collection, rows, days, oldest, newest, load in found.rows
    ]
    names = {row[0] for row in found.rows}
    lacking = [name for name in catalog.settings.named_collections if name not in names]
    answer = {**_head(catalog, table), "collections": told[:limit], "without_rows": lacking[:limit]}
    if len(told) > limit:
        answer["cut"] = (
            f"{limit:,} of {len(told):,} collections are told; give `collection`, or a larger `limit`"
        )
    return answer


def of_collection(
    catalog: Catalog, reader: Reader, schema: Schema, table: str, collection: str, limit: int
) -> dict[str, Any]:
    """What is stored of a collection, by partition, and what is not."""
    stored = _stored(catalog, reader, schema, table, collection)
    settings = catalog.settings
    configured = settings.windows(collection)
    lacking = [window for window in configured if window.start not in stored]
    inside = {window.start for window in configured}
    ranges = _ranges(lacking)
    rejected = _rejected(reader, schema, table, collection)
    answer: dict[str, Any] = {
        **_head(catalog, table),
        "collection": collection,
        "is_configured": settings.all_collections or collection in settings.named_collections,
        "configured": {**_span(configured), "partitions": len(configured)},
        "stored": {
            "partitions": len(stored),
            "rows": sum(each.rows for each in stored.values()),
            "outside_of_configured": sum(start not in inside for start in stored),
            "newest_item": max((each.newest for each in stored.values()), default="") or None,
            "last_load": _time_of(max((each.load for each in stored.values()), default="")),
        },
        "without_rows": {"partitions": len(lacking), "means": WITHOUT_ROWS, "ranges": ranges[-limit:]},
        "rejected": rejected[:limit],
        "partitions": [
            {
                "partition": str(PartitionKey(collection, start)),
                "rows": each.rows,
                "last_load": _time_of(each.load),
                "newest_item": each.newest or None,
                "last_change": each.changed or None,
            }
            for start, each in sorted(stored.items(), reverse=True)[:limit]
        ],
    }
    told = (("partitions", stored), ("ranges", ranges), ("rejected", rejected))
    if cut := [f"{limit:,} of {len(whole):,} {what}" for what, whole in told if len(whole) > limit]:
        answer["cut"] = f"only the newest are told: {', '.join(cut)}"
    return answer


def _stored(
    catalog: Catalog, reader: Reader, schema: Schema, table: str, collection: str
) -> dict[date, Stored]:
    """What is stored, by the first day of each partition."""
    loads = (
        f"max({reader.column(C_DLT_LOAD_ID)})" if C_DLT_LOAD_ID in schema.get_table_columns(table) else "NULL"
    )
    key, literal = reader.column(PARTITION_KEY), reader.literal
    found = reader.ask(
        f"SELECT {key}, count(*), {loads}, max({ITEM_TIME}) FROM {reader.table(table)} "  # noqa: S608
        f"WHERE collection = {literal(collection)} GROUP BY {key}",
        ALL,
    )
    floor = catalog.settings.granularity.floor
    stored = defaultdict[date, Stored](Stored)
    for name, rows, load, newest in found.rows:
        stored[floor(PartitionKey.parse(str(name)).day)].add(int(rows or 0), _text(load), _text(newest))
    if CHANGES in schema.data_table_names():
        changes = reader.ask(
            f"SELECT {key}, max(seen_at) FROM {reader.table(CHANGES)} WHERE resource = {literal(table)} "  # noqa: S608
            f"AND collection = {literal(collection)} AND id IS NOT NULL GROUP BY {key}",
            ALL,
        )
        for name, seen_at in changes.rows:
            start = floor(PartitionKey.parse(str(name)).day)
            if start in stored:
                stored[start].changed = max(stored[start].changed, _text(seen_at))
    return dict(stored)


def _rejected(reader: Reader, schema: Schema, table: str, collection: str) -> list[dict[str, Any]]:
    if REJECTED not in schema.data_table_names():
        return []
    key, literal = reader.column(PARTITION_KEY), reader.literal
    found = reader.ask(
        f"SELECT {key}, reason, count(*) FROM {reader.table(REJECTED)} WHERE resource = {literal(table)} "  # noqa: S608
        f"AND collection = {literal(collection)} GROUP BY {key}, reason ORDER BY {key} DESC, reason",
        ALL,
    )
    own = rejected_key(table, "")
    return [
        {"partition": str(name).removeprefix(own), "reason": reason, "documents": count}
        for name, reason, count in found.rows
    ]


def _head(catalog: Catalog, table: str) -> dict[str, Any]:
    return {"catalog": catalog.name, "table": table, "granularity": str(catalog.settings.granularity)}


def _ranges(windows: Iterable[Window]) -> list[dict[str, Any]]:
    """Neighbouring windows as one range."""
    ranges: list[list[Window]] = []
    for window in windows:
        if ranges and ranges[-1][-1].end == window.start:
            ranges[-1].append(window)
        else:
            ranges.append([window])
    return [{**_span(each), "partitions": len(each)} for each in ranges]


def _span(windows: list[Window]) -> dict[str, str | None]:
    """The first and the last day of windows."""
    if not windows:
        return {"first": None, "last": None}
    return {"first": str(windows[0].start), "last": str(windows[-1].end - ONE_DAY)}


def _time_of(load: Any) -> str | None:
    """When a load began, which is what dlt calls it: seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(load), UTC).isoformat(timespec="seconds")
    except (TypeError, ValueError, OverflowError):
        return None


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)
