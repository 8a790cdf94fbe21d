"""What each asset check asks, answered from the counts of an inspection: no database, no Dagster run.

Hard invariants of the table are errors. What the API itself is at fault for, and what may only be an old
count, are warnings: the table is exact all the same.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from stac_assets.orchestration.short_tables import names_table, short_table
from stac_assets.pipeline.inspection_result import Inspection, PartitionRows
from stac_assets.settings import Settings
from stac_assets.source.fetched import FetchedWindow, NamedItems
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import PartitionKey
from stac_assets.stac.wording import counted

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
NOT_APPLICABLE = "not applicable"
"""How the description of a check begins that has nothing to look at."""
TABLE_ROWS = 10
"""Rows of the short table that a check shows."""


@dataclass(frozen=True)
class Judgement:
    """The outcome of a check of the table or of one partition.

    `is_remarkable` says that the description is worth reading although the check passed.
    """

    passed: bool
    description: str
    severity: dg.AssetCheckSeverity = ERROR
    metadata: Mapping[str, Any] = field(default_factory=dict)
    is_remarkable: bool = False


@dataclass(frozen=True)
class Partition:
    """What a check of one partition looks at: what was fetched, and what the table holds of it."""

    key: str | None
    rows: PartitionRows
    figures: Figures
    settings: Settings
    fetched: FetchedWindow | None = None
    """None for a table without items, and for a partition that other partitions are checked along with."""


def schema(inspection: Inspection) -> Judgement:
    """The promised columns are there, each with its type; what is new with this load is listed."""
    columns = inspection.columns
    if columns is None:
        why = "the destination does not tell its columns; dlt keeps them as the schema says"
        return Judgement(True, f"{NOT_APPLICABLE}: {why}")
    lost = [
        (name, columns.promised[name], columns.found.get(name)) for name in columns.missing + columns.changed
    ]
    words = [f"{name} is {found or 'missing'}, promised is {kind}" for name, kind, found in lost]
    new = f"{len(columns.new)} new: {', '.join(columns.new[:TABLE_ROWS])}" if columns.new else "none new"
    return Judgement(
        not lost,
        "; ".join(words) or f"{len(columns.found)} columns, {new}",
        metadata={
            "columns": len(columns.found),
            "new_columns": len(columns.new),
            "missing_columns": len(columns.missing),
            "changed_columns": len(columns.changed),
            **_table(column=[r[0] for r in lost], promised=[r[1] for r in lost], found=[r[2] for r in lost]),
            **_table("new", column=columns.new, type=[columns.found[name] for name in columns.new]),
        },
    )


def row_count(partition: Partition) -> Judgement:
    """As many rows as distinct items were fetched (error), as the API counts and finds by date (warnings)."""
    rows, figures = partition.rows.rows, partition.figures
    brought = partition.fetched.brought_by_others if partition.fetched else NamedItems()
    sent = figures.items + figures.items_owned_elsewhere + figures.rejected_items
    metadata: dict[str, Any] = {"rows": rows, "fetched": figures.items}
    if figures.number_matched is not None:
        metadata |= {
            "number_matched": figures.number_matched,
            "items_owned_elsewhere": figures.items_owned_elsewhere,
            "rejected_items": figures.rejected_items,
        }
    shrinkage = partition.fetched.shrinkage if partition.fetched else None
    if shrinkage:
        metadata |= {"rows_before": shrinkage.rows, "first_answer": shrinkage.first}
    if rows != figures.items:
        return Judgement(
            False,
            f"the table holds {counted(rows, 'row')}, and {figures.items} were fetched",
            metadata=metadata,
        )
    if not figures.complete:
        sample = f"a sample of {rows} (`max_items`): the API has more"
        return Judgement(True, sample, metadata=metadata, is_remarkable=True)
    if brought:
        metadata["items_of_other_answers"] = brought.count
        metadata["items_of_other_answers_named"] = names_table(brought.named)
        words = counted(brought.count, "item of it", "items of it")
        return Judgement(
            False,
            f"{words} came with the answer for other dates only; loaded alone it would lack {brought}",
            WARN,
            metadata,
        )
    if partition.fetched and partition.fetched.incomplete:
        return Judgement(False, partition.fetched.incomplete, WARN, metadata)
    if shrinkage and shrinkage.is_confirmed:
        return Judgement(False, f"{shrinkage}, which is believed", WARN, metadata)
    matched = figures.number_matched
    if matched is not None and matched != sent:
        return Judgement(
            False,
            f"the API counts {counted(matched, 'item that touches', 'items that touch')} the window and sent "
            f"{sent}; the pages were read to their end, so its count is probably out of date",
            WARN,
            metadata,
        )
    if shrinkage:
        return Judgement(True, str(shrinkage), metadata=metadata, is_remarkable=True)
    return Judgement(True, f"{counted(rows, 'row')}, as many as were fetched", metadata=metadata)


def unique_items(partition: Partition) -> Judgement:
    """No item is there twice: not within the partition, and not in another one."""
    found, settings = partition.rows, partition.settings
    twice = found.rows - found.ids
    others: Counter[str] = Counter()
    for (_, other), count in found.stray_counts.items():
        others[_partition_of(other, settings)] += count
    words = [counted(twice, "row repeats an id", "rows repeat an id")] if twice else []
    words += [
        f"{counted(count, 'item is', 'items are')} in {key} too, by an earlier time; materialize {key} again"
        for key, count in others.items()
    ]
    ids, keys = zip(*found.strays[:TABLE_ROWS], strict=True) if found.strays else ((), ())
    return Judgement(
        not words,
        "; ".join(words) or counted(found.ids, "distinct item"),
        metadata={
            "distinct_items": found.ids,
            "repeated_rows": twice,
            "items_in_other_partitions": sum(others.values()),
            **_table(id=ids, other_partition=[_partition_of(key, settings) for key in keys]),
        },
    )


def partition_ownership(partition: Partition) -> Judgement:
    """Every row's own time, and its collection, is that of its partition."""
    outside = partition.rows.outside
    words = f"{counted(outside, 'row belongs', 'rows belong')} to another day or collection"
    return Judgement(
        not outside,
        words if outside else "every row belongs here",
        metadata={"rows": partition.rows.rows, "rows_outside": outside},
    )


def required_fields(partition: Partition) -> Judgement:
    """The members that the STAC item specification requires are there."""
    return _counted(
        partition,
        partition.rows.lacking,
        ("item lacks", "items lack"),
        "every item has the members that STAC requires",
    )


def valid_geometry(partition: Partition) -> Judgement:
    """Boxes are in order and on the globe; a box may cross the antimeridian."""
    return _counted(
        partition,
        partition.rows.odd_boxes,
        ("item has a bbox with", "items have a bbox with"),
        "every bbox is in order and range",
    )


def rejected_items(partition: Partition) -> Judgement:
    """Every document that the API sent became a row; others are in the table `rejected_items`."""
    reasons = partition.rows.rejected
    count = sum(reasons.values())
    words = f"{counted(count, 'document')} without a row: see the table rejected_items, which has the reason"
    return Judgement(
        not count,
        words if count else "no document was rejected",
        WARN,
        {"rejected_items": count, **_table(reason=list(reasons), documents=list(reasons.values()))},
    )


def configured_collections(inspection: Inspection, settings: Settings) -> Judgement:
    """Every collection in the settings is one of the API."""
    if settings.all_collections:
        return Judgement(True, f"{NOT_APPLICABLE}: the settings take every collection that the API lists")
    missing = [c for c in settings.named_collections if c not in inspection.ids]
    words = f"the API has no collection {', '.join(map(repr, missing))}; correct the setting `collections`"
    return Judgement(
        not missing,
        words if missing else "every configured collection exists",
        metadata={
            "configured": len(settings.named_collections),
            "collections": len(inspection.ids),
            **_table(missing=missing),
        },
    )


OF_PARTITIONS: dict[str, Callable[[Partition], Judgement]] = {
    "row_count": row_count,
    "unique_items": unique_items,
    "partition_ownership": partition_ownership,
    "required_fields": required_fields,
    "valid_geometry": valid_geometry,
    "rejected_items": rejected_items,
}


def _counted(partition: Partition, counts: Mapping[str, int], words: tuple[str, str], fine: str) -> Judgement:
    found = {name: count for name, count in counts.items() if count}
    description = "; ".join(f"{counted(count, *words)} {name}" for name, count in found.items())
    return Judgement(
        not found,
        description or fine,
        WARN,
        {
            "rows": partition.rows.rows,
            "findings": sum(found.values()),
            **_table(finding=list(found), items=list(found.values())),
        },
    )


def _partition_of(key: str, settings: Settings) -> str:
    """The Dagster partition that a row's own partition key belongs to."""
    collection, day = PartitionKey.parse(key)
    return settings.window_at(collection, settings.granularity.floor(day)).key


def _table(title: str = "findings_table", **columns: Any) -> dict[str, Any]:
    """A short table as metadata; none without rows."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return {title: short_table(rows, TABLE_ROWS)} if rows else {}
