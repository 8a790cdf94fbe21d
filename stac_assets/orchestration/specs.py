"""From a dlt resource to an asset spec: key, group, kinds, edges and words."""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import dlt
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from stac_assets.catalog import API_ASSET, Catalog
from stac_assets.orchestration.partitions import partitions_of
from stac_assets.stac import endpoints
from stac_assets.stac.endpoints import ENDPOINTS, Endpoint

API_DESCRIPTION = """
The STAC API that the tables mirror; nothing here materializes it. `{}` and `{}` watch it.
""".strip()
NEW_ITEMS, NEW_COLLECTIONS, BACKFILL = "new_items_sensor", "new_collections_sensor", "backfill_sensor"
"""Names of the sensors of an unnamed catalog."""


def asset_key(catalog: Catalog, endpoint: str) -> dg.AssetKey:
    """The key of an endpoint's asset."""
    return dg.AssetKey(catalog.asset_path(endpoint))


@dataclass
class StacTranslator(DagsterDltTranslator):
    """Names assets after their endpoint, and says what dagster-dlt cannot know."""

    catalog: Catalog

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """The spec of the asset of one endpoint."""
        endpoint, catalog = ENDPOINTS[data.resource.name], self.catalog
        spec = super().get_asset_spec(data)
        return spec.replace_attributes(
            key=dg.AssetKey(catalog.usual_path(endpoint.name)),
            deps=[dg.AssetDep(asset_key(catalog, endpoint.upstream or API_ASSET))],
            description=endpoint.description.strip(),
            group_name=catalog.group,
            kinds={"dlt", "json", catalog.settings.destination},
            tags={"stac/endpoint": endpoint.name, **self._api_tag()},
            partitions_def=partitions_of(endpoint, catalog),
            freshness_policy=self._freshness(endpoint),
            metadata={
                **spec.metadata,
                "dagster/table_name": f"{catalog.dataset_name}.{endpoint.name}",
                "dagster/code_references": _code(endpoint),
                "api": dg.MetadataValue.url(catalog.settings.base_url),
            },
        )

    def api_spec(self) -> dg.AssetSpec:
        """The spec of the API itself, from which everything comes."""
        sensors = map(self.catalog.prefixed, (NEW_ITEMS, NEW_COLLECTIONS))
        return dg.AssetSpec(
            dg.AssetKey(self.catalog.usual_path(API_ASSET)),
            description=API_DESCRIPTION.format(*sensors),
            group_name=self.catalog.group,
            kinds={"stac"},
            tags=self._api_tag(),
            metadata={"url": dg.MetadataValue.url(self.catalog.settings.base_url)},
        )

    def _api_tag(self) -> dict[str, str]:
        return {"stac/api": self.catalog.host_tag}

    def _freshness(self, endpoint: Endpoint) -> dg.FreshnessPolicy | None:
        hours = self.catalog.settings.freshness_hours
        if hours is None or endpoint.name not in self.catalog.settings.item_assets:
            return None
        return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours))


@dataclass(frozen=True)
class EndpointAsset:
    """What an asset is of.

    Args:
        catalog: the API that is mirrored.
        endpoint: the name of the endpoint; `stac_api` for the API itself.
    """

    catalog: Catalog
    endpoint: str

    @property
    def is_api(self) -> bool:
        """Whether it stands for the API itself, which nothing materializes."""
        return self.endpoint == API_ASSET

    @property
    def partitions(self) -> dg.PartitionsDefinition | None:
        """Its partitions, which follow from the settings."""
        return None if self.is_api else partitions_of(ENDPOINTS[self.endpoint], self.catalog)


SpecOf = Callable[[EndpointAsset], dg.AssetSpec]
"""Makes the spec of an asset."""


def spec_of(asset: EndpointAsset) -> dg.AssetSpec:
    """The spec of an asset, as it is unless somebody wants another."""
    translator = StacTranslator(asset.catalog)
    if asset.is_api:
        return translator.api_spec()
    resource = dlt.resource([], name=asset.endpoint)  # a run builds its own, which load
    return translator.get_asset_spec(DltResourceTranslatorData(resource=resource, pipeline=None))


def with_paths(catalog: Catalog, make: SpecOf) -> Catalog:
    """The catalog, which knows under which keys the assets stand that `make` makes."""
    names = (API_ASSET, *ENDPOINTS)
    specs = {name: make(EndpointAsset(catalog, name)) for name in names}
    return replace(catalog, paths={name: tuple(spec.key.path) for name, spec in specs.items()})


def _code(endpoint: Endpoint) -> dg.CodeReferencesMetadataValue:
    """Where the code is that reads an endpoint."""
    rows = endpoint.rows
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
