"""The files in a folder or a bucket: a directory for each collection, a file for each partition."""

import posixpath
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fsspec.implementations.local import LocalFileSystem

from stac_assets.export.footer import collection_in, structure_in
from stac_assets.export.structure import Structure
from stac_assets.pipeline.place import project_folder
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import ONE_DAY, Window

SUFFIX = ".parquet"
READERS = 8
"""Footers that are read at a time."""
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:_(\d{4}-\d{2}-\d{2}))?\.parquet")


@dataclass(frozen=True)
class Folder:
    """A folder or a bucket, or one file in it.

    Args:
        fs: the file system, as fsspec has them.
        path: without a slash at its end.
        is_file: whether it is a file for a whole collection.
        is_local: whether it is the machine's own file system.
    """

    fs: Any
    path: str
    is_file: bool
    is_local: bool

    def files(self, collection: str) -> Mapping[Window, str]:
        """The files of a collection, by the days that their names tell."""
        directory = self._directory(collection)
        self.fs.invalidate_cache()
        if not self.fs.isdir(directory):
            return {}
        found: dict[Window, str] = {}
        for path in self.fs.ls(directory, detail=False):
            if days := _days_in(posixpath.basename(str(path).replace("\\", "/"))):
                found[Window(collection, days[0], days[1] + ONE_DAY)] = str(path)
        return found

    def structures(self, files: Mapping[Window, str]) -> dict[Window, Structure | None]:
        """The structures that files say they have; None for a file that says none."""
        with ThreadPoolExecutor(READERS) as readers:
            return dict(zip(files, readers.map(self._structure, files.values()), strict=True))

    def file_of(self, window: Window) -> str:
        """The file of a partition: its first day, and its last one where that is another."""
        last = window.end - ONE_DAY
        name = f"{window.start}" if last == window.start else f"{window.start}_{last}"
        return posixpath.join(self._directory(window.collection), f"{name}{SUFFIX}")

    def put(self, source: Path, target: str) -> None:
        """Put a file in its place, where a reader finds either what was there or all of the new one."""
        if not self.is_local:
            self.fs.put_file(str(source), target)
            return
        self.fs.makedirs(posixpath.dirname(target), exist_ok=True)
        aside = Path(f"{target}.{source.parent.name}.new")
        try:
            self.fs.put_file(str(source), str(aside))
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)

    def remove(self, path: str) -> bool:
        """Remove a file, if it is there."""
        self.fs.invalidate_cache()
        if not self.fs.exists(path):
            return False
        self.fs.rm_file(path)
        return True

    def shown(self, path: str) -> str:
        """A file as people read it."""
        return path if self.is_local else self.fs.unstrip_protocol(path)

    def _directory(self, collection: str) -> str:
        name = quote(collection, safe="")
        return posixpath.join(self.path, name if name.strip(".") else name.replace(".", "%2E"))

    def is_of(self, collection: str) -> bool:
        """Whether the one file is there, and is one that was written of a collection."""
        self.fs.invalidate_cache()
        if not self.fs.isfile(self.path):
            return False
        with self.fs.open(self.path, "rb") as file:
            try:
                return collection_in(file) == collection
            except ValueError:  # it is no Parquet file at all
                return False

    def _structure(self, path: str) -> Structure | None:
        with self.fs.open(path, "rb") as file:
            try:
                return structure_in(file)
            except ValueError:  # it is no Parquet file at all
                return None


def _days_in(name: str) -> tuple[date, date] | None:
    """The first and the last day that the name of a file tells; None where it is the name of no such file."""
    if not (found := _NAME.fullmatch(name)):
        return None
    try:
        first = date.fromisoformat(found[1])
        last = date.fromisoformat(found[2]) if found[2] else first
    except ValueError:
        return None
    return (first, last) if first <= last else None


def folder_at(url: str) -> Folder:
    """The folder, bucket or file at a URL or path.

    A bucket's credentials are those of `[destination.filesystem.credentials]`, or what its own tools find.

    Raises:
        ConfigurationError: a package is missing for it, or nobody knows such a place.
    """
    from dlt.common.configuration.resolve import resolve_configuration
    from dlt.common.exceptions import MissingDependencyException
    from dlt.common.storages.configuration import FilesystemConfiguration
    from dlt.common.storages.fsspec_filesystem import fsspec_from_config

    is_file, is_local = url.endswith(SUFFIX), FilesystemConfiguration.is_local_path(url)
    if is_local or url.startswith("file:"):
        given = url if is_local else FilesystemConfiguration.make_local_path(url)
        path = (project_folder() / Path(given).expanduser()).absolute()
        return Folder(LocalFileSystem(), path.as_posix().rstrip("/"), is_file, is_local=True)
    config: Any = resolve_configuration(
        FilesystemConfiguration(), sections=("destination", "filesystem"), explicit_value={"bucket_url": url}
    )
    try:
        fs, found = fsspec_from_config(config)
    except MissingDependencyException as error:
        needed = " ".join(error.dependencies)
        raise ConfigurationError(
            f"{config.protocol}:// needs the package {needed}. Nothing was written"
        ) from None
    except ValueError as error:  # of fsspec
        raise ConfigurationError(f"{url} is no place for files ({error}). Nothing was written") from None
    return Folder(fs, str(found).rstrip("/"), is_file, is_local=False)
