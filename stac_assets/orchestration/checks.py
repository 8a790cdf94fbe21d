"""Asset checks: which each asset has, and what a load reports of them.

They are made in the run that loads, from counts taken while it held the dataset. A check has one evaluation
in each run, for all its partitions together, and another one for each partition in which it fails.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration import check_rules
from stac_assets.orchestration.check_rules import ERROR, OF_PARTITIONS, Judgement, Partition
from stac_assets.orchestration.check_summary import summary
from stac_assets.orchestration.earlier_failures import earlier_failures
from stac_assets.orchestration.partitions import partitions_of
from stac_assets.orchestration.specs import asset_key
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.figures import Figures

if TYPE_CHECKING:
    from stac_assets.pipeline.load_result import LoadResult

SCHEMA, ROW_COUNT, CONFIGURED = "schema", "row_count", "configured_collections"
RULES = {SCHEMA: check_rules.schema, CONFIGURED: check_rules.configured_collections, **OF_PARTITIONS}
BLOCKING = frozenset({SCHEMA, ROW_COUNT, "partition_ownership"})
"""Checks that stop what is downstream in the same run, where they fail."""
MADE_BY_THE_LOAD = "Every load makes this check: materialize the asset, as it cannot be executed alone."


def checks_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Names of the checks of an asset: first that of the table, then those of each partition."""
    own = tuple(OF_PARTITIONS) if endpoint.has_items else (ROW_COUNT,)
    return (SCHEMA, *own, CONFIGURED) if endpoint.lists_collections else (SCHEMA, *own)


def check_specs(endpoint: Endpoint, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The specs of an asset's checks."""
    return [
        dg.AssetCheckSpec(
            name,
            asset=key,
            description=f"{RULES[name].__doc__}\n\n{MADE_BY_THE_LOAD}",
            blocking=name in BLOCKING,
        )
        for name in checks_of(endpoint)
    ]


def judged(result: "LoadResult", catalog: Catalog) -> Iterator[tuple[str, str | None, Judgement]]:
    """The name of each check, the partition that it was made of (None for the table), and its outcome."""
    inspection, endpoint = result.inspection, result.request.endpoint
    if inspection is None:
        return
    yield SCHEMA, None, check_rules.schema(inspection)
    windows = {fetched.window.key: fetched for fetched in result.windows}
    own_checks = [name for name in checks_of(endpoint) if name in OF_PARTITIONS]
    for key, rows in inspection.partitions.items():
        fetched = windows.get(key or "")
        own = fetched.figures if fetched else Figures(items=1) if key else result.figures
        partition = Partition(key, rows, own, catalog.settings, fetched)
        for name in own_checks:
            yield name, key, OF_PARTITIONS[name](partition)
    if endpoint.lists_collections:
        yield CONFIGURED, None, check_rules.configured_collections(inspection, catalog.settings)


def evaluations(
    context: dg.AssetExecutionContext, result: "LoadResult", catalog: Catalog
) -> Iterator[dg.AssetCheckEvaluation]:
    """One evaluation per check, and after it one for each partition in which the check failed.

    Dagster shows the last of them as the state of the check. To be asked for after the materializations have
    been yielded, so that those are stored.
    """
    endpoint = result.request.endpoint
    key, partitions = asset_key(catalog, endpoint.name), partitions_of(endpoint, catalog)
    outcomes: dict[str, dict[str | None, Judgement]] = {}
    for name, partition, judgement in judged(result, catalog):
        outcomes.setdefault(name, {})[partition] = judgement
    for name, of_table in outcomes.items():
        judgement, found = of_table.get(None), {}
        if judgement is None:
            of_partitions = {partition: one for partition, one in of_table.items() if partition is not None}
            check = dg.AssetCheckKey(key, name)
            earlier = earlier_failures(context.instance, check, partitions, of_partitions)
            judgement = summary(of_partitions, earlier)
            found = {partition: one for partition, one in of_partitions.items() if not one.passed}
        if not judgement.passed:
            log = context.log.error if judgement.severity is ERROR else context.log.warning
            log(f"check {name}: {judgement.description}")
        yield _evaluation(key, name, judgement)
        for partition, one in found.items():
            yield _evaluation(key, name, one, partition)


def _evaluation(
    key: dg.AssetKey, name: str, judgement: Judgement, partition: str | None = None
) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=name,
        passed=judgement.passed,
        metadata=_metadata(judgement.metadata),
        severity=judgement.severity,
        description=f"{partition}: {judgement.description}" if partition else judgement.description,
        partition=partition,
    )


def _metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dg.MetadataValue.int(v) if type(v) is int else v for name, v in values.items()}


def check_outputs(endpoint: Endpoint, key: dg.AssetKey) -> Iterator[dg.Output]:
    """What says that the checks of a step are done; their outcomes are events of their own."""
    for spec in check_specs(endpoint, key):
        yield dg.Output(None, output_name=spec.get_python_identifier())
