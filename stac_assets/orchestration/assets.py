"""Nine assets, one per endpoint."""

from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

import dagster as dg
import dlt
from dagster_dlt.translator import DltResourceTranslatorData
from pydantic import Field

from stac_assets.orchestration.asking import unlogged
from stac_assets.orchestration.checks import check_specs
from stac_assets.orchestration.elsewhere import refuse_files_elsewhere
from stac_assets.orchestration.loading import Report, StacLoader, named
from stac_assets.orchestration.partitions import DYNAMIC_COLLECTIONS, windows_of
from stac_assets.orchestration.specs import StacTranslator
from stac_assets.settings import Settings
from stac_assets.source.request import Job
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.wording import counted


class ItemIds(dg.Config):
    """Which items `item` refreshes."""

    ids: list[str] = Field(
        default=[],
        description="Ids of the items to load; without any, those that `search` holds for the partition.",
    )


def build_assets(settings: Settings) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets of all nine endpoints, after the API; building them asks nobody, writes nothing."""
    translator = StacTranslator(settings)
    named = {name: dlt.resource([], name=name) for name in ENDPOINTS}  # a run builds its own, which load
    specs = {
        name: translator.get_asset_spec(DltResourceTranslatorData(resource=resource, pipeline=None))
        for name, resource in named.items()
    }
    return [translator.api_spec(), *(_asset(specs[name], settings) for name in ENDPOINTS)]


def _asset(spec: dg.AssetSpec, settings: Settings) -> dg.AssetsDefinition:
    name = spec.key.to_user_string()
    body = _bodies(settings).get(name) or _catalog_body(name, settings)
    backfill = dg.BackfillPolicy.multi_run(settings.max_partitions_per_run) if spec.partitions_def else None
    decorate = dg.multi_asset(
        name=name,
        specs=[spec],
        check_specs=check_specs(name, spec.partitions_def),
        backfill_policy=backfill,
        op_tags={"stac/base_url": settings.base_url},
        pool=pool_of(settings),
    )
    return decorate(body)


def pool_of(settings: Settings) -> str:
    """Dagster's pool of the runs that ask one API; its limit is the instance's (`dagster.yaml`)."""
    return f"stac-api/{urlsplit(settings.base_url).hostname}"


Body = Callable[..., Iterator[Report]]


def _bodies(settings: Settings) -> dict[str, Body]:
    """What the assets that need more than their name do."""

    def collections(context: dg.AssetExecutionContext, dlt: StacLoader) -> Iterator[Report]:
        yield from dlt.run(context, Job("collections"), settings)
        if settings.all_collections:
            _register_collections(context, settings)

    def collection(context: dg.AssetExecutionContext, dlt: StacLoader) -> Iterator[Report]:
        yield from dlt.run(context, Job("collection", collections=_keys(context)), settings)

    def item(context: dg.AssetExecutionContext, config: ItemIds, dlt: StacLoader) -> Iterator[Report]:
        from stac_assets.pipeline.load import stored_ids

        refuse_files_elsewhere(context, settings)
        windows = windows_of(_keys(context), settings)
        if config.ids and len({window.collection for window in windows}) > 1:
            raise ConfigurationError("ids are given, but the run has partitions of several collections")
        asked = partial(stored_ids, settings, doing=named(context), tell=context.log.info)
        ids = {window: tuple(config.ids) or asked(window) for window in windows}
        yield from dlt.run(context, Job("item", windows, item_ids=ids), settings)

    def search(context: dg.AssetExecutionContext, dlt: StacLoader) -> Iterator[Report]:
        yield from dlt.run(context, Job("search", windows_of(_keys(context), settings)), settings)

    def collection_items(context: dg.AssetExecutionContext, dlt: StacLoader) -> Iterator[Report]:
        yield from dlt.run(context, Job("collection_items", windows_of(_keys(context), settings)), settings)

    return {
        "collections": collections,
        "collection": collection,
        "collection_items": collection_items,
        "search": search,
        "item": item,
    }


def _catalog_body(name: str, settings: Settings) -> Body:
    def catalog(context: dg.AssetExecutionContext, dlt: StacLoader) -> Iterator[Report]:
        yield from dlt.run(context, Job(name, collections=settings.named_collections), settings)

    return catalog


def _keys(context: dg.AssetExecutionContext) -> tuple[str, ...]:
    keys = tuple(map(str, context.partition_keys))
    if not keys:
        raise ConfigurationError(
            "the run names no partition that exists; collections count in the order of the setting "
            "`collections`, and days from start_date to end_date (or today)"
        )
    return keys


def _register_collections(context: dg.AssetExecutionContext, settings: Settings) -> None:
    from stac_assets.stac.api import StacApi

    ids = [i for i in StacApi(settings.api).collection_ids() if "|" not in i]
    with unlogged():
        known = set(context.instance.get_dynamic_partitions(DYNAMIC_COLLECTIONS))
        new = [i for i in ids if i not in known]
        context.instance.add_dynamic_partitions(DYNAMIC_COLLECTIONS, new)
    context.log.info(f"{counted(len(new), 'new collection')} registered as partitions, {len(ids)} in all")
