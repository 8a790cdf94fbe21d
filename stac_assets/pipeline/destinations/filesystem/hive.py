"""A table as plain Parquet files in directories such as `collection=c1/date=2024-01-01`.

One file after the other is replaced, so a reader may see some partitions of a load and not yet others, and
what a load has not reached when it is killed stays as it was. A partition is one file, which the file system
changes at once, unless its rows are many and come in no order.
"""

import json
import posixpath
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from stac_assets.pipeline.destinations.filesystem.files import TableFolder, no_rows
from stac_assets.pipeline.destinations.filesystem.layout import Key, Layout
from stac_assets.source.geometry_column import GEOM

GEOPARQUET = {
    "version": "1.1.0",
    "primary_column": GEOM,
    "columns": {GEOM: {"encoding": "WKB", "geometry_types": []}},
}
"""What makes a file one of GeoParquet (its specification, 1.1.0): which geometries there are is not said, and
without a reference system it is that of GeoJSON."""


class HiveFiles:
    """The files of one table.

    Columns whose values the directories say are not in the files, as Hive, Spark and Athena expect it.
    """

    def __init__(self, folder: TableFolder, layout: Layout, columns: pa.Schema) -> None:
        self._folder = folder
        self._layout = layout
        self.footer = {"geo": json.dumps(GEOPARQUET)} if GEOM in columns.names else {}
        self.left_out = {name for name in layout.hive_names if name in columns.names}

    def dataset(self, schema: pa.Schema) -> pads.Dataset:
        """The rows; what a path says of them keeps readers out of files that they do not need."""
        paths = self._folder.files()
        if not paths:
            return no_rows(schema)
        form, system = pads.ParquetFileFormat(), self._arrow_system()
        fragments = []
        for path in paths:
            said = self._layout.hive_values(self._folder.relative(path))
            terms = [pads.field(name) == value for name, value in said.items() if name in schema.names]
            expression = None
            for term in terms:
                expression = term if expression is None else expression & term
            fragments.append(form.make_fragment(path, system, partition_expression=expression))
        return pads.FileSystemDataset(fragments, schema, form, system)

    def replace(self, files: dict[Key, list[Path]], keys: set[Key], schema: pa.Schema) -> None:
        """Put the files of each partition where its old ones are, then remove old ones that are left."""
        self._clear_aside()  # of what a load that was killed has left
        directories = {key: self._layout.hive_path(key) for key in sorted(keys, key=str)}
        held = self._held({directory.partition("/")[0] for directory in directories.values()})
        for key, directory in directories.items():
            old = held.get(directory, [])
            new = [
                self._folder.join(directory, f"part-{number:05}.parquet")
                for number in range(len(files.get(key, ())))
            ]
            for source, target in zip(files.get(key, ()), new, strict=True):
                self._put(source, target)
            for path in set(old) - set(new):
                self._folder.fs.rm_file(path)
            if not new and self._folder.is_local:
                self._remove_empty(directory)
        self._clear_aside()

    def add(self, path: Path, name: str, schema: pa.Schema) -> None:
        """Put a file beside the others."""
        self._put(path, self._folder.join(name))
        self._clear_aside()

    def names(self) -> list[str]:
        """The paths of the files."""
        return self._folder.files()

    def exchange(self, paths: list[Path], name: str, old: list[str], schema: pa.Schema) -> None:
        """Put the new file there, then remove the old ones: a reader may see rows twice meanwhile."""
        for path in paths:
            self.add(path, name, schema)
        for each in old:
            self._folder.fs.rm_file(each)

    def keys(self) -> set[Key]:
        """The partitions that directories with files name."""
        column = self._layout.column
        relative = map(self._folder.relative, self._folder.files())
        return {self._layout.hive_values(path).get(column) for path in relative} if column else {None}

    def columns(self, keys: Sequence[Key] = ()) -> pa.Schema | None:
        """The columns of the files, and those that directories name."""
        directories = [self._layout.hive_path(key) for key in keys] or [""]
        system = self._arrow_system()
        paths = [path for directory in directories for path in self._folder.files(directory)]
        if not paths:
            return None
        found = pa.unify_schemas([pq.read_schema(path, filesystem=system) for path in paths])
        for name in sorted(self.left_out):
            found = found.append(pa.field(name, pa.string()))
        return found

    def _held(self, tops: set[str]) -> dict[str, list[str]]:
        """The files below some directories, by the directory of each; a listing a collection, none a day."""
        found: dict[str, list[str]] = {}
        for top in tops:
            for path in self._folder.files(top):
                found.setdefault(posixpath.dirname(self._folder.relative(path)), []).append(path)
        return found

    def _put(self, source: Path, target: str) -> None:
        if not self._folder.is_local:
            self._folder.fs.put_file(str(source), target)
            return
        # beside the table, because a copy that was cut off must not look like one of its files
        aside = Path(self._folder.aside)
        aside.mkdir(parents=True, exist_ok=True)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, aside / source.name)
        (aside / source.name).replace(target)

    def _clear_aside(self) -> None:
        if self._folder.is_local:
            shutil.rmtree(self._folder.aside, ignore_errors=True)
            with suppress(OSError):  # another table of the same load is being stored
                Path(self._folder.aside).parent.rmdir()

    def _remove_empty(self, directory: str) -> None:
        while directory:
            with suppress(OSError):  # another partition's files are in it
                Path(self._folder.join(directory)).rmdir()
            directory = posixpath.dirname(directory)

    def _arrow_system(self) -> pafs.FileSystem:
        if self._folder.is_local:
            return pafs.LocalFileSystem()
        return pafs.PyFileSystem(pafs.FSSpecHandler(self._folder.fs))
