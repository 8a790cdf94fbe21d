"""Jobs over the assets, and the schedules that run them, which are off until somebody turns them on."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._utils.schedules import is_valid_cron_schedule

from stac_assets.orchestration.partitions import known_collections, range_request
from stac_assets.settings import Settings
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import ONE_DAY, partition_key
from stac_assets.stac.wording import counted

ITEMS_JOB, CATALOG_JOB = "items_job", "catalog_job"
UNPARTITIONED = tuple(name for name in ENDPOINTS if name not in (*ITEM_TABLES, "collection"))


def build_jobs(settings: Settings) -> list[Any]:
    """`items_job` over the configured item assets, `catalog_job` over everything else."""
    return [
        dg.define_asset_job(
            ITEMS_JOB,
            dg.AssetSelection.assets(*settings.item_assets),
            description="Loads partitions of "
            + ", ".join(settings.item_assets)
            + " (setting `item_assets`).",
        ),
        dg.define_asset_job(
            CATALOG_JOB,
            dg.AssetSelection.assets(*UNPARTITIONED, "collection"),
            description="Loads what describes the API: landing page, conformance, queryables, collections.",
        ),
    ]


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`items_schedule` and `catalog_schedule`.

    Raises:
        ConfigurationError: a cron expression cannot be read.
    """
    for name in ("items_cron", "catalog_cron"):
        expression = getattr(settings, name)
        if not is_valid_cron_schedule(expression):
            raise ConfigurationError(
                f"{name} is {expression!r}; expected a cron expression such as '0 6 * * *'"
            )
    trailing = f" and the {counted(settings.rescan_days, 'day')} before it" if settings.rescan_days else ""

    @dg.schedule(
        job_name=ITEMS_JOB,
        name="items_schedule",
        cron_schedule=settings.items_cron,
        execution_timezone="UTC",
        description=f"Loads the latest closed {settings.granularity} partition of each collection{trailing}, "
        "so that stragglers and deletions are caught.",
    )
    def items_schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        collections = known_collections(settings, context.instance)
        starts = closed_windows(settings, context.scheduled_execution_time)
        if not collections:
            yield dg.SkipReason("no collection is known yet; materialize `collections` first")
        elif not starts:
            yield dg.SkipReason("no partition is closed yet")
        for some in _portions(collections, len(starts), settings.max_partitions_per_run):
            keys = [partition_key(collection, start) for collection in some for start in starts]
            yield dg.RunRequest(
                run_key=f"{keys[0]}..{keys[-1]}@{_minute(context)}", **range_request(keys[0], keys[-1])
            )

    @dg.schedule(
        job_name=CATALOG_JOB,
        name="catalog_schedule",
        cron_schedule=settings.catalog_cron,
        execution_timezone="UTC",
        description="Loads what describes the API, and the document of every collection.",
    )
    def catalog_schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        assets = [dg.AssetKey(name) for name in UNPARTITIONED]
        yield dg.RunRequest(run_key=f"catalog@{_minute(context)}", asset_selection=assets)
        collections = known_collections(settings, context.instance)
        for some in _portions(collections, 1, settings.max_partitions_per_run):
            yield dg.RunRequest(
                run_key=f"{some[0]}..{some[-1]}@{_minute(context)}",
                asset_selection=[dg.AssetKey("collection")],
                **range_request(some[0], some[-1]),
            )

    return [items_schedule, catalog_schedule]


def closed_windows(settings: Settings, now: datetime) -> list[date]:
    """First days of the latest window that has ended and of those that hold the `rescan_days` before it.

    Windows outside the configured range of dates are left out. Days are UTC.
    """
    granularity = settings.granularity
    today = now.astimezone(UTC).date()
    latest = granularity.floor(granularity.floor(today) - ONE_DAY)
    if settings.end_date is not None:
        latest = min(latest, granularity.floor(settings.end_date))
    first = max(settings.start_date, latest - timedelta(days=settings.rescan_days))
    return list(granularity.starts(first, latest))


def _portions(collections: Sequence[str], dates: int, most: int) -> Iterator[Sequence[str]]:
    """Neighbouring collections, as many at a time as make `most` partitions or fewer (one at least)."""
    step = max(1, most // dates) if dates else 0
    for first in range(0, len(collections) if dates else 0, step or 1):
        yield collections[first : first + step]


def _minute(context: dg.ScheduleEvaluationContext) -> str:
    return f"{context.scheduled_execution_time.astimezone(UTC):%Y-%m-%dT%H:%M}"
