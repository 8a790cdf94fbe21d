"""From a dlt resource to an asset spec: key, group, kinds, edges and words."""

import inspect
import warnings
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from stac_assets.orchestration.partitions import collection_partitions, item_partitions
from stac_assets.settings import Settings
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.stac import endpoints
from stac_assets.stac.endpoints import ENDPOINTS

GROUP = "stac_api"
"""One group for all: the UI would show several folded up, and the graph is to be seen at a glance."""
API = "stac_api"
"""Key of the external asset that stands for the API itself."""
API_DESCRIPTION = """
The STAC API that the tables mirror; nothing here materializes it. `new_items_sensor` and
`new_collections_sensor` watch it.
""".strip()


@dataclass
class StacTranslator(DagsterDltTranslator):
    """Names assets after their endpoint, and says what dagster-dlt cannot know."""

    settings: Settings

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """The spec of the asset of one endpoint."""
        name = data.resource.name
        spec = super().get_asset_spec(data)
        return spec.replace_attributes(
            key=dg.AssetKey(name),
            deps=[dg.AssetDep(ENDPOINTS[name].upstream or API)],
            description=ENDPOINTS[name].description.strip(),
            group_name=GROUP,
            kinds={"dlt", "json", self.settings.destination},
            tags={"stac/endpoint": name, **self._api_tag()},
            partitions_def=self._partitions(name),
            freshness_policy=self._freshness(name),
            metadata={
                **spec.metadata,
                "dagster/table_name": f"{self.settings.dataset_name}.{name}",
                "dagster/code_references": _code(name),
                "api": dg.MetadataValue.url(self.settings.base_url),
            },
        )

    def api_spec(self) -> dg.AssetSpec:
        """The spec of the API itself, from which everything comes."""
        return dg.AssetSpec(
            API,
            description=API_DESCRIPTION,
            group_name=GROUP,
            kinds={"stac"},
            tags=self._api_tag(),
            metadata={"url": dg.MetadataValue.url(self.settings.base_url)},
        )

    def _api_tag(self) -> dict[str, str]:
        return {"stac/api": (urlsplit(self.settings.base_url).hostname or "")[:63]}

    def _freshness(self, name: str) -> dg.FreshnessPolicy | None:
        hours = self.settings.freshness_hours
        if hours is None or name not in self.settings.item_assets:
            return None
        return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours))

    def _partitions(self, name: str) -> dg.PartitionsDefinition | None:
        if name in ITEM_TABLES:
            return item_partitions(self.settings)
        return collection_partitions(self.settings) if name == "collection" else None


def _code(name: str) -> dg.CodeReferencesMetadataValue:
    """Where the code is that reads an endpoint."""
    rows = ENDPOINTS[name].rows
    file = Path(inspect.getfile(rows)) if rows else Path(endpoints.__file__).with_name("items.py")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(
                    file_path=str(file),
                    line_number=rows.__code__.co_firstlineno if rows else 1,
                    label="what the endpoint is, and how it is read",
                )
            ]
        )
