"""Sensors: new and changed items, and collections that come and go. Both are off until they are turned on."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import dagster as dg

from stac_assets.orchestration.partitions import known_collections
from stac_assets.orchestration.sensors.budget import MAX_REQUESTS, MAX_RUNS, SENSOR
from stac_assets.orchestration.sensors.new_collections import NewCollections
from stac_assets.settings import Settings

Now = Callable[[], datetime]
MAX_LINES = 20
"""Lines of a skip reason."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def build_sensors(settings: Settings, now: Now = _utc_now) -> list[dg.SensorDefinition]:
    """The sensors of one API.

    Args:
        settings: what is mirrored.
        now: the time of an evaluation, in UTC. Only which windows are the last ones depends on it.
    """
    return [_new_items_sensor(settings, now), _new_collections_sensor(settings)]


def _new_items_sensor(settings: Settings, now: Now) -> dg.SensorDefinition:
    @dg.sensor(
        name=SENSOR,
        asset_selection=dg.AssetSelection.assets(*settings.item_assets),
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"""
Finds the partitions that hold new or changed items and loads just those.

The first tick records a baseline and requests nothing: load what is there by a backfill. How changes are
found depends on the API, and each tick says it: by the items' own `updated` (or `created`) where the API can
filter by it, which sees late arrivals for every date; else by the API's counts of the last
{settings.watch_days} days; else by a look at the first items of each of those windows. Deletions are seen by
counts, and by the schedule's `rescan_days`.

Neighbouring dates are one run. A tick sends at most {MAX_REQUESTS} requests and asks for at most {MAX_RUNS}
runs; what is left is done by the next ones. Partitions that a run is loading wait for its end.
""".strip(),
    )
    def new_items(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from stac_assets.orchestration.sensors.new_items import NewItems

        collections = known_collections(settings, context.instance)
        if not collections:
            return dg.SensorResult(
                skip_reason="no collection is known yet: turn on new_collections_sensor, or materialize "
                "`collections`"
            )
        tick = NewItems(settings, context.instance, collections, now()).tick(context.cursor)
        for line in tick.told:
            context.log.info(line)
        if tick.runs:
            return dg.SensorResult(run_requests=tick.runs, cursor=tick.cursor)
        return dg.SensorResult(skip_reason=_reason(tick.told), cursor=tick.cursor)

    return new_items


def _new_collections_sensor(settings: Settings) -> dg.SensorDefinition:
    does = (
        "New ones become partitions, and those that are gone lose theirs; their rows stay in the tables."
        if settings.all_collections
        else "It reports them in its ticks; what is loaded is what the setting `collections` names."
    )

    @dg.sensor(
        name="new_collections_sensor",
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"""
Collections that appear or vanish in `/collections`. {does}

A failed or empty answer changes nothing, and a collection counts as gone only when its own URL says so too.
""".strip(),
    )
    def new_collections(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return NewCollections(settings, context.instance).tick(context.cursor)

    return new_collections


def _reason(told: Sequence[str]) -> str:
    """Why nothing is requested; of many collections only those of which there is something to say."""
    if len(told) <= MAX_LINES:
        return "\n".join(told)
    lines = [line for line in told if not line.endswith("nothing new")]
    return "\n".join([*lines[:MAX_LINES], f"… {len(told)} lines in all, in the log of this tick"])
