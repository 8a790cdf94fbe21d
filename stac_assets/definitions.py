"""What Dagster loads: `dagster dev` in a project folder finds everything here."""

import sys

import dagster as dg

from stac_assets.orchestration.assets import build_assets
from stac_assets.orchestration.executors import executor_named
from stac_assets.orchestration.loading import StacLoader
from stac_assets.orchestration.schedules import build_jobs, build_schedules
from stac_assets.orchestration.sensors.definitions import build_sensors
from stac_assets.pipeline.target import target_of
from stac_assets.settings import Settings, read_settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """The definitions for one API: the nine assets, what runs them, and the resource that loads them."""
    return dg.Definitions(
        assets=build_assets(settings),
        jobs=build_jobs(settings),
        schedules=build_schedules(settings),
        sensors=build_sensors(settings),
        resources={"dlt": StacLoader()},
        executor=executor_named(settings.executor),
    )


settings = read_settings()
print(f"stac_assets: {settings.base_url} → {target_of(settings).describe()}", file=sys.stderr)
defs = build_definitions(settings)
