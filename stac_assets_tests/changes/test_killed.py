"""`kill -9` at any moment of a store: the feed, replayed, is the table, before and after the next load."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from dlt.destinations.job_client_impl import SqlJobClientBase

from stac_assets_tests.changes.replaying import feed, replayed, stored, told
from stac_assets_tests.changes.test_feed import put
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import load_days, rows
from stac_assets_tests.reading import in_postgres
from stac_assets_tests.stac_api import StacApi

pytestmark = pytest.mark.usefixtures("project")
MOMENTS = ("before the changes", "before the commit", "after the commit")


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as server:
        yield server


def load_and_die(url: str, moment: str) -> None:
    """Load the day, and die at a moment of the store of `search`."""

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "after the commit":
        SqlJobClientBase.complete_load = die  # type: ignore[method-assign]
    elif in_postgres():
        from stac_assets.pipeline.destinations import postgres_job

        copy, calls = postgres_job.ReplacePartitions._copy, list[int]()

        def copied(self: Any, *arguments: Any) -> None:
            calls.append(1)
            if len(calls) == 2 and moment == "before the changes":
                die()
            copy(self, *arguments)
            if len(calls) == 2:
                die()

        postgres_job.ReplacePartitions._copy = copied  # type: ignore[method-assign]
    else:
        from stac_assets.pipeline.destinations import duckdb_job

        insert = duckdb_job.ReplacePartitions._insert_changes

        def inserted(self: Any, *arguments: Any) -> None:
            if moment == "before the commit":
                insert(self, *arguments)
            die()

        duckdb_job.ReplacePartitions._insert_changes = inserted  # type: ignore[method-assign]
    load_days(url)


@pytest.mark.parametrize("moment", MOMENTS)
def test_changes_and_rows_stand_or_fall_together(api: StacApi, forker: Forker, moment: str) -> None:
    put(api, "a")
    put(api, "b")
    load_days(api)
    put(api, "a", changed=1)
    api.remove("c1", "b")
    put(api, "c")
    ended = forker.run(load_and_die, url=api.url, moment=moment)
    assert ended.status == -signal.SIGKILL, ended.raised
    is_stored = moment == "after the commit"
    assert len(told()) == (5 if is_stored else 2)
    assert replayed(feed()) == stored(rows())
    load_days(api)
    assert sorted(told()[2:]) == [("added", "c"), ("changed", "a"), ("removed", "b")]
    assert replayed(feed()) == stored(rows())
