"""The feed of changes as files: it tells what it tells in a database, and comes before the rows."""

import os
import signal
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.changes.pruning import prune
from stac_assets.source.changes.feed import CHANGES
from stac_assets_tests.changes.replaying import replayed, stored
from stac_assets_tests.changes.test_histories import any_history
from stac_assets_tests.destinations.lake import Lake
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.test_exact import at

pytest_plugins = ["stac_assets_tests.destinations.lakes"]
JAN_1, JAN_2 = "2024-01-01", "2024-01-02"


def feed(lake: Lake) -> list[dict[str, object]]:
    """The rows of the feed in the order of their loads."""
    return sorted(
        lake.rows(CHANGES), key=lambda row: (row["seen_at"], row["_partition_key"], row["id"] or "")
    )


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_what_comes_changes_and_goes(lake: Lake, api: StacApi, resource: str) -> None:
    for day, id in [(JAN_1, "a"), (JAN_1, "b"), (JAN_2, "n")]:
        api.put(at(id, f"{day}T12:00:00Z"))
    load_days(api, resource, first=JAN_1, last=JAN_2)
    before = lake.files()
    assert len(load_days(api, resource, first=JAN_1, last=JAN_2).unchanged) == 2
    assert lake.files() == before, "a load that changes nothing writes nothing"
    api.put(at("a", f"{JAN_1}T12:00:00Z", changed=True))
    api.remove("c1", "b")
    api.put(at("c", f"{JAN_1}T12:00:00Z"))
    result = load_days(api, resource, first=JAN_1, last=JAN_2)
    assert [str(window.start) for window in result.unchanged] == [JAN_2]
    told = [(row["change"], row["id"]) for row in feed(lake)]
    assert told[:3] == [("added", "a"), ("added", "b"), ("added", "n")]
    assert sorted(told[3:]) == [("added", "c"), ("changed", "a"), ("removed", "b")]
    assert replayed(feed(lake)) == stored(lake.rows(resource))


def test_the_feed_is_the_table(lake: Lake, api: StacApi) -> None:
    any_history(api, 1, lambda: (replayed(feed(lake)), stored(lake.rows())), loads=6)


def test_what_is_pruned_leaves_a_baseline(lake: Lake, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    for id in "abc":
        api.put(at(id, f"{JAN_1}T12:00:00Z"))
    load_days(api)
    api.put(at("a", f"{JAN_1}T12:00:00Z", changed=True))
    api.remove("c1", "b")
    load_days(api)
    later = datetime.now(UTC) + timedelta(days=40)
    monkeypatch.setattr("stac_assets.pipeline.load.prune", partial(prune, now=later))
    api.put(at("d", f"{JAN_1}T12:00:00Z"))
    load_days(api, item_changes_days=30)
    told = sorted((str(row["change"]), str(row["id"])) for row in feed(lake))
    assert told == [("baseline", "a"), ("baseline", "c"), ("baseline", "d")]
    assert replayed(feed(lake)) == stored(lake.rows())


def load_and_die_after_the_changes(url: str) -> None:
    """Load the day, and die where its changes are stored, and its rows are not."""
    run, calls = Pipeline.run, list[int]()

    def killed(self: Any, *arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return run(self, *arguments, **named)

    Pipeline.run = killed  # type: ignore[method-assign]
    load_days(url)


@pytest.mark.parametrize("lake", ["delta-local", "parquet-local"], indirect=True)
def test_a_kill_leaves_changes_that_the_next_load_tells_again(lake: Lake, api: StacApi) -> None:
    api.put(at("a", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    api.put(at("b", f"{JAN_1}T12:00:00Z"))
    with Forker() as forker:
        ended = forker.run(load_and_die_after_the_changes, url=api.url)
    assert ended.status == -signal.SIGKILL, ended.raised
    assert lake.ids() == ["a"] and [row["id"] for row in feed(lake)] == ["a", "b"]
    load_days(api)
    again = feed(lake)
    assert [(row["change"], row["id"]) for row in again] == [("added", name) for name in "abb"]
    assert replayed(again) == stored(lake.rows())


@pytest.mark.parametrize("lake", ["delta-local", "parquet-local"], indirect=True)
def test_what_a_killed_load_told_may_be_so_no_more(lake: Lake, api: StacApi) -> None:
    for name in "ag":
        api.put(at(name, f"{JAN_1}T12:00:00Z"))
    load_days(api)
    api.put(at("b", f"{JAN_1}T12:00:00Z"))
    api.remove("c1", "g")
    with Forker() as forker:
        ended = forker.run(load_and_die_after_the_changes, url=api.url)
    assert ended.status == -signal.SIGKILL, ended.raised
    api.remove("c1", "b")
    api.put(at("g", f"{JAN_1}T12:00:00Z"))
    load_days(api)
    told = [(row["change"], row["id"]) for row in feed(lake)]
    assert sorted(told[4:]) == [("added", "g"), ("removed", "b")]
    assert replayed(feed(lake)) == stored(lake.rows())
    load_days(api)
    assert len(feed(lake)) == len(told)
