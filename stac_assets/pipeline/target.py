"""The destination, dataset and folders of a load, from dlt's configuration."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit, urlunsplit

import dlt
from dlt.common.destination import AnyDestination, Destination
from dlt.common.known_env import DLT_LOCAL_DIR
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.pipeline.pipeline import Pipeline

from stac_assets.settings import Settings
from stac_assets.stac.errors import ConfigurationError

if TYPE_CHECKING:
    from stac_assets.pipeline.exclusion.dataset import Turn
    from stac_assets.source.delivery import Handover

PIPELINE_NAME = "pystac_client_pipeline"
DUCKDB_FILE_STEM = "pystac_client"
ATOMIC_REPLACE = "insert-from-staging"
FILESYSTEM = "dlt.destinations.filesystem"
HIVE_NAMES = frozenset({"date", "resource"})
"""What directories of Parquet tables are called beside `collection`; readers make columns of them."""
LIBPQ = frozenset({"postgres", "redshift"})
"""There dlt hands the URL of the credentials to libpq as it is."""
LIBPQ_SCHEMES = ("postgresql", "postgres")
COMMITS_WITH_TRUNCATE = {"redshift", "snowflake"}
"""There TRUNCATE is no part of a transaction, but ends it (the manuals count it as DDL)."""


@dataclass(frozen=True)
class Target:
    """Where rows go: a dlt destination by name, and a dataset in it."""

    destination: str
    dataset_name: str
    destination_name: str | None = None
    pipelines_dir: str | None = None
    has_credentials: bool = False
    table_format: str = "delta"

    @property
    def table_hint(self) -> Literal["delta"] | None:
        """dlt's hint for the tables of `filesystem`; None for plain Parquet."""
        return "delta" if self.table_format == "delta" else None

    def pipeline(self, pipelines_dir: Path, progress: str | None = None) -> Pipeline:
        """A new pipeline with working folders of its own below `pipelines_dir`."""
        make = self._reference()
        named = make(**self._named())
        if named.destination_type == FILESYSTEM:
            return self._pipeline(pipelines_dir, self._files(named), progress)
        return self._pipeline(pipelines_dir, self._atomic(make), progress)

    def _reference(self, **arguments: Any) -> Callable[..., Any]:
        """Makes dlt's own destination."""
        return partial(Destination.from_reference, self.destination, **arguments)

    @contextmanager
    def storing(
        self, place: "Place", pipelines_dir: Path, turn: "Turn"
    ) -> "Iterator[tuple[Pipeline, Handover | None]]":
        """A pipeline to store with, and where its resources put their rows, if the destination takes them so.

        Whoever calls holds the dataset, with `turn`.
        """
        from stac_assets.pipeline.exclusion.own_staging import dropped_afterwards
        from stac_assets.source.delivery import Handover

        if place.destination_type == "filesystem":
            handover = Handover(
                pipelines_dir.parent,
                table_format=self.table_hint,
                reserved=HIVE_NAMES if self.table_format == "parquet" else frozenset(),
            )
            named = cast(Any, Destination.from_reference(self.destination))
            yield self._pipeline(pipelines_dir, self._files(named, handover)), handover
            return
        if place.file is None or self.has_credentials:  # of which dlt knows what else to do with them
            pipeline = self._pipeline(pipelines_dir, self._atomic(self._ours(place.destination_type, turn)))
            with dropped_afterwards(pipeline) if turn.staging else nullcontext():
                yield pipeline, None
            return
        from stac_assets.pipeline.destinations.duckdb import PartitionedDuckDb, attached

        handover = Handover(pipelines_dir.parent)
        with attached(place.file, turn) as connection:
            factory = self._atomic(partial(PartitionedDuckDb, connection, handover=handover))
            yield self._pipeline(pipelines_dir, factory), handover

    def _ours(self, destination_type: str, turn: "Turn") -> Callable[..., Any]:
        """Makes the destination that stores: dlt's own, or what we made of it for this type."""
        arguments: dict[str, Any] = {"staging_dataset_name_layout": turn.staging} if turn.staging else {}
        named = {} if self.destination == destination_type else {"destination_name": self.destination}
        match destination_type:
            case "postgres":
                from stac_assets.pipeline.destinations.postgres import PartitionedPostgres

                return partial(PartitionedPostgres, **named, **arguments)
            case "bigquery":
                from stac_assets.pipeline.destinations.bigquery import TransactionalBigQuery

                return partial(TransactionalBigQuery, **named, **arguments)
            case "databricks":
                from stac_assets.pipeline.destinations.databricks import VariantDatabricks

                return partial(VariantDatabricks, **named, **arguments)
            case _:
                return self._reference(**arguments)

    def _pipeline(self, folder: Path, factory: AnyDestination, progress: str | None = None) -> Pipeline:
        return dlt.pipeline(
            PIPELINE_NAME,
            pipelines_dir=str(folder),
            destination=factory,
            dataset_name=self.dataset_name,
            progress=progress,  # type: ignore[arg-type]
        )

    def _files(self, named: AnyDestination, handover: "Handover | None" = None) -> AnyDestination:
        """dlt's filesystem destination `named`, with files that are replaced by partition."""
        from stac_assets.pipeline.destinations.filesystem.destination import PartitionedFilesystem

        if self.table_format == "delta" and find_spec("deltalake") is None:
            raise ConfigurationError(
                "Delta tables need the package deltalake: pip install --constraint constraints.txt "
                "--editable '.[delta]' in the project folder, or set table_format to parquet. "
                "Nothing was fetched"
            )

        name = cast(Any, named).configured_name
        given = {"destination_name": name} if name else {}
        return cast(AnyDestination, PartitionedFilesystem(handover=handover, **given))

    def _atomic(self, make: Callable[..., Any]) -> AnyDestination:
        """The destination that `make` makes, told to replace rows in one transaction."""
        named = self._named()
        return cast(AnyDestination, make(**named, **_in_transactions(make(**named))))

    def _named(self) -> dict[str, Any]:
        """In a folder without the project's config.toml the DuckDB file is named after the destination."""
        unnamed = self.destination == "duckdb" and self.destination_name is None
        return {"destination_name": DUCKDB_FILE_STEM} if unnamed else {}

    def describe(self) -> str:
        """Where rows go, in words and without asking dlt: the DuckDB file, or the destination and dataset."""
        if self.destination != "duckdb" or self.has_credentials:
            return f"{self.destination}, dataset {self.dataset_name}"
        return str(project_folder().absolute() / f"{self.destination_name or DUCKDB_FILE_STEM}.duckdb")

    def published_folders(self) -> list[Path]:
        """Where dlt's Python API (in the project folder) and dlt's command look for the pipeline's state."""
        folders = dict.fromkeys([self.pipelines_dir, get_dlt_pipelines_dir()])
        return [Path(folder) for folder in folders if folder]


def _in_transactions(factory: AnyDestination) -> dict[str, Any]:
    """Arguments that make dlt replace rows in one transaction: a kill leaves the old ones or the new ones.

    dlt 1.31 does not say of DuckDB, PostgreSQL and their like that they have transactions, and so begins one
    only for statements that hold a word like CREATE (a column's name will do). And it replaces a whole table
    by truncating it first and inserting later, unless the destination is told otherwise. There are some
    that commit with a TRUNCATE.
    """
    capabilities = factory.capabilities()
    arguments: dict[str, Any] = {}
    if factory.destination_type.rpartition(".")[2] in COMMITS_WITH_TRUNCATE:
        arguments["supports_truncate_command"] = False
    if capabilities.supports_ddl_transactions:
        arguments["supports_transactions"] = True
    offered = capabilities.supported_replace_strategies or ()
    if capabilities.replace_strategies_selector is None and ATOMIC_REPLACE in offered:
        arguments["replace_strategy"] = ATOMIC_REPLACE
    return arguments


def target_of(settings: Settings) -> Target:
    """The destination that the settings name."""
    return Target(
        settings.destination,
        settings.dataset_name,
        settings.destination_name,
        settings.pipelines_dir,
        settings.has_credentials,
        settings.table_format,
    )


def project_folder() -> Path:
    """The current directory (or dlt's own override), in which everything we write lies."""
    return Path(os.environ.get(DLT_LOCAL_DIR, "."))


@dataclass(frozen=True)
class Place:
    """Where a pipeline's dataset is: `file` for DuckDB, else `location`, which holds no credential."""

    destination_type: str
    location: str
    dataset_name: str
    file: Path | None = None

    def __str__(self) -> str:
        if self.destination_type == "filesystem":
            return f"{self.location}/{self.dataset_name}"
        return str(self.file) if self.file else f"{self.destination_type} {self.dataset_name}"


def place_of(pipeline: Pipeline) -> Place:
    """Where the dataset of `pipeline` is; dlt resolves its credentials for that, which takes a while."""
    client = pipeline.destination_client()
    kind = client.config.destination_type.rpartition(".")[2]
    config: Any = client.config
    if kind in LIBPQ and config.credentials.drivername not in LIBPQ_SCHEMES:  # which it repeats as it is
        raise ConfigurationError(
            f"the credentials of {pipeline.destination.destination_name} are a URL that begins with "
            f"{config.credentials.drivername}://; its driver knows {LIBPQ_SCHEMES[0]}:// (for Redshift too). "
            f"Set them under [destination.{pipeline.destination.destination_name}]. Nothing was fetched"
        )
    if kind == "duckdb":
        file = Path(config.credentials.database).absolute()
        if file.name.startswith("md:"):  # of which dlt would make a file, whose name holds the token
            raise ConfigurationError(
                "a database `md:…` is MotherDuck's: set `destination` to motherduck under [pipeline], and "
                "name the database under [destination.motherduck.credentials]"
            )
        if file.stem.lower() == client.sql_client.dataset_name.lower():  # type: ignore[attr-defined]
            raise ConfigurationError(
                f"the dataset {file.stem} has the name of its DuckDB file {file}, and DuckDB could not tell "
                "them apart: set another `dataset_name` under [pipeline] (PIPELINE__DATASET_NAME). "
                "Nothing was fetched"
            )
        return Place(kind, str(file), pipeline.dataset_name, file)
    if kind == "filesystem":
        return Place(kind, _bucket(config.bucket_url), pipeline.dataset_name)
    if kind == "ducklake":  # whose fingerprint says where its files are, not which lake they belong to
        return Place(kind, config.data_location(), pipeline.dataset_name)
    return Place(kind, client.config.fingerprint(), pipeline.dataset_name)


def _bucket(url: str) -> str:
    """A bucket's URL without the user and password that it may hold."""
    parts = urlsplit(url)
    if parts.password:  # else what stands before an @ is a container of Azure
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return urlunsplit(parts).rstrip("/")
