"""The dates that are partitions: those of the settings, to an end that may be years from now."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from stac_assets.catalog import Catalog
from stac_assets.orchestration.partitions import LONG_AGO, date_partitions, item_partitions, known_ranges
from stac_assets.settings import Settings
from stac_assets.stac.windows import Granularity
from stac_assets_tests.loads import settings_for
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import Runs, told

TODAY = datetime.now(UTC).date()
NEXT_YEAR, LATER = TODAY + timedelta(days=370), TODAY + timedelta(days=1200)


@pytest.mark.parametrize("granularity", list(Granularity))
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(1999, 12, 30), date(2000, 1, 3)),
        (date(2024, 1, 3), TODAY),
        (TODAY, TODAY + timedelta(days=1)),
        (date(2025, 12, 31), NEXT_YEAR),
        (NEXT_YEAR, LATER),
    ],
)
def test_the_dates_reach_the_end_date(granularity: Granularity, start: date, end: date) -> None:
    settings = Settings(granularity=granularity, start_date=start, end_date=end, collections=("c1",))
    expected = [window.start.isoformat() for window in settings.windows("c1")]
    found = date_partitions(settings)
    assert list(found.get_partition_keys()) == expected
    assert found.get_last_partition_key() == expected[-1] and found.has_partition_key(expected[-1])
    following = granularity.next(date.fromisoformat(expected[-1])).isoformat()
    assert not found.has_partition_key(following)


def test_they_reach_from_the_first_satellites_to_the_last_forecast() -> None:
    settings = Settings(
        granularity=Granularity.YEARLY, start_date=date(1940, 1, 1), end_date=date(2100, 12, 31)
    )
    keys = date_partitions(settings).get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("1940-01-01", "2100-01-01", 161)


def test_the_definition_is_the_same_tomorrow() -> None:
    """A backfill that is under way ends when Dagster finds other partitions than it began with."""
    settings = Settings(collections=("c1",), end_date=LATER)
    first = item_partitions(Catalog(settings))
    assert LONG_AGO < TODAY
    for days in (1, 500):
        with dg.partition_loading_context(effective_dt=datetime.now(UTC) + timedelta(days=days)):
            assert item_partitions(Catalog(settings)) == first


def test_a_forecast_is_loaded(instance: dg.DagsterInstance, api: StacApi) -> None:
    days: dict[str, Any] = {"start_date": NEXT_YEAR, "end_date": NEXT_YEAR + timedelta(days=2)}
    api.put(make_item("forecast", datetime=f"{NEXT_YEAR + timedelta(days=1)}T10:00:00Z"))
    first, last = (f"c1|{day}" for day in days.values())
    found = told(Runs(api, instance, **days)("search", first, last))
    assert [metadata["items"] for _, metadata in sorted(found.items(), key=lambda one: str(one[0]))] == [
        0,
        1,
        0,
    ]
    assert settings_for(api, **days).windows("c1")[-1].key == last


def test_dagster_is_asked_as_often_whatever_the_number_of_partitions(
    instance: dg.DagsterInstance, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(make_item("a", datetime="2024-01-01T10:00:00Z"))
    runs = Runs(api, instance, collections="*", end_date=date(2024, 3, 31))
    runs("collections")
    asked: list[str] = []
    for name in ("get_dynamic_partitions", "has_dynamic_partition"):
        original = getattr(dg.DagsterInstance, name)

        def noted(*args: Any, original: Any = original, **kwargs: Any) -> Any:
            asked.append(original.__name__)
            return original(*args, **kwargs)

        monkeypatch.setattr(dg.DagsterInstance, name, noted)
    times: list[int] = []
    for last in ("c1|2024-01-02", "c1|2024-03-01"):
        asked.clear()
        assert len(told(runs("search", "c1|2024-01-01", last))) in {2, 61}
        times.append(len(asked))
    assert times[0] == times[1] > 0


def test_keys_are_known_until_the_end_of_a_report(instance: dg.DagsterInstance) -> None:
    catalog = Catalog(Settings(collections="*", end_date=date(2024, 1, 1)))
    keys, name = item_partitions(catalog), catalog.collection_partitions_name
    whole = dg.PartitionKeyRange("a|2024-01-01", "c|2024-01-01")
    instance.add_dynamic_partitions(name, ["a", "c"])

    def found() -> list[str]:
        with dg.partition_loading_context(dynamic_partitions_store=instance):
            return [str(key) for key in keys.get_partition_keys_in_range(whole)]

    with known_ranges():
        before = found()
        instance.delete_dynamic_partition(name, "c")
        instance.add_dynamic_partitions(name, ["b", "c"])
        assert found() == before == ["a|2024-01-01", "c|2024-01-01"]
    assert found() == ["a|2024-01-01", "b|2024-01-01", "c|2024-01-01"]
