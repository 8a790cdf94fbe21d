"""The assets of a catalog, one per endpoint."""

from collections.abc import Callable, Iterator
from functools import partial

import dagster as dg
from pydantic import Field

from stac_assets.catalog import API_ASSET, Catalog
from stac_assets.orchestration.checks import check_specs
from stac_assets.orchestration.elsewhere import refuse_files_elsewhere
from stac_assets.orchestration.geoparquet import build_geoparquet
from stac_assets.orchestration.loading import Report, materialize, run_name
from stac_assets.orchestration.partitions import windows_of
from stac_assets.orchestration.specs import EndpointAsset, SpecOf, spec_of
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import ENDPOINTS, Endpoint
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import Window


class ItemIds(dg.Config):
    """Which items `item` refreshes."""

    ids: list[str] = Field(
        default=[],
        description="Ids of the items to load; without any, those that `search` holds for the partition.",
    )


Execute = Callable[[dg.AssetExecutionContext, LoadRequest], Iterator[Report]]
"""Loads what a run asks for, and yields what it reports."""


def build_assets(
    catalog: Catalog, make: SpecOf = spec_of, execute: Execute | None = None
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets of all endpoints, after the API, and that of files; building them asks and writes nothing.

    Args:
        catalog: what is mirrored.
        make: makes the spec of each asset.
        execute: loads; by default `materialize` from the catalog.
    """
    execute = execute or partial(materialize, catalog=catalog)
    api = make(EndpointAsset(catalog, API_ASSET))
    tables = [_asset(endpoint, catalog, make, execute) for endpoint in ENDPOINTS.values()]
    return [api, *tables, *build_geoparquet(catalog)]


def _asset(endpoint: Endpoint, catalog: Catalog, make: SpecOf, execute: Execute) -> dg.AssetsDefinition:
    spec = make(EndpointAsset(catalog, endpoint.name))
    partitions = catalog.settings.max_partitions_per_run
    decorate = dg.multi_asset(
        name=catalog.prefixed(endpoint.name),
        specs=[spec],
        check_specs=check_specs(endpoint, spec.key),
        backfill_policy=dg.BackfillPolicy.multi_run(partitions) if endpoint.is_partitioned else None,
        op_tags={"stac/base_url": catalog.settings.base_url},
        pool=catalog.pool,
    )

    def load(context: dg.AssetExecutionContext) -> Iterator[Report]:
        yield from execute(context, _request(endpoint, catalog, context))

    def load_single_items(context: dg.AssetExecutionContext, config: ItemIds) -> Iterator[Report]:
        refuse_files_elsewhere(context, catalog)
        windows = windows_of(_keys(context), catalog.settings)
        ids = _ids(context, catalog, windows, tuple(config.ids))
        yield from execute(context, LoadRequest(endpoint, windows, item_ids=ids))

    return decorate(load_single_items if endpoint.looks_up_items else load)


def _request(endpoint: Endpoint, catalog: Catalog, context: dg.AssetExecutionContext) -> LoadRequest:
    if not endpoint.is_partitioned:
        return LoadRequest(endpoint, collections=catalog.settings.named_collections)
    if not endpoint.has_items:
        return LoadRequest(endpoint, collections=_keys(context))
    return LoadRequest(endpoint, windows_of(_keys(context), catalog.settings))


def _ids(
    context: dg.AssetExecutionContext,
    catalog: Catalog,
    windows: tuple[Window, ...],
    given: tuple[str, ...],
) -> dict[Window, tuple[str, ...]]:
    """The ids to look up in each window: those that the run's configuration gives, or stored ones."""
    from stac_assets.pipeline.queries import stored_ids

    if given and len({window.collection for window in windows}) > 1:
        raise ConfigurationError("ids are given, but the run has partitions of several collections")
    if given:
        return dict.fromkeys(windows, given)
    return stored_ids(catalog, windows, doing=run_name(context), tell=context.log.info)


def _keys(context: dg.AssetExecutionContext) -> tuple[str, ...]:
    keys = tuple(map(str, context.partition_keys))
    if not keys:
        raise ConfigurationError(
            "the run names no partition that exists; collections count in the order of the setting "
            "`collections`, and days from start_date to end_date (or today)"
        )
    return keys
