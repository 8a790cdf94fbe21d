"""Asset checks: which each asset has, and how a load reports them, for every partition on its own.

They run in the same run as the load, from counts taken while it held the dataset.
"""

import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import dagster as dg

# Dagster fills this in itself, but only for a run of one partition, and has no public name for it
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from stac_assets.catalog import Catalog
from stac_assets.orchestration import check_rules as judgements
from stac_assets.orchestration.check_rules import OF_PARTITIONS, Judgement, Partition
from stac_assets.orchestration.quiet import quiet_storage
from stac_assets.orchestration.specs import asset_key
from stac_assets.stac.endpoints import ENDPOINTS, Endpoint
from stac_assets.stac.figures import Figures

if TYPE_CHECKING:
    from stac_assets.orchestration.events_held import Stored
    from stac_assets.pipeline.load import LoadResult

SCHEMA, ROW_COUNT, CONFIGURED = "schema", "row_count", "configured_collections"
DESCRIPTIONS = {
    SCHEMA: judgements.schema.__doc__,
    CONFIGURED: judgements.configured_collections.__doc__,
    **{name: judge.__doc__ for name, judge in OF_PARTITIONS.items()},
}


def checks_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Names of the checks of an asset: first that of the table, then those of each partition."""
    own = tuple(OF_PARTITIONS) if endpoint.has_items else (ROW_COUNT,)
    return (SCHEMA, *own, CONFIGURED) if endpoint.lists_collections else (SCHEMA, *own)


def check_specs(
    endpoint: Endpoint, key: dg.AssetKey, partitions: dg.PartitionsDefinition | None
) -> list[dg.AssetCheckSpec]:
    """The specs of an asset's checks. The schema is the table's, and has no partitions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of checks
        return [
            dg.AssetCheckSpec(
                name,
                asset=key,
                description=DESCRIPTIONS[name],
                partitions_def=partitions if name in OF_PARTITIONS else None,
            )
            for name in checks_of(endpoint)
        ]


def judged(result: "LoadResult", catalog: Catalog) -> Iterator[tuple[str, str | None, Judgement]]:
    """The name of each check, the partition that it was made of (None for the table), and its outcome."""
    inspection, endpoint = result.inspection, ENDPOINTS[result.job.resource]
    if inspection is None:
        return
    yield SCHEMA, None, judgements.schema(inspection)
    figures = {fetched.window.key: fetched.figures for fetched in result.windows}
    own_checks = [name for name in checks_of(endpoint) if name in OF_PARTITIONS]
    for key, rows in inspection.partitions.items():
        own = figures.get(key or "") or (Figures(items=1) if key else result.figures)
        partition = Partition(key, rows, own, catalog.settings)
        for name in own_checks:
            yield name, key, OF_PARTITIONS[name](partition)
    if endpoint.lists_collections:
        yield CONFIGURED, None, judgements.configured_collections(inspection, catalog.settings)


def evaluations(
    context: dg.AssetExecutionContext, result: "LoadResult", catalog: Catalog
) -> Iterator[dg.AssetCheckEvaluation]:
    """One evaluation per check and partition; each names the materialization that it is about.

    To be asked for after the materializations have been yielded, so that they are stored.
    """
    key = asset_key(catalog, result.job.resource)
    found = list(judged(result, catalog))
    stored = _stored(context, key, {partition for _, partition, _ in found if partition})
    for name, partition, judgement in found:
        if not judgement.passed:
            where = f"{partition}, " if partition else ""
            log = context.log.error if judgement.severity is judgements.ERROR else context.log.warning
            log(f"{where}check {name}: {judgement.description}")
        yield dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=name,
            passed=judgement.passed,
            metadata={
                k: dg.MetadataValue.int(v) if type(v) is int else v for k, v in judgement.metadata.items()
            },
            severity=judgement.severity,
            description=judgement.description,
            partition=partition,
            target_materialization_data=stored.get(partition) or stored.get(None),
        )


def check_outputs(endpoint: Endpoint, key: dg.AssetKey) -> Iterator[dg.Output]:
    """What says that the checks of a step are done; their outcomes are events of their own."""
    for spec in check_specs(endpoint, key, None):
        yield dg.Output(None, output_name=spec.get_python_identifier())


def _stored(
    context: dg.AssetExecutionContext, key: dg.AssetKey, partitions: Iterable[str]
) -> dict[str | None, AssetCheckEvaluationTargetMaterializationData]:
    """This run's materializations by partition, and under None the last of them."""
    from stac_assets.orchestration.event_log import materialized_together

    wanted = sorted(partitions)
    together = materialized_together(context.instance, key)
    if together and together.keys() >= set(wanted):
        named = {partition: _target(stored) for partition, stored in together.items()}
        return {**named, None: list(named.values())[-1]}
    chosen = dg.AssetRecordsFilter(asset_key=key, asset_partitions=wanted or None)
    with quiet_storage():
        records = context.instance.fetch_materializations(chosen, limit=max(1, len(wanted))).records
    found: dict[str | None, AssetCheckEvaluationTargetMaterializationData] = {}
    for record in records:
        if record.run_id == context.run_id:
            found.setdefault(record.partition_key, _target(record))
            found.setdefault(None, _target(record))
    return found


def _target(stored: "Stored | dg.EventLogRecord") -> AssetCheckEvaluationTargetMaterializationData:
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=stored.storage_id, run_id=stored.run_id, timestamp=stored.timestamp
    )
