"""The rejected documents of a load, as its load job takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dlt.common.schema.typing import TColumnSchema

from stac_assets.source.columns import REJECTED_COLUMNS, rejected_key
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.rejects import arrow_schema, tables_of
from stac_assets.source.taken_rows import TakenRows
from stac_assets.stac.owners import Owners

if TYPE_CHECKING:
    import pyarrow as pa


class RejectedRows(TakenRows):
    """Rows of `rejected_items`.

    Args:
        table: that the documents were meant for.
        windows: that were fetched to their end.
    """

    def __init__(self, table: str, windows: Sequence[FetchedWindow]) -> None:
        self._windows = [window.window for window in windows]
        self._rejects = [window.spool.rejected for window in windows]
        self._table = table

    @property
    def owners(self) -> Owners:
        """The days of the windows."""
        return Owners(self._windows, rejected_key(self._table, ""))

    @property
    def columns(self) -> dict[str, TColumnSchema]:
        """The columns of the table."""
        return REJECTED_COLUMNS

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        return arrow_schema()

    def rows(self) -> Iterator[pa.Table]:
        """The rows, in the order of the windows."""
        return tables_of(self._rejects)

    @property
    def length(self) -> int:
        """How many documents there are."""
        return sum(map(len, self._rejects))

    @property
    def widest(self) -> int:
        """The mean length of the documents of the window that has the longest."""
        return max(
            (rejects.characters // len(rejects) for rejects in self._rejects if len(rejects)), default=0
        )
