"""The table of what a sensor sees: each cell is tried on an API that adds, changes and deletes items."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from stac_assets_tests import test_sensors
from stac_assets_tests.pages import table
from stac_assets_tests.stac_api import StacApi, make_item

STRATEGIES: dict[str, dict[str, Any]] = {
    "sensor, strategy `updated`": {"extensions": ("filter", "sortby")},
    "sensor, strategy `updated` by `created`": {"extensions": ("filter", "sortby")},
    "sensor, strategy `counts`": {"extensions": ()},
    "sensor, strategy `probe`": {"extensions": (), "number_matched": None},
}
"""What the API has where the sensor takes that strategy."""
RECENT, OLD, COMING = "2024-06-12", "2024-03-01", "2024-06-20"
"""Days for a sensor whose today is 2024-06-15, and whose `watch_days` are 10."""
BEFORE, NOW = "2024-06-13T07:00:00Z", "2024-06-15T07:00:00Z"
ALL = "all from `start_date` to `end_date`; without one, those to come once they begin"
SEEN: dict[str, set[str]] = {
    ALL: {RECENT, OLD},
    "the windows of the last `watch_days` days": {RECENT},
    "the windows of the last `watch_days` days; by totals, all before them": {RECENT, OLD},
}
"""Of these days, those that each of the table's words for dates means."""
ROWS = {row["what looks"]: row for row in table("docs/dagster.md", "what looks")}
FIRST = "the first 25 items of a window"


class Watched:
    """An API with an item on each of the days, which a sensor has seen.

    Args:
        name: of the strategy in the table.
        api: what is watched.
        instance: of Dagster.
    """

    def __init__(self, name: str, api: StacApi, instance: dg.DagsterInstance) -> None:
        self._stamp = "created" if "created" in name else "updated"
        self._api = api
        for option, value in STRATEGIES[name].items():
            setattr(api, option, value)
        for day in (RECENT, OLD, COMING):
            self.add("there", day, BEFORE)
            self.add("other", day, BEFORE)
        self._sensors = test_sensors.Sensors(api, instance)

    def add(self, name: str, day: str, stamp: str = NOW) -> None:
        """Add an item, or change it; `stamp` is its `updated`, or its `created` where it has only that."""
        properties: dict[str, Any] = {self._stamp: stamp, "changed": stamp == NOW}
        self._api.put(make_item(f"{name}-{day}", "c1", f"{day}T10:00:00Z", **properties))

    def additions(self, day: str) -> None:
        self.add("new", day)

    def changes(self, day: str) -> None:
        stamp = BEFORE if self._stamp == "created" else NOW
        self._api.put(
            make_item(
                f"there-{day}", "c1", f"{day}T10:00:00Z", **dict[str, Any]({self._stamp: stamp}), changed=True
            )
        )

    def deletions(self, day: str) -> None:
        self._api.remove("c1", f"there-{day}")

    def seen(self) -> set[str]:
        """The days of the partitions that the next tick requests."""
        return {key.rpartition("|")[2] for key in self._sensors.requested()}


@pytest.mark.parametrize("event", ["additions", "changes", "deletions"])
@pytest.mark.parametrize("name", STRATEGIES)
def test_what_a_strategy_sees(
    name: str, event: str, api: StacApi, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROWS[name]
    cell = row["changes in place" if event == "changes" else event]
    watched = Watched(name, api, instance)
    assert watched.seen() == set(), "a baseline requests nothing"
    for day in (RECENT, OLD, COMING):
        getattr(watched, event)(day)
    seen, expected = watched.seen(), set() if cell == "no" else SEEN[row["of which dates"]]
    if "totals" in cell or (cell == "yes" and "totals" in row["of which dates"]):
        assert expected <= seen  # and the windows beside
        return
    assert seen == expected
    if row["of which dates"] == ALL:
        monkeypatch.setattr(test_sensors, "NOW", datetime(2024, 6, 20, 12, tzinfo=UTC))
        assert watched.seen() == (set() if cell == "no" else {COMING})


def test_a_probe_sees_the_first_items(api: StacApi, instance: dg.DagsterInstance) -> None:
    row = ROWS["sensor, strategy `probe`"]
    assert {row["additions"], row["changes in place"], row["deletions"]} == {FIRST}
    watched = Watched("sensor, strategy `probe`", api, instance)
    for number in range(30):
        watched.add(f"item{number:02}", RECENT, BEFORE)
    assert watched.seen() == set()
    watched.add("item22", RECENT)  # the 25th, after `there` and `other`
    assert watched.seen() == {RECENT}
    watched.add("item23", RECENT)
    assert watched.seen() == set()


def test_the_table_has_all_strategies() -> None:
    assert set(ROWS) - set(STRATEGIES) == {
        "`items_schedule`",
        "`backfill_sensor`",
        "*Materialize*, a backfill",
    }
