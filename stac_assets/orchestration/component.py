"""A catalog as a Dagster component: `stac_assets.StacCatalogComponent` in a `defs.yaml`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import dagster as dg
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver
from pydantic import Field, PrivateAttr

from stac_assets.catalog import Catalog, read_catalog
from stac_assets.orchestration.attributes import ATTRIBUTES, attributes_model
from stac_assets.orchestration.build import definitions_with
from stac_assets.orchestration.loading import Report, materialize
from stac_assets.orchestration.scaffolding import StacCatalogScaffolder
from stac_assets.orchestration.specs import EndpointAsset, spec_of, with_paths
from stac_assets.source.request import LoadRequest
from stac_assets.stac.errors import ConfigurationError

if TYPE_CHECKING:
    _Settings = dg.Model
else:
    _Settings = attributes_model()

Translation = Annotated[
    TranslationFn[EndpointAsset],
    TranslationFnResolver[EndpointAsset](
        lambda asset: {"endpoint": asset.endpoint, "catalog": asset.catalog.name}
    ),
]


@dg.scaffold_with(StacCatalogScaffolder)
class StacCatalogComponent(dg.Component, dg.Resolvable, _Settings):
    """Mirrors a STAC API into tables: an asset for each of its endpoints, with partitions and checks.

    Attributes are the settings of `docs/configuration.md`; one that is not given is read from dlt's section
    of the catalog, `[sources.pystac_client_source.catalogs.<name>]`, which is the place for secrets. Override
    `get_asset_spec` or `execute` in a subclass to change what an asset is or does.

    Example:
        type: stac_assets.StacCatalogComponent
        attributes:
          name: planetary_computer
          preset: planetary-computer
          collections: [sentinel-2-l2a]
    """

    name: str = Field(
        description="The catalog's name, with which all names begin: small letters, digits and single "
        "underscores, a letter first."
    )
    translation: Translation | None = Field(
        default=None,
        description="What is other than usual of the assets: group_name, key, key_prefix, tags, owners, "
        "automation_condition. It may refer to `endpoint`, `catalog` and `spec`.",
    )
    _catalog: Catalog | None = PrivateAttr(default=None)

    @property
    def catalog(self) -> Catalog:
        """The API that is mirrored, with its settings; nothing is asked of it.

        Raises:
            ConfigurationError: a setting does not exist or cannot be used.
        """
        if self._catalog is None:
            given = {name: value for name in ATTRIBUTES if (value := getattr(self, name)) is not None}
            self._catalog = with_paths(read_catalog(self.name, **given), self._checked_spec)
        return self._catalog

    def get_asset_spec(self, asset: EndpointAsset) -> dg.AssetSpec:
        """The spec of an asset: the usual one, with what `translation` says.

        Args:
            asset: of which catalog and endpoint it is; `is_api` tells the one that stands for the API itself.

        Returns:
            The spec. Key, group, tags, owners, description, metadata and automation may be others than the
            usual ones; partitions may not.

        Example:
            >>> from dataclasses import replace
            >>> class Mine(StacCatalogComponent):
            ...     def get_asset_spec(self, asset):
            ...         return super().get_asset_spec(asset).merge_attributes(tags={"team": "geo"})
        """
        usual = spec_of(asset)
        if self.translation is None:
            return usual
        spec = self.translation(usual, asset)
        return spec.replace_attributes(automation_condition=None) if asset.is_api else spec

    def execute(self, context: dg.AssetExecutionContext, request: LoadRequest) -> Iterator[Report]:
        """Load what a run asks for, and tell Dagster of it.

        Args:
            context: Dagster's, of the run.
            request: the endpoint, with the windows, collections or ids that are loaded.

        Yields:
            The materialization of each partition, and the outcome of each check.

        Raises:
            StacError: something was not loaded; the message says what is stored and what to do.
        """
        yield from materialize(context, request, self.catalog)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The assets, jobs, schedules and sensors of the catalog.

        Raises:
            ConfigurationError: a setting does not exist or cannot be used.
        """
        return definitions_with(self.catalog, self._checked_spec, self.execute)

    def _checked_spec(self, asset: EndpointAsset) -> dg.AssetSpec:
        spec = self.get_asset_spec(asset)
        if spec.partitions_def != asset.partitions:
            raise ConfigurationError(
                f"the asset {spec.key.to_user_string()} was given other partitions; those of a catalog "
                "follow from its settings `collections`, `start_date`, `end_date` and `granularity`"
            )
        return spec
