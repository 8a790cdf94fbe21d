"""The feed `item_changes`: a row for each item that was added, changed or removed, as loads find it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dlt.common.schema.typing import TColumnSchema

from stac_assets.source.columns import PARTITION_KEY, described
from stac_assets.source.taken_rows import TakenRows
from stac_assets.stac.endpoints import Column
from stac_assets.stac.owners import Owners

if TYPE_CHECKING:  # it is imported with the first row
    import pyarrow as pa

CHANGES = "item_changes"
"""The table."""
ADDED, CHANGED, REMOVED = "added", "changed", "removed"
BASELINE, OUT_OF_SCOPE = "baseline", "out_of_scope"
THERE = (ADDED, CHANGED, BASELINE)
"""After these an item is in the table; after the others it is not."""

CHANGES_COLUMNS: Mapping[str, TColumnSchema] = described(
    {
        "resource": Column("text", "The table of the items", False),
        "collection": Column("text", "The collection", False),
        "id": Column(
            "text", "The item; NULL in a row that only says by which filters days without items were loaded"
        ),
        PARTITION_KEY: Column("text", "collection|YYYY-MM-DD: the day of the item", False),
        "change": Column("text", "added, changed, removed, baseline or out_of_scope", False),
        "seen_at": Column("timestamp", "When the load that found it began to store, in UTC", False),
        "changed_members": Column("json", "Of a changed item, the names of the members that differ"),
        "scope": Column("text", "Tells by which filters the partition was loaded; NULL: by none"),
    }
)


class Changes(TakenRows):
    """The changes that a load has found, in files.

    Args:
        folder: for the files.
    """

    def __init__(self, folder: Path) -> None:
        self.counts: dict[tuple[str, str], int] = Counter()
        """How many there are of each kind, by partition key and kind."""
        self.seen_at: datetime | None = None
        """When the load began to store, which is what its rows say."""
        self._folder = folder
        self._length = 0
        self._tables: list[Path] = []

    def add(self, rows: pa.Table) -> None:
        """Add rows of the feed."""
        if not rows.num_rows:
            return
        import pyarrow as pa

        path = self._folder / f"changes-{len(self._tables):05}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, self.schema, options=options) as writer,
        ):
            writer.write_table(rows.cast(self.schema))
        self._tables.append(path)
        self._length += rows.num_rows
        named = rows.filter(rows["id"].is_valid()).group_by([PARTITION_KEY, "change"])
        for row in named.aggregate([([], "count_all")]).to_pylist():
            self.counts[row[PARTITION_KEY], row["change"]] += row["count_all"]

    @property
    def owners(self) -> Owners:
        """They replace nothing."""
        return Owners(())

    @property
    def columns(self) -> Mapping[str, TColumnSchema]:
        """The columns of the table."""
        return CHANGES_COLUMNS

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        from stac_assets.source.fitting import arrow_schema

        return arrow_schema(CHANGES_COLUMNS.values())

    def rows(self) -> Iterator[pa.Table]:
        """The rows, in the order in which they were found."""
        import pyarrow as pa

        for path in self._tables:
            with pa.memory_map(str(path)) as source:
                yield pa.ipc.open_file(source).read_all()

    @property
    def length(self) -> int:
        """How many rows there are."""
        return self._length

    @property
    def widest(self) -> int:
        """They are narrow."""
        return 128
