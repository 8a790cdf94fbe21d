"""The files of a table, of either format: what can be done with them."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.dataset as pads
from dlt.common.schema.typing import TTableSchemaColumns
from fsspec import AbstractFileSystem

from stac_assets.pipeline.destinations.filesystem.layout import Key
from stac_assets.source.columns import type_of
from stac_assets.source.geometry_column import HINT
from stac_assets.source.spool_files import ARROW_TYPES


class StoredMeanwhile(Exception):
    """Another host has stored into files since their rows were read, which would be lost."""


@dataclass(frozen=True)
class TableFolder:
    """Where the files of a table lie.

    Args:
        fs: the file system.
        path: the table's directory there, without a slash at its end.
        aside: a directory of the same file system for what is in the making.
        is_local: whether it is the machine's own file system.
    """

    fs: AbstractFileSystem
    path: str
    aside: str
    is_local: bool

    def join(self, *names: str) -> str:
        """The path of something below the table's directory."""
        return posixpath.join(self.path, *filter(None, names))

    def files(self, below: str = "") -> list[str]:
        """The Parquet files in a directory and in those below it."""
        self.fs.invalidate_cache()
        where = self.join(below)
        if not self.fs.exists(where):
            return []
        return sorted(str(path) for path in self.fs.find(where) if str(path).endswith(".parquet"))

    def relative(self, path: str) -> str:
        """A path below the table's directory, as seen from there."""
        return path[path.index(self.path) + len(self.path) :].lstrip("/")


class TableFiles(Protocol):
    """The files of a table."""

    left_out: set[str]
    """Columns that no file holds, because something else says them of all rows of a file."""
    footer: dict[str, str]
    """What each file says of itself."""

    def dataset(self, schema: pa.Schema) -> pads.Dataset:
        """The rows, with the columns of `schema`; no rows where there is no table yet."""
        ...

    def replace(self, files: dict[Key, list[Path]], keys: set[Key], schema: pa.Schema) -> None:
        """Let the partitions `keys` have these files, each with a row or more, and no others.

        A key without files is emptied. Files of other partitions stay.

        Raises:
            StoredMeanwhile: some of the files were made of rows that are there no more; nothing was changed.
        """
        ...

    def add(self, path: Path, name: str, schema: pa.Schema) -> None:
        """Add a file to a table without partitions.

        Args:
            path: of the file on the local disk.
            name: that it gets; one of that name is replaced.
            schema: of its rows.
        """
        ...

    def names(self) -> list[str]:
        """The files of a table without partitions."""
        ...

    def exchange(self, paths: list[Path], name: str, old: list[str], schema: pa.Schema) -> None:
        """Let a file take the place of some that are there; others, which came since, stay.

        Args:
            paths: of the file on the local disk; of none, where no row is left.
            name: that it gets.
            old: as `names` gave them.
            schema: of its rows.
        """
        ...

    def keys(self) -> set[Key]:
        """The partitions that have files."""
        ...

    def columns(self, keys: Sequence[Key] = ()) -> pa.Schema | None:
        """The columns that are stored; None where that is not known, for want of a file.

        Args:
            keys: of partitions whose files are looked at, where each file has to be; none: all.
        """
        ...


def arrow_schema(columns: TTableSchemaColumns) -> pa.Schema:
    """The Arrow schema of a table that dlt describes; geometries are WKB."""
    return pa.schema(
        [
            (name, pa.binary() if column.get(HINT) else ARROW_TYPES[type_of(column)])
            for name, column in columns.items()
            if "data_type" in column
        ]
    )


def no_rows(schema: pa.Schema) -> pads.Dataset:
    """A table without rows."""
    return pads.dataset(schema.empty_table())
