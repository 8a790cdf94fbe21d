"""From a dlt resource to an asset spec: key, group, kinds, edges and words."""

from dataclasses import dataclass

import dagster as dg
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from stac_assets.orchestration.descriptions import DESCRIPTIONS, GROUP, UPSTREAM
from stac_assets.orchestration.partitions import collection_partitions, item_partitions
from stac_assets.settings import Settings
from stac_assets.source.tables import ITEM_TABLES


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
            deps=[dg.AssetDep(upstream) for upstream in UPSTREAM[name]],
            description=DESCRIPTIONS[name].strip(),
            group_name=GROUP,
            kinds={"dlt", "json", self.settings.destination},
            tags={"stac/endpoint": name},
            partitions_def=self._partitions(name),
            metadata={
                **spec.metadata,
                "dagster/table_name": f"{self.settings.dataset_name}.{name}",
                "api": dg.MetadataValue.url(self.settings.base_url),
            },
        )

    def _partitions(self, name: str) -> dg.PartitionsDefinition | None:
        if name in ITEM_TABLES:
            return item_partitions(self.settings)
        return collection_partitions(self.settings) if name == "collection" else None
