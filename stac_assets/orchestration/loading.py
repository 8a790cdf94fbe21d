"""A load in a Dagster run: what it does, and the events that it reports."""

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.checks import check_outputs, evaluations
from stac_assets.orchestration.collection_keys import register_collections, without_partition
from stac_assets.orchestration.elsewhere import refuse_files_elsewhere
from stac_assets.orchestration.metadata import load_metadata, partitions_metadata
from stac_assets.orchestration.partitions import known_ranges, partitions_of
from stac_assets.orchestration.quiet import quiet_storage
from stac_assets.orchestration.run_log import Heartbeat, begin, end
from stac_assets.orchestration.specs import asset_key
from stac_assets.orchestration.versions import data_version, version_tags
from stac_assets.pipeline.target import target_of
from stac_assets.settings.partition_count import told_of_many
from stac_assets.source.request import LoadRequest
from stac_assets.stac.wording import counted

if TYPE_CHECKING:  # what loads is imported by a run, not with the definitions
    from stac_assets.pipeline.load_result import LoadResult

Report = dg.MaterializeResult | dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output
"""What an asset tells Dagster."""


def run_name(context: dg.AssetExecutionContext) -> str:
    """How a run is called in the log of other loads that wait for it."""
    return f"Dagster run {context.run_id}"


def materialize(
    context: dg.AssetExecutionContext, request: LoadRequest, catalog: Catalog
) -> Iterator[Report]:
    """Load what is requested, and yield its materializations and checks, each partition with its own figures.

    Where some partitions failed, the others are stored and reported, and then the run fails.

    Raises:
        StacError: something was not loaded; the message says what is stored and what to do.
    """
    from stac_assets.pipeline.load import load

    refuse_files_elsewhere(context, catalog)
    context.log.info(begin(request, catalog.settings, target_of(catalog).describe()))
    if catalog.settings.withheld:
        context.log.warning(catalog.settings.withheld)
    cancelled = threading.Event()
    try:
        with Heartbeat(context.log.info) as heart:
            result = load(
                request,
                catalog,
                progress=heart,
                cancelled=cancelled,
                stage=heart.stage,
                inspected=True,
                doing=run_name(context),
                tell=context.log.info,
            )
    finally:
        cancelled.set()
    context.log.info(end(result.figures))
    yield from _reported(context, result, catalog)
    result.raise_on_failures()
    if result.collection_ids is not None and catalog.settings.all_collections:
        _register(context, catalog, result.collection_ids)


def _reported(context: dg.AssetExecutionContext, result: "LoadResult", catalog: Catalog) -> Iterator[Report]:
    """The materialization of each partition that was stored, and the outcome of every check."""
    key = asset_key(catalog, result.request.endpoint.name)
    partitions = _partitions(context, result, catalog)
    is_incomplete = bool(result.failed or result.refused)
    if is_incomplete:
        if not partitions and result.refused:
            yield dg.AssetMaterialization(key, metadata=load_metadata(result, catalog))
        tags = version_tags(result)
        for partition, metadata in partitions.items():
            own = tags.get(partition)
            yield dg.AssetMaterialization(key, partition=partition, metadata=metadata, tags=own)
    else:
        with known_ranges():
            for partition, metadata in partitions.items():
                context.add_asset_metadata(metadata, asset_key=key, partition_key=partition)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={} if partitions else load_metadata(result, catalog),
            data_version=data_version(result),
        )
    yield from evaluations(context, result, catalog)
    if not is_incomplete:
        yield from check_outputs(result.request.endpoint, key)


def _partitions(
    context: dg.AssetExecutionContext, result: "LoadResult", catalog: Catalog
) -> dict[str, dict[str, Any]]:
    """The metadata of each partition that was stored, in the order in which they are reported.

    Dagster reports the partitions of a run in the order of a set, and shows the last one with the asset.
    """
    partitions = partitions_of(result.request.endpoint, catalog)
    if partitions is None:
        return {}
    stored = {fetched.window.key for fetched in result.windows} or set(result.request.collections)
    run = partitions.subset_with_partition_keys(context.partition_keys)
    order = [key for key in map(str, run.get_partition_keys()) if key in stored]
    found = dict(partitions_metadata(result, catalog, order[-1] if order else None))
    return {key: found[key] for key in order if key in found}


def _register(context: dg.AssetExecutionContext, catalog: Catalog, listed: Sequence[str]) -> None:
    with quiet_storage():
        new = register_collections(catalog, context.instance, listed)
    context.log.info(f"{counted(len(new), 'new collection')} registered as partitions, {len(listed)} in all")
    many = len(context.instance.get_dynamic_partitions(catalog.collection_partitions_name))
    for told in (without_partition(listed), told_of_many(catalog.settings, many)):
        if told:
            context.log.warning(told)
