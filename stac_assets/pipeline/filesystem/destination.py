"""The import path of version 0.1.0, which people's own dlt scripts name."""

from stac_assets.pipeline.destinations.filesystem.destination import PartitionedFilesystem

__all__ = ["PartitionedFilesystem"]
