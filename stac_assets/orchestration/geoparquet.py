"""The asset `stac_geoparquet`: partitions of `search` as files, where the setting `geoparquet_url` is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.loading import Report, run_name
from stac_assets.orchestration.partitions import item_partitions, known_ranges, windows_of
from stac_assets.orchestration.specs import asset_key
from stac_assets.stac.endpoints import SEARCH
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import Window

if TYPE_CHECKING:  # what exports is imported by a run, not with the definitions
    from stac_assets.export.result import Exported

NAME = "stac_geoparquet"
_DESCRIPTION = """
Items of `search` as stac-geoparquet 1.1, a file for each partition, which GeoPandas, DuckDB, QGIS and rustac
read. The table stays the exact one: docs/geoparquet.md says what the format cannot hold.
""".strip()


def build_geoparquet(catalog: Catalog) -> list[dg.AssetsDefinition]:
    """The asset, where there is one; it has the partitions of `search`."""
    if catalog.settings.geoparquet_url is None:
        return []
    key = dg.AssetKey(catalog.usual_path(NAME))
    spec = dg.AssetSpec(
        key,
        deps=[asset_key(catalog, SEARCH.name)],
        description=_DESCRIPTION,
        group_name=catalog.group,
        kinds={"parquet", "geoparquet"},
        partitions_def=item_partitions(catalog),
        automation_condition=dg.AutomationCondition.any_deps_updated(),
        metadata={"files": dg.MetadataValue.path(catalog.settings.geoparquet_url)},
    )

    @dg.multi_asset(
        name=catalog.prefixed(NAME),
        specs=[spec],
        backfill_policy=dg.BackfillPolicy.multi_run(catalog.settings.max_partitions_per_run),
    )
    def export(context: dg.AssetExecutionContext) -> Iterator[Report]:
        yield from _export(context, catalog, key)

    return [export]


def _export(context: dg.AssetExecutionContext, catalog: Catalog, key: dg.AssetKey) -> Iterator[Report]:
    from stac_assets.export.exporting import export_collection
    from stac_assets.export.folder import SUFFIX

    if str(catalog.settings.geoparquet_url).endswith(SUFFIX):
        raise ConfigurationError(
            f"geoparquet_url is {catalog.settings.geoparquet_url!r}; expected a folder or a bucket, because "
            "a run writes the files of its partitions"
        )
    windows = windows_of(tuple(map(str, context.partition_keys)), catalog.settings)
    if not windows:
        raise ConfigurationError("the run names no partition that exists")
    by_collection: dict[str, list[Window]] = {}
    for window in windows:
        by_collection.setdefault(window.collection, []).append(window)
    for collection, own in by_collection.items():
        exported = export_collection(
            catalog,
            collection,
            str(catalog.settings.geoparquet_url),
            own,
            rewrites=False,
            doing=run_name(context),
            tell=context.log.info,
        )
        if exported.outdated:
            context.log.warning(
                f"{len(exported.outdated)} older files of {collection} lack columns of these; "
                "`stac-assets export` writes them again"
            )
        with known_ranges():
            for window in own:
                metadata = _metadata(exported, window)
                context.add_asset_metadata(metadata, asset_key=key, partition_key=window.key)
    yield dg.MaterializeResult(asset_key=key)


def _metadata(exported: "Exported", window: Window) -> dict[str, Any]:
    """What is true of the file of a partition, and of the schema that it has in common with others."""
    found: dict[str, Any] = {"dagster/partition_row_count": exported.rows.get(window, 0)}
    if window not in exported.files:
        return found
    found["file"] = dg.MetadataValue.path(exported.files[window])
    found |= exported.notes(window)
    found["has_collection"] = exported.has_collection
    found["outdated_files"] = len(exported.outdated)
    if exported.outdated:
        found["outdated_files_named"] = dg.MetadataValue.json(exported.outdated)
    return found
