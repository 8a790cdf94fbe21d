"""Dagster's definitions of catalogs, made so that they can be merged with anybody's."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from stac_assets.catalog import Catalog, read_catalog, read_catalogs
from stac_assets.orchestration.assets import Execute, build_assets
from stac_assets.orchestration.collection_keys import partitionable, without_partition
from stac_assets.orchestration.executors import executor_named
from stac_assets.orchestration.schedules import build_jobs, build_schedules
from stac_assets.orchestration.sensors.definitions import build_sensors
from stac_assets.orchestration.specs import SpecOf, spec_of
from stac_assets.settings import Settings
from stac_assets.settings.layers import common_value
from stac_assets.settings.partition_count import told_of_many

logger = logging.getLogger("stac_assets")


def build_definitions(catalog: str | Settings | Catalog | None = None, **settings: Any) -> dg.Definitions:
    """The definitions of what is configured: assets with their checks, jobs, schedules, sensors.

    They have no resources, no loggers and no executor, so that they merge with those of a project that has
    them, and with those of other catalogs. The jobs have the executor of the setting `executor`; what is
    materialized by hand, or by a sensor, uses that of the project.

    Args:
        catalog: without, all catalogs that are configured. A name begins all names of a catalog; it is
            configured, or its `base_url` or `preset` is among `settings`. `Settings` are accepted as in
            version 0.1.0, and the definitions have the executor then, as they had there.
        settings: settings by name, which come before all that is configured.

    Raises:
        ConfigurationError: a setting does not exist or cannot be used, or there is no such catalog.

    Example:
        >>> import dagster as dg
        >>> from stac_assets.definitions import build_definitions
        >>> defs = dg.Definitions.merge(dg.Definitions(), build_definitions())  # doctest: +SKIP
    """
    if isinstance(catalog, Settings):
        only = Catalog(catalog)
        return with_executor(definitions_with(only), [only])
    if isinstance(catalog, Catalog):
        return definitions_with(catalog)
    if catalog is not None:
        return definitions_with(read_catalog(catalog, **settings))
    return definitions_of(read_catalogs(**settings))


def definitions_of(catalogs: Iterable[Catalog]) -> dg.Definitions:
    """The definitions of several catalogs, of which no two have a name in common."""
    built = [definitions_with(catalog) for catalog in catalogs]
    return built[0] if len(built) == 1 else dg.Definitions.merge(*built)


def definitions_with(
    catalog: Catalog, make: SpecOf = spec_of, execute: Execute | None = None
) -> dg.Definitions:
    """The definitions of one catalog.

    Args:
        catalog: what is mirrored.
        make: makes the spec of each asset.
        execute: loads; by default `materialize` from the catalog.
    """
    if told := without_partition(catalog.settings.named_collections):
        logger.warning("%s", told)
    # of "*" only a run, a sensor or `check` knows how many there are: definitions ask nobody
    if told := told_of_many(catalog.settings, len(partitionable(catalog.settings.named_collections))):
        logger.warning("%s%s", f"catalog {catalog.name}: " if catalog.name else "", told)
    return dg.Definitions(
        assets=build_assets(catalog, make, execute),
        jobs=build_jobs(catalog),
        schedules=build_schedules(catalog),
        sensors=build_sensors(catalog),
    )


def with_executor(definitions: dg.Definitions, catalogs: Sequence[Catalog]) -> dg.Definitions:
    """The same definitions, whose every run uses the executor of the settings.

    What is materialized by hand has one executor for all catalogs. Where theirs differ, it is the one that
    catalogs have in common; their jobs keep their own.
    """
    names = {catalog.settings.executor for catalog in catalogs}
    name = names.pop() if len(names) == 1 else common_value("executor")
    return dg.Definitions.merge(definitions, dg.Definitions(executor=executor_named(name)))
