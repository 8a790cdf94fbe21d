"""dlt's DuckLake destination: a catalog in a database, and files in a folder or a bucket.

It stores as dlt does. Only where its files are does not tell one lake from another; its catalog does.
"""

from typing import Any

from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.destinations.base import Storage
from stac_assets.pipeline.place import Place

FILE_CATALOGS = ("duckdb", "sqlite")
"""Drivers of catalogs that are files."""


class DuckLakeStorage(Storage):
    """Stores into a lake."""

    def place(self, pipeline: Pipeline) -> Place:
        """The lake, which is on this machine if its catalog or its files are."""
        config: Any = pipeline.destination_client().config
        catalog, storage = config.credentials.catalog, config.credentials.storage
        is_local = catalog.drivername in FILE_CATALOGS or storage.is_local_filesystem
        return self._placed(pipeline, config.data_location(), is_local=is_local)
