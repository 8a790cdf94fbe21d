"""The load job: which partitions of a table a load replaces, and by which rows."""

import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from dlt.common.schema.typing import C_DLT_LOAD_ID
from dlt.destinations.impl.filesystem.filesystem import ReferenceFollowupJob

from stac_assets.pipeline.destinations.filesystem.files import StoredMeanwhile, TableFiles, arrow_schema
from stac_assets.pipeline.destinations.filesystem.layout import Key, Layout, layout_of
from stac_assets.pipeline.destinations.filesystem.staging import Staging
from stac_assets.source.columns import DELETED
from stac_assets.source.delivery import Delivery, TableForm
from stac_assets.source.geometry import FIELD, as_wkb
from stac_assets.source.geometry_column import GEOM

if TYPE_CHECKING:
    from stac_assets.pipeline.destinations.filesystem.destination import Client

ROWS = 2048
"""Rows that are taken at a time, or fewer if they are wide."""
LOOKED_AT = 50
"""Partitions of which the files that were written are looked at afterwards; all are written alike."""
TRIES = 10
"""How often rows are put beside those of a partition that other hosts go on to change."""
NOT_AHEAD = {"batch_readahead": 1, "fragment_readahead": 1}
"""How files are read: Arrow would have several of them in memory as a whole, and documents are large."""

logger = logging.getLogger("stac_assets")


class ReplacePartitions(ReferenceFollowupJob):
    """Runs once all files that dlt has for a table are known.

    They hold tombstones, which name what is replaced. The rows are in them too, or a delivery has them.
    """

    def run(self) -> None:
        """Stage the rows as files, and let them take the place of those of the replaced partitions.

        Where another host was faster, that is done again with what it has stored.
        """
        for _ in range(TRIES - 1):
            with suppress(StoredMeanwhile):
                self._replace()
                return
        self._replace()

    def _replace(self) -> None:
        client: Client = self._job_client  # type: ignore[assignment]
        table: Any = self._load_table
        schema, layout = arrow_schema(table["columns"]), layout_of(table)
        files = client.table_files(table, self._load_id)
        form = client.delivery.form if client.delivery else TableForm()
        folder = Path(tempfile.mkdtemp(prefix="partitions-", dir=form.folder))
        try:
            with Staging(
                folder, schema, layout.column, files.left_out, text_columns(table), files.footer
            ) as staging:
                keys = self._stage(staging, files, layout, schema)
            keys |= set(staging.files)
            files.replace(staging.files, keys, schema)
            if (delivery := self._delivery()) is not None:
                delivery.written = tuple(islice(filter(None, staging.files), LOOKED_AT))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        logger.debug("%s: %d partitions replaced", self.load_table_name, len(keys))

    def _stage(self, staging: Staging, files: TableFiles, layout: Layout, schema: pa.Schema) -> set[Key]:
        """Stage the new content of all that is replaced; returns what that is."""
        rows = self._rows(schema)
        if layout.column is None:
            keys: set[Key] = {None}
        elif layout.identity:
            keys, kept = self._beside(files, layout, schema)
            rows = chain(kept, rows)
        else:
            keys = self._replaced(files, layout.column)
        for each in rows:
            staging.add(each)
        return keys

    def _replaced(self, files: TableFiles, column: str) -> set[Key]:
        """The partitions that are replaced, as far as there is something of them.

        Those that a delivery's rows are of are replaced too; whoever writes their files knows of them.
        """
        delivery = self._delivery()
        if delivery is None:
            return set(self._column(column))
        return set(delivery.owners.among(filter(None, files.keys())))

    def _delivery(self) -> Delivery | None:
        """The delivery, if it has the rows of this table."""
        delivery: Delivery | None = self._job_client.delivery  # type: ignore[attr-defined]
        return delivery if delivery is not None and delivery.taken(self.load_table_name) else None

    def _rows(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of the load, without tombstones, with the columns of the table."""
        delivery = self._delivery()
        if delivery is not None:
            for table in delivery.portions(delivery.fitting(ROWS)):
                yield self._complete(table, schema)
            return
        for batch in self._loaded().to_batches(batch_size=ROWS, **NOT_AHEAD):
            table = pa.Table.from_batches([batch])
            if DELETED in table.column_names:
                table = table.filter(pc.invert(_is_deleted(table)))  # type: ignore[attr-defined]
            yield self._complete(table, schema)

    def _complete(self, table: pa.Table, schema: pa.Schema) -> pa.Table:
        columns: dict[str, Any] = {name: table[name] for name in table.column_names}
        if GEOM in columns and table.schema.field(GEOM).type != FIELD.type:  # dlt's files have it as text
            columns[GEOM] = as_wkb(table["geometry"])
        if C_DLT_LOAD_ID in schema.names:
            columns[C_DLT_LOAD_ID] = pa.repeat(self._load_id, table.num_rows)
        return pa.table(
            [
                columns[field.name].cast(field.type)
                if field.name in columns
                else pa.nulls(len(table), field.type)
                for field in schema
            ],
            schema=schema,
        )

    def _loaded(self) -> pads.Dataset:
        """What dlt's files hold."""
        return pads.dataset(self.file_paths)

    def _column(self, name: str) -> list[Any]:
        """The values of a column in dlt's files, tombstones included."""
        found = self._loaded().to_table(columns=[name])[name]
        return found.unique().to_pylist()

    def _beside(
        self, files: TableFiles, layout: Layout, schema: pa.Schema
    ) -> tuple[set[Key], Iterator[pa.Table]]:
        """The partitions in which single rows are replaced, and the rows of theirs that stay."""
        column, identity = str(layout.column), list(layout.identity)
        named = self._loaded().to_table(columns=[*identity, column, DELETED])
        arriving = named.filter(pc.invert(_is_deleted(named)))  # type: ignore[attr-defined]
        gone = _names(named, identity).combine_chunks()
        stored = files.dataset(schema)
        held = stored.to_table(columns=[*identity, column])
        leaving = held.filter(_is_in(held, identity, gone))
        keys: set[Key] = {*arriving[column].unique().to_pylist(), *leaving[column].unique().to_pylist()}

        def kept() -> Iterator[pa.Table]:
            touched = pads.field(column).isin(sorted(map(str, keys)))
            for batch in stored.to_batches(filter=touched, batch_size=ROWS, **NOT_AHEAD):
                table = pa.Table.from_batches([batch])
                others = pc.invert(_is_in(table, identity, gone))  # type: ignore[attr-defined]
                yield table.filter(others).select(schema.names).cast(schema)

        return keys, kept()


def text_columns(table: Mapping[str, Any]) -> set[str]:
    """The columns of a table that no dictionary makes smaller: documents, and geometries."""
    return {n for n, column in table["columns"].items() if column.get("data_type") == "json" or n == GEOM}


def _is_deleted(table: pa.Table) -> Any:
    return pc.fill_null(table[DELETED], False)


def _names(table: pa.Table, identity: list[str]) -> pa.ChunkedArray:
    """What names each row, in one value."""
    join = partial(pc.binary_join_element_wise, null_handling="emit_null")  # type: ignore[attr-defined]
    return join(*(table[name] for name in identity), "\x00").cast(pa.string())  # of no rows it makes nulls


def _is_in(table: pa.Table, identity: list[str], names: pa.Array) -> Any:
    return pc.is_in(_names(table, identity), value_set=names)  # type: ignore[attr-defined]
