"""The destination, dataset and folders of a load, from dlt's configuration."""

import os
from dataclasses import dataclass
from pathlib import Path

import dlt
from dlt.common.destination import AnyDestination, Destination
from dlt.common.known_env import DLT_LOCAL_DIR
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.pipeline.pipeline import Pipeline

from stac_assets.settings import Settings

PIPELINE_NAME = "pystac_client_pipeline"
DUCKDB_FILE_STEM = "pystac_client"


@dataclass(frozen=True)
class Target:
    """Where rows go: a dlt destination by name, and a dataset in it."""

    destination: str
    dataset_name: str
    destination_name: str | None = None
    pipelines_dir: str | None = None

    def pipeline(self, pipelines_dir: Path, progress: str | None = None) -> Pipeline:
        """A new pipeline with working folders of its own below `pipelines_dir`."""
        return dlt.pipeline(
            PIPELINE_NAME,
            pipelines_dir=str(pipelines_dir),
            destination=self._factory(),
            dataset_name=self.dataset_name,
            progress=progress,  # type: ignore[arg-type]
        )

    def _factory(self) -> "AnyDestination | None":
        if self.destination == "duckdb" and self.destination_name is None:
            # a folder without the project's config.toml: the file is named after the destination
            return Destination.from_reference("duckdb", destination_name=DUCKDB_FILE_STEM)
        return Destination.from_reference(self.destination)

    def published_folders(self) -> list[Path]:
        """Where dlt's Python API (in the project folder) and dlt's command look for the pipeline's state."""
        folders = dict.fromkeys([self.pipelines_dir, get_dlt_pipelines_dir()])
        return [Path(folder) for folder in folders if folder]


def target_of(settings: Settings) -> Target:
    """The destination that the settings name."""
    return Target(
        settings.destination, settings.dataset_name, settings.destination_name, settings.pipelines_dir
    )


def project_folder() -> Path:
    """The current directory (or dlt's own override), in which everything we write lies."""
    return Path(os.environ.get(DLT_LOCAL_DIR, "."))


def duckdb_file(pipeline: Pipeline) -> Path | None:
    """The DuckDB file that the pipeline writes, or None for another destination."""
    if pipeline.destination is None or pipeline.destination.destination_type.rpartition(".")[2] != "duckdb":
        return None
    database = pipeline.destination_client().config.credentials.database  # type: ignore[union-attr]
    return Path(database)
