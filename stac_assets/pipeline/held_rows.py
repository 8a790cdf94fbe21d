"""How many rows a table holds of each partition before a load: one count, grouped by the partition keys."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity, SqlClientNotAvailable
from dlt.pipeline.exceptions import PipelineConfigMissing

from stac_assets.pipeline.changes.stored_feed import StoredFeed
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import PARTITION_KEY, REJECTED, rejected_key
from stac_assets.source.running import conditions
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window


class HeldRows:
    """Counts the rows that a table of items holds of windows, once they were fetched.

    Args:
        access: of the load to its dataset.
        table: of items.
        is_there: whether there is such a table; of one that is not, nobody is asked.
        with_rejected: whether to look for rejected documents of the windows too, where the table has no rows.
    """

    def __init__(self, access: DatasetAccess, table: str, is_there: bool, with_rejected: bool) -> None:
        self._access = access
        self._table = table
        self._is_there = is_there
        self._with_rejected = with_rejected
        self._without: set[Window] = set()

    def __call__(self, windows: Sequence[Window]) -> Mapping[Window, int]:
        """The rows of each window, no two of which have a day in common.

        A window without rows is missing, and so are all where the destination has no such table, or none that
        SQL can ask.
        """
        if not self._is_there:
            return {}
        return self._access.read(lambda: self._found(windows)) or {}

    def has_none_of(self, windows: Iterable[Window]) -> bool:
        """Whether it is known that neither the table nor `rejected_items` had anything of these windows.

        Nor does the feed of changes say then that anything was there, or that filters left days empty.
        """
        return self._without.issuperset(windows)

    def _found(self, windows: Sequence[Window]) -> Mapping[Window, int]:
        pipeline = self._access.pipeline
        try:
            return self._counted(windows)
        except (SqlClientNotAvailable, PipelineConfigMissing):
            return {}
        except DestinationUndefinedEntity:
            pass  # there is no such table, or it is made of files, which are found by the schema alone
        pipeline.sync_destination()
        if not pipeline.default_schema_name or self._table not in pipeline.default_schema.tables:
            return {}
        try:
            return self._counted(windows)
        except DestinationUndefinedEntity:
            return {}

    def _counted(self, windows: Sequence[Window]) -> Mapping[Window, int]:
        with self._access.pipeline.sql_client() as client:
            found = _rows(client, self._table, Owners(windows))
            if self._with_rejected and not found:
                rejected = Owners(windows, rejected_key(self._table, ""))
                try:
                    is_empty = not _rows(client, REJECTED, rejected)
                except DestinationUndefinedEntity:
                    is_empty = True
                is_untold = is_empty and not _is_told_of(client, self._table, Owners(windows))
                self._without = set(windows) if is_untold else set()
        return found


def _is_told_of(client: Any, resource: str, owners: Owners) -> bool:
    """Whether the feed says that filters left any days empty, or that items are in some windows."""
    table = client.make_qualified_table_name(CHANGES)
    try:
        if client.execute_sql(f"SELECT 1 FROM {table} WHERE id IS NULL LIMIT 1"):  # noqa: S608
            return True
        feed = StoredFeed(client, resource)
        return bool(feed.present_in(list(feed.newest(owners))))
    except DestinationUndefinedEntity:
        return False


def _rows(client: Any, table: str, owners: Owners) -> Mapping[Window, int]:
    """The rows that a table has of each window."""
    found = Counter[Window]()
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
