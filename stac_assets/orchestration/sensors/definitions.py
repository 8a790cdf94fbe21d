"""Sensors: new and changed items, new collections, what was never loaded. All are off until turned on.

Dagster's UI shows the description of a sensor as plain text, so none has Markdown.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.orchestration.collection_keys import known_collections, partitionable
from stac_assets.orchestration.sensors.budget import MAX_REQUESTS, MAX_RUNS
from stac_assets.orchestration.specs import BACKFILL, NEW_COLLECTIONS, NEW_ITEMS, asset_key
from stac_assets.stac.errors import StacError

Now = Callable[[], datetime]
MAX_LINES = 20
"""Lines of a skip reason."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def build_sensors(catalog: Catalog, now: Now = _utc_now) -> list[dg.SensorDefinition]:
    """The sensors of one API.

    Args:
        catalog: what is mirrored.
        now: the time of an evaluation, in UTC. Only which windows have begun depends on it.
    """
    return [_new_items_sensor(catalog, now), _new_collections_sensor(catalog), _backfill_sensor(catalog, now)]


def _new_items_sensor(catalog: Catalog, now: Now) -> dg.SensorDefinition:
    settings = catalog.settings

    def new_items(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from stac_assets.orchestration.sensors.new_items import NewItems

        try:
            collections = known_collections(catalog, context.instance)
        except StacError as error:
            return _skipped(f"which collections there are is not known, as the API failed: {error}", context)
        if not collections:
            advice = f"turn on {catalog.prefixed(NEW_COLLECTIONS)}, or materialize `collections`"
            return _skipped(f"no collection is known yet: {advice}", context)
        tick = NewItems(catalog, context.instance, collections, now()).tick(context.cursor)
        for line in tick.lines:
            context.log.info(line)
        if tick.runs:
            return dg.SensorResult(run_requests=tick.runs, cursor=tick.cursor)
        return dg.SensorResult(skip_reason=_reason(tick.lines), cursor=tick.cursor)

    return dg.SensorDefinition(
        name=catalog.prefixed(NEW_ITEMS),
        evaluation_fn=new_items,
        asset_selection=dg.AssetSelection.assets(
            *(asset_key(catalog, name) for name in settings.item_assets)
        ),
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"""
Finds the partitions that hold new or changed items and loads just those.

The first tick records a baseline and requests nothing: load what is there by a backfill. How changes are
found depends on the API, and each tick says it: by the items' own property "updated" (or "created") where the
API can filter by it, which sees late arrivals for every date; else by the API's counts of the last
{settings.watch_days} days; else by a look at the first items of each of those windows. Where the API counts,
totals of each collection find what comes late or goes, of any date.

Neighbouring dates are one run. A tick sends at most {MAX_REQUESTS} requests and asks for at most {MAX_RUNS}
runs; what is left is done by the next ones. Partitions that a run is loading wait for its end.
""".strip(),
    )


def _new_collections_sensor(catalog: Catalog) -> dg.SensorDefinition:
    settings = catalog.settings
    does = (
        "New ones become partitions, and those that are gone lose theirs; their rows stay in the tables."
        if settings.all_collections
        else "It reports them in its ticks; what is loaded is what the setting collections names."
    )

    def new_collections(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from stac_assets.orchestration.sensors.new_collections import NewCollections

        return NewCollections(catalog, context.instance).tick(context.cursor)

    return dg.SensorDefinition(
        name=catalog.prefixed(NEW_COLLECTIONS),
        evaluation_fn=new_collections,
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"""
Collections that appear in the API's list of collections, or vanish from it. {does}

A failed or empty answer changes nothing, and a collection counts as gone only when its own URL says so too.
""".strip(),
    )


def _backfill_sensor(catalog: Catalog, now: Now) -> dg.SensorDefinition:
    settings = catalog.settings

    def backfill(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from stac_assets.orchestration.sensors.backfill import Backfill

        collections = partitionable(settings.named_collections) or context.instance.get_dynamic_partitions(
            catalog.collection_partitions_name
        )
        if not collections:
            advice = f"turn on {catalog.prefixed(NEW_COLLECTIONS)}, or materialize `collections`"
            return _skipped(f"no collection is known yet: {advice}", context)
        runs, lines = Backfill(catalog, context.instance, collections, now()).tick()
        for line in lines:
            context.log.info(line)
        if runs:
            return dg.SensorResult(run_requests=runs)
        return dg.SensorResult(skip_reason=_reason(lines))

    return dg.SensorDefinition(
        name=catalog.prefixed(BACKFILL),
        evaluation_fn=backfill,
        asset_selection=dg.AssetSelection.assets(
            *(asset_key(catalog, name) for name in settings.item_assets)
        ),
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"""
Loads what was never loaded, the newest first: one run for neighbouring dates of a collection, of at most
{settings.max_partitions_per_run} partitions (setting max_partitions_per_run), and {MAX_RUNS} runs at a time.

It asks neither the API nor the database: what was loaded, is being loaded or failed is known to Dagster. What
failed is not asked for again, but named; materialize it, or start a backfill of it. It waits while a backfill
of these assets is under way.
""".strip(),
    )


def _skipped(reason: str, context: dg.SensorEvaluationContext) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=context.cursor)


def _reason(lines: Sequence[str]) -> str:
    """Why nothing is requested; of many collections only those of which there is something to say."""
    if len(lines) <= MAX_LINES:
        return "\n".join(lines)
    shown = [line for line in lines if not line.endswith("nothing new")]
    return "\n".join([*shown[:MAX_LINES], f"… {len(lines)} lines in all, in the log of this tick"])
