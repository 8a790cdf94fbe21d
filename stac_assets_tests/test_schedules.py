"""Schedules: each tick asks for the right partitions, in UTC, and the runs that it asks for load them."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.definitions import build_definitions
from stac_assets.orchestration.schedules import UNPARTITIONED, closed_windows
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.loads import ids, rows, settings_for
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import RANGE_END, RANGE_START, told


def tick(
    name: str, instance: dg.DagsterInstance, api: StacApi, at: datetime, **settings: Any
) -> tuple[dg.Definitions, Any]:
    """What a schedule asks for at a time."""
    definitions = build_definitions(settings_for(api, **settings))
    with dg.build_schedule_context(
        instance, scheduled_execution_time=at, repository_def=definitions.get_repository_def()
    ) as context:
        return definitions, definitions.resolve_schedule_def(name).evaluate_tick(context)


def run(definitions: dg.Definitions, request: dg.RunRequest, job: str, instance: dg.DagsterInstance) -> Any:
    """What Dagster's daemon does with a request."""
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        run_config=request.run_config,
        tags=dict(request.tags),
        partition_key=request.partition_key,
        asset_selection=request.asset_selection and list(request.asset_selection),
    )


def keys(request: dg.RunRequest) -> tuple[str, str]:
    """First and last partition that a request names."""
    if request.partition_key:
        return request.partition_key, request.partition_key
    return request.tags[RANGE_START], request.tags[RANGE_END]


@pytest.mark.parametrize(
    ("granularity", "now", "rescan_days", "expected"),
    [
        ("daily", "2024-03-01T00:00", 0, ["2024-02-29"]),
        ("daily", "2025-01-01T06:00", 2, ["2024-12-29", "2024-12-30", "2024-12-31"]),
        ("weekly", "2024-01-08T00:00", 0, ["2024-01-01"]),
        ("weekly", "2025-01-05T23:59", 7, ["2024-12-16", "2024-12-23"]),
        ("monthly", "2024-03-31T12:00", 0, ["2024-02-01"]),
        ("monthly", "2024-01-01T00:00", 40, ["2023-10-01", "2023-11-01", "2023-12-01"]),
        ("yearly", "2024-12-31T23:59", 0, ["2023-01-01"]),
        ("yearly", "2025-01-01T00:00", 1, ["2023-01-01", "2024-01-01"]),
        ("daily", "2023-01-03T06:00", 9, ["2023-01-01", "2023-01-02"]),
        ("daily", "2023-01-01T06:00", 9, []),
    ],
)
def test_closed_windows_across_month_and_year_ends(
    project: Path, api: StacApi, granularity: str, now: str, rescan_days: int, expected: list[str]
) -> None:
    settings = settings_for(api, start_date="2023-01-01", granularity=granularity, rescan_days=rescan_days)
    found = closed_windows(settings, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == [date.fromisoformat(day) for day in expected]


def test_closed_windows_count_in_utc_and_end_with_the_range(project: Path, api: StacApi) -> None:
    settings = settings_for(api, start_date="2024-01-01", rescan_days=0)
    midnight_there = datetime(2024, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))  # 22:30 in UTC
    assert closed_windows(settings, midnight_there) == [date(2024, 2, 28)]
    settings = settings_for(api, start_date="2024-01-01", end_date="2024-01-05", rescan_days=1)
    assert closed_windows(settings, midnight_there) == [date(2024, 1, 4), date(2024, 1, 5)]


def test_items_schedule_loads_the_latest_closed_days_of_every_collection(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    for collection in ("c1", "c2"):
        for day in ("2023-12-30", "2023-12-31", "2024-01-01"):
            api.put(make_item(f"{collection}-{day}", collection, f"{day}T10:00:00Z"))
    at = datetime(2024, 1, 1, 6, tzinfo=UTC)
    definitions, found = tick(
        *("items_schedule", instance, api, at),
        **{"collections": ["c1", "c2"], "start_date": "2023-01-01", "rescan_days": 1},
    )
    (request,) = found.run_requests
    assert keys(request) == ("c1|2023-12-30", "c2|2023-12-31")
    result = run(definitions, request, "items_job", instance)
    assert result.success
    assert sorted(key or "" for key in told(result)) == [
        f"{collection}|2023-12-{day}" for collection in ("c1", "c2") for day in (30, 31)
    ]
    assert ids() == ["c1-2023-12-30", "c1-2023-12-31", "c2-2023-12-30", "c2-2023-12-31"]


def test_items_schedule_asks_for_one_partition_as_such(instance: dg.DagsterInstance, api: StacApi) -> None:
    at = datetime(2024, 1, 2, 6, tzinfo=UTC)
    _, found = tick("items_schedule", instance, api, at, rescan_days=0)
    (request,) = found.run_requests
    assert request.partition_key == "c1|2024-01-01"


def test_items_schedule_keeps_to_max_partitions_per_run(instance: dg.DagsterInstance, api: StacApi) -> None:
    settings: Any = {
        "collections": [f"c{n}" for n in range(5)],
        "rescan_days": 1,
        "max_partitions_per_run": 4,
    }
    _, found = tick("items_schedule", instance, api, datetime(2024, 2, 1, tzinfo=UTC), **settings)
    assert [keys(request) for request in found.run_requests] == [
        ("c0|2024-01-30", "c1|2024-01-31"),
        ("c2|2024-01-30", "c3|2024-01-31"),
        ("c4|2024-01-30", "c4|2024-01-31"),
    ]


def test_items_schedule_says_why_it_asks_for_nothing(instance: dg.DagsterInstance, api: StacApi) -> None:
    at = datetime(2024, 1, 1, 6, tzinfo=UTC)
    _, found = tick("items_schedule", instance, api, at)
    assert found.skip_message == "no partition is closed yet"
    _, found = tick("items_schedule", instance, api, at, collections="*")
    assert found.skip_message and "materialize `collections` first" in found.skip_message


def test_items_schedule_follows_the_collections_that_are_known(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    instance.add_dynamic_partitions(f"collections of {api.url}", ["b", "a"])
    _, found = tick(
        *("items_schedule", instance, api, datetime(2024, 1, 2, tzinfo=UTC)), collections="*", rescan_days=0
    )
    (request,) = found.run_requests
    assert keys(request) == ("b|2024-01-01", "a|2024-01-01")


def test_catalog_schedule_loads_the_unpartitioned_assets_and_each_collection(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    api.put(make_item("a", "c1"))
    api.put(make_item("b", "c2"))
    at = datetime(2024, 1, 1, 5, tzinfo=UTC)
    definitions, found = tick("catalog_schedule", instance, api, at, collections=["c1", "c2"])
    tables, documents = found.run_requests
    assert {key.to_user_string() for key in tables.asset_selection or ()} == set(UNPARTITIONED)
    for request in (tables, documents):
        assert run(definitions, request, "catalog_job", instance).success
    assert all(rows(name) for name in UNPARTITIONED)
    assert [row["id"] for row in rows("collection")] == ["c1", "c2"]


def test_both_are_off_and_cron_is_a_setting(project: Path, api: StacApi) -> None:
    definitions = build_definitions(settings_for(api, items_cron="*/5 * * * *"))
    schedules = {
        name: definitions.resolve_schedule_def(name) for name in ("items_schedule", "catalog_schedule")
    }
    assert schedules["items_schedule"].cron_schedule == "*/5 * * * *"
    assert {s.default_status for s in schedules.values()} == {dg.DefaultScheduleStatus.STOPPED}
    assert {s.execution_timezone for s in schedules.values()} == {"UTC"}
    with pytest.raises(ConfigurationError, match="catalog_cron is 'daily please'"):
        build_definitions(settings_for(api, catalog_cron="daily please"))
