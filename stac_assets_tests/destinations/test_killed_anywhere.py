"""`kill -9` at the changes that a store makes on S3 and in DuckLake, one by one, and a load after each."""

import signal
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from stac_assets_tests.destinations.killed_requests import load_and_die_at_request, load_and_die_at_statement
from stac_assets_tests.destinations.lake import Lake
from stac_assets_tests.destinations.test_ducklake import DuckLake, ducklake, extension, needs_extension
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi, make_item

__all__ = ["ducklake", "extension"]
pytest_plugins = ["stac_assets_tests.destinations.lakes"]
DAYS = ("2024-01-01", "2024-01-02")
EVERY = 5
"""Of the changes in DuckLake, which are many and slow, one in so many is the last."""
Held = dict[str, list[str]]


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as server:
        yield server


def publish(api: StacApi, version: int) -> Held:
    """Items of a version, of two days or one; what tables are to hold then."""
    api.clear()
    held: Held = {}
    for day in DAYS[: 1 + version % 2]:
        ids = [f"{version}-{day}-{n}" for n in range(2)]
        properties: dict[str, Any] = {f"only_{version % 3}": version}
        for id in ids:
            api.put(make_item(id, datetime=f"{day}T12:00:00Z", **properties))
        held[f"c1|{day}"] = ids
    return held


def see_kills(
    api: StacApi,
    forker: Forker,
    die: Callable[..., None],
    held: Callable[[], Held],
    step: int,
    is_atomic: bool,
) -> int:
    """Kill a load at its first change, the next so many changes later, and so on; at how many it ended."""
    old = publish(api, 1)
    load_days(api, last=DAYS[1])
    for number in count(step=step):
        new = publish(api, number + 2)
        ended = forker.run(die, url=api.url, number=number, last=DAYS[1])
        now = held()
        if ended.status == 0:
            assert now == new
            return number
        assert ended.status == -signal.SIGKILL, ended.raised
        told = f"killed at change {number}: {now}"
        if is_atomic:
            assert now in (old, new), told
        else:
            for day in {*old, *new, *now}:
                assert now.get(day) in (old.get(day), new.get(day)), told
        load_days(api, last=DAYS[1])
        assert held() == new, told
        old = new
    raise AssertionError


@pytest.mark.parametrize("lake", ["parquet-s3"], indirect=True)
def test_a_kill_on_s3_leaves_each_partition_whole(lake: Lake, api: StacApi, forker: Forker) -> None:
    """Plain Parquet has no transaction: some partitions may be new and others old, until the next load."""
    assert see_kills(api, forker, load_and_die_at_request, lake.by_day, 1, is_atomic=False) >= 3


@needs_extension
def test_a_kill_leaves_the_old_rows_of_a_ducklake_or_the_new_ones(
    ducklake: DuckLake, api: StacApi, forker: Forker
) -> None:
    assert see_kills(api, forker, load_and_die_at_statement, ducklake.by_day, EVERY, is_atomic=True) > EVERY
