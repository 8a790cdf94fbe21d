"""One STAC API with its settings, and the names that are made from both."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from stac_assets.settings import Settings

PIPELINE_NAME = "pystac_client_pipeline"
GROUP = "stac_api"
"""Dagster's group of the unnamed catalog's assets; one group, so that the graph is seen at a glance."""
API_ASSET = "stac_api"
"""Last part of the key of the external asset that stands for the API itself."""


@dataclass(frozen=True)
class Catalog:
    """A STAC API that is mirrored. No other place makes a name from a catalog's name or URL.

    Args:
        settings: what to load, from where, into what.
        name: `[a-z][a-z0-9_]*`; None for the unnamed catalog of a project that has only one.
    """

    settings: Settings
    name: str | None = None

    # Dagster ----------------------------------------------------------------------------------

    def asset_path(self, endpoint: str) -> tuple[str, ...]:
        """Parts of the key of an endpoint's asset: `search`, or `<name>/search`."""
        return (endpoint,) if self.name is None else (self.name, endpoint)

    @property
    def group(self) -> str:
        """Dagster's group of the assets."""
        return self.name or GROUP

    def prefixed(self, name: str) -> str:
        """The name of a job, schedule, sensor or op: `items_job`, or `<name>_items_job`."""
        return name if self.name is None else f"{self.name}_{name}"

    @property
    def collection_partitions_name(self) -> str:
        """Name of the dynamic partitions, which all code locations of a Dagster instance share.

        So it names the catalog, or the whole URL of an unnamed one (dagster-io/dagster#29693).
        """
        return f"collections of {self.name or self.settings.base_url}"

    @property
    def host(self) -> str:
        """The API's host, without its port."""
        return urlsplit(self.settings.base_url).hostname or ""

    @property
    def pool(self) -> str:
        """Dagster's pool of the runs that ask one server; catalogs of one host share its limit."""
        return f"stac-api/{self.host}"

    # dlt --------------------------------------------------------------------------------------

    @property
    def dataset_name(self) -> str:
        """dlt's dataset, the schema in which the tables are."""
        return self.settings.dataset_name

    @property
    def pipeline_name(self) -> str:
        """dlt's pipeline."""
        return self.name or PIPELINE_NAME
