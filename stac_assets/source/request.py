"""What to load from one endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stac_assets.source.columns import ITEM_TABLES
from stac_assets.stac.windows import Window


@dataclass(frozen=True)
class Job:
    """One endpoint, and which part of it.

    Args:
        resource: name of the endpoint, which is the table's too.
        windows: partitions of an item table.
        collections: collections of `collection` and `queryables`.
        item_ids: for `item`, the ids to refresh in each window.
    """

    resource: str
    windows: tuple[Window, ...] = ()
    collections: tuple[str, ...] = ()
    item_ids: Mapping[Window, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_partitioned(self) -> bool:
        """Whether only a part of the table is replaced."""
        return self.resource in (*ITEM_TABLES, "collection")
