"""The feed as tests read it, and the table that its rows make when they are replayed."""

from collections.abc import Iterable
from typing import Any

from stac_assets.source.changes.feed import CHANGES, THERE
from stac_assets_tests.reading import Row, rows

Item = tuple[str, str]
"""Partition key and id."""


def feed(resource: str = "search") -> list[Row]:
    """The rows of the feed in the order of their loads; of one load in that of their keys."""
    found = [row for row in rows(CHANGES) if row["resource"] == resource]
    return sorted(found, key=lambda row: (row["seen_at"], row["_partition_key"], row["id"] or ""))


def told(resource: str = "search") -> list[tuple[str, str]]:
    """Change and id of each row that tells of an item."""
    return [(row["change"], row["id"]) for row in feed(resource) if row["id"] is not None]


def replayed(changes: Iterable[Row]) -> set[Item]:
    """The items that are in the table after all changes."""
    there = set[Item]()
    for row in changes:
        if row["id"] is None:
            continue
        name = row["_partition_key"], row["id"]
        (there.add if row["change"] in THERE else there.discard)(name)
    return there


def stored(table: Iterable[dict[str, Any]]) -> set[Item]:
    """The items that are in a table."""
    return {(row["_partition_key"], row["id"]) for row in table}
