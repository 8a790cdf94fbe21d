"""A load that is killed: a table has its old rows or its new ones, or (plain Parquet) each partition has."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from stac_assets.pipeline.destinations.filesystem.destination import ASIDE
from stac_assets_tests.destinations.killed_files import DELTA_MOMENTS, load_and_die
from stac_assets_tests.destinations.lake import Lake, core
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import load_catalog, load_days
from stac_assets_tests.soak.test_moments import publish_upstream
from stac_assets_tests.stac_api import StacApi, make_item

pytest_plugins = ["stac_assets_tests.destinations.lakes"]


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as server:
        yield server


def die(forker: Forker, **arguments: Any) -> None:
    ended = forker.run(load_and_die, **arguments)
    assert ended.status == -signal.SIGKILL, f"the moment never came\n{ended.raised}"


@pytest.mark.parametrize("lake", ["delta-local", "delta-s3"], indirect=True)
@pytest.mark.parametrize(
    ("resource", "table"),
    [
        ("search", "search"),
        ("search", "rejected_items"),
        ("collections", "collections"),
        ("collection", "collection"),
    ],
)
def test_a_kill_leaves_the_old_rows_or_the_new_ones(
    lake: Lake, api: StacApi, forker: Forker, resource: str, table: str
) -> None:
    def load() -> None:
        load_days(api) if resource == "search" else load_catalog(api, resource, ["c1"])

    publish_upstream(api, "old")
    load()
    old = core(lake.rows(table))
    publish_upstream(api, "new")
    for moment in DELTA_MOMENTS[:2]:
        die(forker, url=api.url, resource=resource, table=table, moment=moment)
        assert core(lake.rows(table)) == old, f"killed at {moment}"
    die(forker, url=api.url, resource=resource, table=table, moment=DELTA_MOMENTS[2])
    new = core(lake.rows(table))
    assert new != old
    load()
    assert core(lake.rows(table)) == new


@pytest.mark.parametrize("lake", ["parquet-local"], indirect=True)
def test_a_kill_leaves_each_partition_of_plain_parquet_whole(
    lake: Lake, api: StacApi, forker: Forker
) -> None:
    days = ("2024-01-01", "2024-01-02")

    def publish(version: str) -> None:
        api.clear()
        for day in days:
            for id in "ab":
                api.put(make_item(f"{version}-{id}-{day}", datetime=f"{day}T12:00:00Z", version=version))

    def held() -> list[list[str]]:
        return [[id.removesuffix(f"-{day}") for id in lake.ids(day=day)] for day in days]

    publish("old")
    load_days(api, last=days[1])
    old = ["old-a", "old-b"]
    new = ["new-a", "new-b"]
    publish("new")
    # the first file of a load is that of its changes
    for number, expected in (("1", [old, old]), ("2", [new, old])):
        die(forker, url=api.url, resource="search", table="search", moment=number, last=days[1])
        assert held() == expected
    load_days(api, last=days[1])
    assert held() == [new, new]
    assert len(lake.files("search")) == 2
    assert [path for path in lake.files() if path.startswith(ASIDE)] == []
