"""Dagster's definitions of a catalog, made so that they can be merged with anybody's."""

import logging
from typing import Any

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.assets import build_assets
from stac_assets.orchestration.collection_keys import without_partition
from stac_assets.orchestration.executors import executor_named
from stac_assets.orchestration.schedules import build_jobs, build_schedules
from stac_assets.orchestration.sensors.definitions import build_sensors
from stac_assets.settings import Settings, read_settings

logger = logging.getLogger("stac_assets")


def build_definitions(catalog: str | Settings | Catalog | None = None, **settings: Any) -> dg.Definitions:
    """The definitions of what is configured: assets with their checks, jobs, schedules, sensors.

    They have no resources, no loggers and no executor, so that they merge with those of a project that has
    them, and with those of other catalogs. The jobs have the executor of the setting `executor`; what is
    materialized by hand, or by a sensor, uses that of the project.

    Args:
        catalog: without, what is configured for the project. A name begins all names of a catalog, whose
            settings are those of the project and `settings`. `Settings` are accepted as in version 0.1.0,
            and the definitions have the executor then, as they had there.
        settings: settings by name, which come before all that is configured.

    Raises:
        ConfigurationError: a setting does not exist or cannot be used.

    Example:
        >>> import dagster as dg
        >>> from stac_assets.definitions import build_definitions
        >>> defs = dg.Definitions.merge(dg.Definitions(), build_definitions())  # doctest: +SKIP
    """
    if isinstance(catalog, Settings):
        return with_executor(build_definitions(Catalog(catalog)), catalog)
    if not isinstance(catalog, Catalog):
        catalog = Catalog(read_settings(**settings), catalog)
    if told := without_partition(catalog.settings.named_collections):
        logger.warning("%s", told)
    return dg.Definitions(
        assets=build_assets(catalog),
        jobs=build_jobs(catalog),
        schedules=build_schedules(catalog),
        sensors=build_sensors(catalog),
    )


def with_executor(definitions: dg.Definitions, settings: Settings) -> dg.Definitions:
    """The same definitions, whose every run uses the executor of the settings."""
    executor = executor_named(settings.executor)
    return dg.Definitions.merge(definitions, dg.Definitions(executor=executor))
