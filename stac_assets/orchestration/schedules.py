"""Jobs over the assets, and the schedules that run them, which are off until somebody turns them on."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.collection_keys import known_collections
from stac_assets.orchestration.executors import executor_named
from stac_assets.orchestration.partitions import range_request
from stac_assets.orchestration.specs import asset_key
from stac_assets.settings import Settings
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import ConfigurationError, StacError
from stac_assets.stac.windows import ONE_DAY, partition_key
from stac_assets.stac.wording import counted

ITEMS_JOB, CATALOG_JOB = "items_job", "catalog_job"
UNPARTITIONED = tuple(name for name, endpoint in ENDPOINTS.items() if not endpoint.is_partitioned)
BY_COLLECTION = tuple(
    name for name, endpoint in ENDPOINTS.items() if endpoint.is_partitioned and not endpoint.has_items
)


def build_jobs(catalog: Catalog) -> list[Any]:
    """`items_job` over the configured item assets, `catalog_job` over everything that has no items.

    Raises:
        ConfigurationError: the setting `executor` names none.
    """
    items = catalog.settings.item_assets
    executor = executor_named(catalog.settings.executor)
    return [
        dg.define_asset_job(
            catalog.prefixed(ITEMS_JOB),
            _selection(catalog, items),
            description=f"Loads partitions of {', '.join(items)} (setting `item_assets`).",
            executor_def=executor,
        ),
        dg.define_asset_job(
            catalog.prefixed(CATALOG_JOB),
            _selection(catalog, (*UNPARTITIONED, *BY_COLLECTION)),
            description="Loads what describes the API: landing page, conformance, queryables, collections.",
            executor_def=executor,
        ),
    ]


def _selection(catalog: Catalog, endpoints: Sequence[str]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(asset_key(catalog, name) for name in endpoints))


def build_schedules(catalog: Catalog) -> list[dg.ScheduleDefinition]:
    """`items_schedule` and `catalog_schedule`.

    Raises:
        ConfigurationError: a cron expression cannot be read.
    """
    return [_items_schedule(catalog), _catalog_schedule(catalog)]


def _items_schedule(catalog: Catalog) -> dg.ScheduleDefinition:
    settings = catalog.settings
    before = f" and the {counted(settings.rescan_days, 'day')} before it" if settings.rescan_days else ""

    def items_schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        starts = closed_windows(settings, context.scheduled_execution_time)
        try:
            collections = known_collections(catalog, context.instance)
        except StacError as error:
            yield dg.SkipReason(f"which collections there are is not known, as the API failed: {error}")
            return
        if not collections:
            yield dg.SkipReason("no collection is known yet; materialize `collections` first")
        elif not starts:
            yield dg.SkipReason("no partition is closed yet")
        for some in _portions(collections, len(starts), settings.max_partitions_per_run):
            keys = [partition_key(collection, start) for collection in some for start in starts]
            yield dg.RunRequest(
                run_key=f"{keys[0]}..{keys[-1]}@{_minute(context)}", **range_request(keys[0], keys[-1])
            )

    return _schedule(
        catalog,
        "items_cron",
        name="items_schedule",
        job_name=ITEMS_JOB,
        execution_fn=items_schedule,
        description=f"Loads the latest closed {settings.granularity} partition of each collection{before}, "
        "so that stragglers and deletions are caught.",
    )


def _catalog_schedule(catalog: Catalog) -> dg.ScheduleDefinition:
    def catalog_schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        yield dg.RunRequest(
            run_key=f"catalog@{_minute(context)}",
            asset_selection=[asset_key(catalog, name) for name in UNPARTITIONED],
        )
        try:
            collections = known_collections(catalog, context.instance)
        except StacError as error:  # the run that is requested already tells of it too
            context.log.warning(f"which collections there are is not known, as the API failed: {error}")
            return
        for some in _portions(collections, 1, catalog.settings.max_partitions_per_run):
            yield dg.RunRequest(
                run_key=f"{some[0]}..{some[-1]}@{_minute(context)}",
                asset_selection=[asset_key(catalog, name) for name in BY_COLLECTION],
                **range_request(some[0], some[-1]),
            )

    return _schedule(
        catalog,
        "catalog_cron",
        name="catalog_schedule",
        job_name=CATALOG_JOB,
        execution_fn=catalog_schedule,
        description="Loads what describes the API, and the document of every collection.",
    )


def _schedule(
    catalog: Catalog, cron_setting: str, *, name: str, job_name: str, **arguments: Any
) -> dg.ScheduleDefinition:
    """A schedule in UTC by the cron expression of a setting."""
    expression = getattr(catalog.settings, cron_setting)
    try:
        return dg.ScheduleDefinition(
            name=catalog.prefixed(name),
            job_name=catalog.prefixed(job_name),
            cron_schedule=expression,
            execution_timezone="UTC",
            **arguments,
        )
    except dg.DagsterInvalidDefinitionError:
        raise ConfigurationError(
            f"{cron_setting} is {expression!r}; expected a cron expression such as '0 6 * * *'"
        ) from None


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
