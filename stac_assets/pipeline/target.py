"""The destination and the dataset of a catalog, as dlt's configuration names them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlt.common.pipeline import get_dlt_pipelines_dir

from stac_assets.catalog import DUCKDB_FILE_STEM, UNNAMED, Catalog
from stac_assets.pipeline.place import project_folder
from stac_assets.settings.configuration import configured, names_in
from stac_assets.settings.layers import where_dataset_is_named
from stac_assets.settings.section import COMMON
from stac_assets.source.dialects import Dialect, dialect_of

STAGING = "%s__staging"


@dataclass(frozen=True)
class Target:
    """Where rows go. Making one asks nobody, and imports no destination.

    Args:
        destination: dlt's name of the destination.
        dialect: of its type.
        dataset_name: of the dataset in it.
        pipeline_name: of the pipeline that stores.
        destination_name: what the configuration calls the destination, if it gives it another name.
        pipelines_dir: where the pipeline's state stays, if not in dlt's own folder.
        has_credentials: whether the configuration says more about the place than a name.
        has_database: whether that names the database, which is the file where the destination is one.
        table_format: of tables that are files: `delta` or `parquet`.
        catalog: what the views over all catalogs call the one whose rows these are.
        dataset_setting: where a user names the dataset.
        names_dataset: whether the dataset has the catalog's name, letter by letter.
    """

    destination: str
    dialect: Dialect
    dataset_name: str
    pipeline_name: str
    destination_name: str | None = None
    pipelines_dir: str | None = None
    has_credentials: bool = False
    has_database: bool = False
    table_format: str = "delta"
    catalog: str = UNNAMED
    dataset_setting: str = where_dataset_is_named(COMMON)
    names_dataset: bool = False

    @property
    def table_hint(self) -> Literal["delta"] | None:
        """dlt's hint for tables that are files; None for plain Parquet."""
        return "delta" if self.table_format == "delta" else None

    @property
    def given_name(self) -> str | None:
        """The name to make the destination with; None where that of its type will do, or is configured."""
        if self.destination.rpartition(".")[2] != self.dialect.name:
            return self.destination
        # dlt would look for the credentials of a given name below that name
        return DUCKDB_FILE_STEM if self._is_unnamed_file and not self.has_credentials else None

    @property
    def default_database(self) -> str | None:
        """The file that credentials are to name which name none; None where there are no such credentials."""
        if not self._is_unnamed_file or not self.has_credentials or self.has_database:
            return None
        return f"{DUCKDB_FILE_STEM}{self.dialect.file_suffix}"

    @property
    def _is_unnamed_file(self) -> bool:
        return self.dialect.file_suffix is not None and self.destination_name is None

    @property
    def naming(self) -> dict[str, Any]:
        """Arguments of the destination for a dataset that has its catalog's name.

        dlt would call that of `a_` otherwise, and put what it stages of `east` into `east_staging`, where
        another catalog may be. No name of a catalog has two underscores in a row.
        """
        if not self.names_dataset:
            return {}
        return {"enable_dataset_name_normalization": False, "staging_dataset_name_layout": STAGING}

    def describe(self) -> str:
        """Where rows go, in words and without asking dlt: the file, or the destination and dataset."""
        if self.dialect.file_suffix is None or self.has_credentials:
            return f"{self.destination}, dataset {self.dataset_name}"
        stem = self.given_name or self.destination_name
        return str(project_folder().absolute() / f"{stem}{self.dialect.file_suffix}")

    def published_folders(self) -> list[Path]:
        """Where dlt's Python API (in the project folder) and dlt's command look for the pipeline's state."""
        folders = dict.fromkeys([self.pipelines_dir, get_dlt_pipelines_dir()])
        return [Path(folder) for folder in folders if folder]


def target_of(catalog: Catalog) -> Target:
    """Where the rows of a catalog go."""
    settings, section = catalog.settings, f"destination.{catalog.settings.destination}"
    given = configured(f"{section}.destination_type")
    credentials, names = configured(f"{section}.credentials"), names_in(f"{section}.credentials")
    return Target(
        settings.destination,
        dialect_of(given or settings.destination),
        catalog.dataset_name,
        catalog.pipeline_name,
        settings.destination_name,
        settings.pipelines_dir,
        settings.has_credentials or bool(names),
        isinstance(credentials, str) or "database" in names,
        settings.table_format,
        catalog.shown_as,
        where_dataset_is_named(catalog.section),
        catalog.names_dataset,
    )
