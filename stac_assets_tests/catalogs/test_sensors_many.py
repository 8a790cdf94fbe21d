"""A sensor over the 140 collections of an API: it keeps its budgets, leaves none out, and tells its pace."""

import re
from typing import Any

import dagster as dg
import pytest

from stac_assets.orchestration.sensors.budget import MAX_REQUESTS, MAX_RUNS
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.test_sensors import Sensors, put

NAMES = [f"c{number:03}" for number in range(140)]
STRATEGIES = {"updated": ("filter", "sortby"), "counts": ()}


class Ticks(Sensors):
    """Ticks over all collections, each of which has kept to what it may send and request."""

    def __init__(self, api: StacApi, instance: dg.DagsterInstance, seconds: int = 60) -> None:
        self.api = api
        super().__init__(
            api, instance, collections=NAMES, sensor_seconds=seconds, granularity="monthly", watch_days=20
        )

    def kept(self) -> Any:
        """One tick."""
        self.api.reset()
        found = self.tick()
        assert len(self.api.requests) <= MAX_REQUESTS
        assert len(found.run_requests or []) <= MAX_RUNS
        return found

    def round(self) -> list[Any]:
        """The ticks until each of the collections was asked for."""
        found, left = list[Any](), set(NAMES)
        while left:
            found.append(self.kept())
            asked = {name for request in self.api.requests for name in _collections(request)}
            assert asked & left, "the tick asked for none that was not asked for yet"
            left -= asked
        return found


def _collections(request: Request) -> list[str]:
    return (request.body or {}).get("collections", [])


@pytest.fixture(params=STRATEGIES)
def watched(request: pytest.FixtureRequest, api: StacApi, instance: dg.DagsterInstance) -> Ticks:
    """A sensor that has its baseline of every collection."""
    api.extensions = STRATEGIES[request.param]
    for name in NAMES:
        put(api, "there", "2024-06-01", "2024-06-01T12:00:00Z", collection=name)
    ticks = Ticks(api, instance)
    ticks.round()
    while "baseline" in str(ticks.kept().skip_message):
        pass
    ticks.round()
    return ticks


def test_a_tick_says_how_long_a_full_round_takes(watched: Ticks) -> None:
    ticks = watched.round()
    said = re.search(r"takes about (\d+) minutes: (\d+) ticks", str(ticks[0].skip_message))
    assert said, ticks[0].skip_message
    assert int(said[1]) == int(said[2]) == len(ticks) > 2


def test_each_change_is_requested_once_within_the_budgets(watched: Ticks) -> None:
    for name in NAMES:
        put(watched.api, "new", "2024-06-10", collection=name)
    requested = list[str]()
    for _ in range(3):
        for tick in watched.round():
            requested += [key for run in tick.run_requests or [] for key in watched.keys(run)]
    assert sorted(requested) == [f"{name}|2024-06-01" for name in NAMES]


def test_where_a_tick_is_a_round_it_says_so(api: StacApi, instance: dg.DagsterInstance) -> None:
    put(api, "there", "2024-06-01", collection="c1")
    put(api, "there", "2024-06-01", collection="c2")
    sensors = Sensors(api, instance, collections=["c1", "c2"], sensor_seconds=7200)
    told = str(sensors.tick().skip_message)
    assert told.startswith("a full round over 2 collections was this tick")
    assert "each tick is one, every 2 hours" in told
    sensors.configure(api, collections=["c1"])
    assert "full round" not in str(sensors.tick().skip_message)


def test_an_api_that_failed_tells_no_pace(api: StacApi, instance: dg.DagsterInstance) -> None:
    put(api, "there", "2024-06-01", collection="c000")
    sensor = Ticks(api, instance)
    api.fault("/", times=None, drop=True)
    told = str(sensor.tick().skip_message)
    assert "the API failed" in told and "full round" not in told
