"""The rows of one endpoint on their way from the spool to the destination."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

from stac_assets.settings import Settings
from stac_assets.source.changes.feed import CHANGES, Changes
from stac_assets.source.columns import FINGERPRINT, ITEM_COLUMNS, REJECTED
from stac_assets.source.dialects import Dialect
from stac_assets.source.dlt_log import WithoutJsonAsText, filtered
from stac_assets.source.fetch import Fetched, fetch
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.fingerprint import prefix_of
from stac_assets.source.geometry_column import COLUMN, GEOM, HINT, Dimensions
from stac_assets.source.ownership import claim_dataset
from stac_assets.source.promotion import Promotion, settle
from stac_assets.source.rejected_rows import RejectedRows
from stac_assets.source.request import LoadRequest, whole_request
from stac_assets.source.spool_file import SpoolFile
from stac_assets.source.taken_rows import TakenRows
from stac_assets.stac.endpoints import Endpoint, Replaces
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window

if TYPE_CHECKING:  # it is imported with the first row
    import pyarrow as pa

logger = logging.getLogger("stac_assets")


@dataclass(frozen=True)
class TableForm:
    """What a destination wants of the tables of a load.

    Args:
        takes_rows: whether its load jobs take the rows that replace whole days from the delivery. dlt would
            write them to files twice, and the destination into a staging table first.
        takes_rejected: whether that is so of rejected documents too.
        takes_changes: whether its load job stores the changes with the rows, in one transaction.
        table_format: dlt's hint of that name for all tables of the load.
        reserved: names that no promoted property may take as its column.
        folder: for working files of its load jobs.
        dimensions: of the geometries in the column `geom`; 0 where there is no such column.
    """

    takes_rows: bool = False
    takes_rejected: bool = False
    takes_changes: bool = False
    table_format: Literal["delta"] | None = None
    reserved: frozenset[str] = frozenset()
    folder: Path = Path()
    dimensions: Dimensions | Literal[0] = 0


class Delivery(TakenRows):
    """What was fetched from one endpoint, and the columns that it gets.

    dlt's resource opens it, settles the columns against the schema that the destination remembers, and reads
    the rows, or leaves them to the destination's load job.

    Args:
        fetched: what the API gave.
        settings: the API, and which properties are promoted.
        form: what the destination wants of the tables.
    """

    def __init__(self, fetched: Fetched, settings: Settings, form: TableForm | None = None) -> None:
        self.fetched = fetched
        self.endpoint = fetched.request.endpoint
        self.form = form or TableForm()
        self.promotion = Promotion({})
        self.refuse_unfit: Callable[[Iterable[TColumnSchema]], None] | None = None
        """Raises an error where the table has a column that does not hold the values of one of these."""
        self.written: tuple[str, ...] = ()
        """Keys of partitions that a load job has written files of; not of all, where they are many."""
        self.unchanged: set[Window] = set()
        """Windows that are stored already as they were fetched, and are left as they are."""
        self.changes: Changes | None = None
        """What the load changes in its table; None where nobody wants to hear of that."""
        self.last_changes: dict[Window, datetime] = {}
        """When the newest change of each window was found that has any, before this load."""
        self.misfits_that_stay = Counter[str]()
        """Of their values, by property, those that fit no column."""
        self._settings = settings
        self._files: list[SpoolFile] = []
        self._dimensions: Dimensions | Literal[0] = self.form.dimensions if self.wants_geometries else 0

    @contextmanager
    def opened(self, dialect: Dialect) -> Iterator[Fetched]:
        """What was fetched; its files last as long as the context. To be called while dlt extracts.

        Args:
            dialect: of the destination.

        Raises:
            ConfigurationError: the dataset mirrors another API.
        """
        claim_dataset(self._settings)
        with filtered(WithoutJsonAsText()):
            yield self.fetched

    @property
    def takes_rows(self) -> bool:
        """Whether the destination's load job takes the rows from here; dlt's files then hold none."""
        return self.form.takes_rows and self.endpoint.replaces is Replaces.DAY

    def taken(self, table: str | None) -> TakenRows | None:
        """The rows of a table that the destination's load job takes from here, if it does."""
        if self.takes_rows and table == self.endpoint.name:
            return self
        if table == CHANGES and self.stores_changes:
            return self.changes
        if self.takes_rows and table == REJECTED and self.form.takes_rejected:
            return RejectedRows(self.endpoint.name, self.windows)
        return None

    @property
    def stores_changes(self) -> bool:
        """Whether the load job of the rows stores their changes too."""
        return self.takes_rows and self.form.takes_changes and bool(self.changes and self.changes.length)

    @property
    def windows(self) -> list[FetchedWindow]:
        """The windows that are stored: those that were fetched to their end, and are not unchanged."""
        return [each for each in self.fetched.complete_windows if each.window not in self.unchanged]

    @property
    def owners(self) -> Owners:
        """What the load replaces: the days of those windows."""
        return Owners(window.window for window in self.windows)

    # Columns ----------------------------------------------------------------------------------

    def settle(
        self,
        stored: TTableSchemaColumns,
        normalize: Callable[[str], str],
        most: int | None = None,
        row_bytes: int | None = None,
    ) -> None:
        """Decide which property has which column.

        Args:
            stored: the columns that the table has in the schema synced from the destination.
            normalize: the destination's naming convention.
            most: columns that a table of the destination may have.
            row_bytes: that one of its rows may have.
        """
        self._files = [file for window in self.windows for file in window.spool.files]
        selected, reserved = self._settings.promote_properties, self.form.reserved
        if self._dimensions and not self.has_geometries(stored):
            self._dimensions = 0
            logger.warning(
                "the column %s of %s holds a property of that name, and so no geometries; they are stored "
                "where the items are loaded into another dataset_name",
                *(GEOM, self.endpoint.name),
            )
        if most is not None and self._dimensions and GEOM not in stored:
            most -= 1
        self.promotion = settle(stored, self._files, normalize, selected, reserved, most, row_bytes)
        if self.refuse_unfit is not None:
            self.refuse_unfit(self.columns.values())

    def has_geometries(self, stored: TTableSchemaColumns) -> bool:
        """Whether the rows get the column `geom`; in some tables a property has that name.

        Args:
            stored: the columns that the table has in the schema synced from the destination.
        """
        return bool(self._dimensions and stored.get(GEOM, COLUMN).get(HINT))

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        schema = self.promotion.schema()
        if not self._dimensions:
            return schema
        from stac_assets.source.geometry import FIELD, TEXT_FIELD

        return schema.append(FIELD if self.takes_rows else TEXT_FIELD)

    @property
    def columns(self) -> dict[str, TColumnSchema]:
        """The columns of the item table, by name."""
        described = [*ITEM_COLUMNS.values(), *self.promotion.columns.values()]
        if self._dimensions:
            described.append(COLUMN)
        return {str(column.get("name")): column for column in described}

    @property
    def misfits(self) -> Counter[str]:
        """How many values fit no column, by property; complete once all rows have been read."""
        return self.promotion.misfits + self.fetched.misfits + self.misfits_that_stay

    # Rows -------------------------------------------------------------------------------------

    @property
    def widest(self) -> int:
        """The length of the longest documents of an item in bytes, as a mean over the rows of a file."""
        return max((file.bytes // file.rows for file in self._files), default=0)

    @property
    def length(self) -> int:
        """How many rows there are."""
        return sum(file.rows for file in self._files)

    def rows(self) -> Iterator[pa.Table]:
        """The rows of items, from the first one on, in tables of the columns that were settled."""
        self.promotion.misfits.clear()
        if not self._files:
            return
        from stac_assets.source.spool_files import read_tables

        for file, table in read_tables(self._files):
            yield self._with_fingerprints(self._with_geometries(self.promotion.apply([file], table)))

    def prefix(self, has_geometries: bool, tells: bool) -> str:
        """What the fingerprints of the rows begin with."""
        return prefix_of(self._settings, has_geometries, tells)

    def _with_fingerprints(self, rows: pa.Table) -> pa.Table:
        """Rows whose digests are fingerprints."""
        from stac_assets.source.changes.difference import with_prefix

        place, field = rows.schema.get_field_index(FINGERPRINT), rows.schema.field(FINGERPRINT)
        prefix = self.prefix(bool(self._dimensions), self.changes is not None)
        return rows.set_column(place, field, with_prefix(rows[FINGERPRINT], prefix))

    @property
    def wants_geometries(self) -> bool:
        """Whether the settings want geometries, which the destination may have or not."""
        return self._settings.geometry == "native"

    def _with_geometries(self, rows: pa.Table) -> pa.Table:
        """Rows with the column `geom`, if their table has one; what it cannot hold is counted."""
        if not self._dimensions:
            return rows
        from stac_assets.source.geometry import FIELD, as_wkb, as_wkt

        texts, field = rows["geometry"], self.schema.field(GEOM)
        found = (as_wkb if field == FIELD else as_wkt)(texts, self._dimensions)
        if missing := found.null_count - texts.null_count:
            self.promotion.misfits["geometry"] += missing
        return rows.append_column(field, found)


class LateDelivery(Delivery):
    """One that is fetched when dlt reads it, as in somebody's own dlt script.

    Args:
        endpoint: what is fetched, as far as the settings name it.
        settings: the API and how to ask it.
        item_ids: where items are looked up one by one, the ids to look up in each collection.
    """

    def __init__(self, endpoint: Endpoint, settings: Settings, item_ids: tuple[str, ...] = ()) -> None:
        super().__init__(Fetched(LoadRequest(endpoint)), settings)
        self._item_ids = item_ids

    @contextmanager
    def opened(self, dialect: Dialect) -> Iterator[Fetched]:
        """As of every delivery; fetches first.

        Raises:
            ConfigurationError: the dataset mirrors another API.
            StacError: a window could not be fetched.
        """
        with super().opened(dialect), tempfile.TemporaryDirectory(prefix="stac-assets-") as folder:
            request = whole_request(self.endpoint, self._settings, self._item_ids)
            self.fetched = fetch(request, self._settings, Path(folder), dialect)
            self.fetched.raise_on_failures()
            yield self.fetched
