"""How loads store into files: through the delivery, into partitions that are replaced as a whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from dlt.common.destination import AnyDestination
from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.destinations.base import Filled, Storage
from stac_assets.pipeline.destinations.duckdb_geometry import AS_WKB
from stac_assets.pipeline.destinations.filesystem.destination import PartitionedFilesystem
from stac_assets.pipeline.destinations.filesystem.layout import (
    HIVE_COLUMNS,
    check_directory,
    check_table_format,
)
from stac_assets.pipeline.exclusion.waiting import Hold
from stac_assets.pipeline.place import Place
from stac_assets.source.columns import REJECTED
from stac_assets.source.delivery import Delivery, TableForm
from stac_assets.source.request import LoadRequest
from stac_assets.stac.errors import ConfigurationError

if TYPE_CHECKING:
    from stac_assets.pipeline.read_only.reader import Reader


class FilesystemStorage(Storage):
    """Stores into a folder or a bucket."""

    adapted = PartitionedFilesystem

    def place(self, pipeline: Pipeline) -> Place:
        """The folder or bucket."""
        config: Any = pipeline.destination_client().config
        url = without_password(config.bucket_url)
        name = f"{url}/{pipeline.dataset_name}"
        return self._placed(pipeline, url, is_local=config.is_local_filesystem, name=name)

    def reader(self, pipeline: Pipeline, place: Place, schemas: Sequence[str], wait: float) -> "Reader":
        """As of every storage: a process that is told which files there are."""
        from stac_assets.pipeline.read_only.files_reader import FilesReader

        return FilesReader(pipeline, place.is_local)

    def check(self, stored: Callable[[], Schema | None]) -> None:
        """Refuse to write files of one format among those of another."""
        check_table_format(stored(), self.target.table_hint, self.target.dataset_setting)

    def check_collections(self, request: LoadRequest, pipeline: Pipeline) -> None:
        """Refuse collections whose directories no file system could name; Delta's files have other names."""
        if self.target.table_hint is None and request.endpoint.is_partitioned:
            config: Any = pipeline.destination_client().config
            bucket = "" if config.is_local_filesystem else urlsplit(config.bucket_url).path
            above = f"{bucket}/{pipeline.dataset_name}/{REJECTED}".strip("/")
            windows = (window.collection for window in request.windows)
            for collection in dict.fromkeys((*windows, *request.collections)):
                check_directory(collection, None if config.is_local_filesystem else above)

    def form(self, pipeline: Pipeline, folder: Path) -> TableForm:
        """The load job takes the rows; what directories are called, no column of a file may be called."""
        hint = self.target.table_hint
        reserved = frozenset[str]() if hint else HIVE_COLUMNS
        return TableForm(takes_rows=True, table_format=hint, reserved=reserved, folder=folder, dimensions=3)

    @contextmanager
    def storing(
        self, place: Place, folder: Path, hold: Hold, delivery: Delivery | None = None
    ) -> Iterator[Pipeline]:
        """A pipeline whose load job takes the rows from the delivery."""
        yield self._pipeline(folder, self._destination(delivery=delivery))

    def fill_geometries(self, client: Any, table: str) -> Filled:
        """As of every storage; where nothing is to be filled, nothing is imported for it."""
        from stac_assets.pipeline.destinations.filesystem.fill import fill

        with TemporaryDirectory(prefix="partitions-") as folder:
            return fill(client, table, Path(folder))

    def geometries_as_wkb(self, client: Any, table: str) -> str | None:
        """As of every storage."""
        return AS_WKB

    def _destination(self, make: Callable[..., Any] | None = None, **arguments: Any) -> AnyDestination:
        if self.target.table_format == "delta" and find_spec("deltalake") is None:
            raise ConfigurationError(
                "Delta tables need the package deltalake: pip install 'stac-assets[delta]' (in a clone: "
                "pip install --constraint constraints.txt --editable '.[delta]'), or set table_format to "
                "parquet. Nothing was fetched"
            )
        name = self.target.given_name
        named: dict[str, Any] = {"destination_name": name} if name else {}
        return PartitionedFilesystem(**arguments, **named)


def without_password(url: str) -> str:
    """The URL of a bucket without the user and password that it may hold."""
    parts = urlsplit(url)
    if parts.password:  # else what stands before an @ is a container of Azure
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return urlunsplit(parts).rstrip("/")
