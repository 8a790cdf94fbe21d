"""Loads into a warehouse that are killed amid a merge, and loads of two hosts at once."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase

from stac_assets.pipeline.errors import StoreFailed
from stac_assets_tests.forked import Forker
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.warehouses.stand_in import StandIn
from stac_assets_tests.warehouses.test_exact import FIRST, SECOND, by_id, fill, items, search

MOMENTS = {
    "before the insert": ("old", "none"),
    "before the commit": ("old", "new"),
    "stored": ("new", "new"),
}
"""When a load is killed, and which rows are there then: with transactions, and without."""


def merging(then: Callable[[Any, str], None]) -> Callable[..., Any]:
    """dlt's `execute_many`, which of the merge of `search` calls `then` with the client and the moment."""
    execute_many = SqlClientBase.execute_many

    def one_by_one(self: Any, statements: Sequence[str], *arguments: Any, **named: Any) -> Any:
        merge = [each for each in statements if each.strip()]
        if len(merge) != 2 or not merge[0].startswith("DELETE") or "search" not in merge[1].lower():
            return execute_many(self, statements, *arguments, **named)
        delete, insert = merge
        self.execute_sql(delete)
        then(self, "before the insert")
        self.execute_sql(insert)
        then(self, "before the commit")
        return None

    return one_by_one


def load_and_die(moment: str) -> None:
    """Load the first day, and die at a moment of the merge of `search`."""

    complete, completed = SqlJobClientBase.complete_load, list[int]()

    def complete_load(self: Any, load_id: str) -> None:
        completed.append(1)
        if len(completed) == 2:  # the first is the load of the changes
            _die_at("stored", moment)
        complete(self, load_id)

    SqlClientBase.execute_many = merging(lambda _, name: _die_at(name, moment))  # type: ignore[method-assign]
    SqlJobClientBase.complete_load = complete_load  # type: ignore[method-assign]
    search()


def _die_at(name: str, moment: str) -> None:
    if name == moment:
        os.kill(os.getpid(), signal.SIGKILL)


def load_day_elsewhere(day: str, folder: str) -> None:
    """Load a day as another host does, whose files for locks are its own."""
    os.environ["DLT_DATA_DIR"] = folder
    search(day)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_load_that_is_killed_leaves_the_old_rows_or_the_new_ones_where_there_are_transactions(
    warehouse: StandIn, api: StacApi, forker: Forker, moment: str
) -> None:
    old = by_id(make_item("a", gsd=1), make_item("b"))
    fill(api, *old.values())
    search()
    new = by_id(make_item("a", gsd=2), make_item("c"))
    fill(api, *new.values())
    api.remove("c1", "b")
    ended = forker.run(load_and_die, moment=moment)
    assert ended.status == -signal.SIGKILL, ended.raised
    with_transactions, without = MOMENTS[moment]
    left = with_transactions if warehouse.has_transactions else without
    assert items(warehouse) == {"old": old, "none": {}, "new": new}[left]
    warehouse.reset()
    search()
    assert items(warehouse) == new


def test_a_merge_that_fails_says_what_is_stored(
    warehouse: StandIn, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(api, old := make_item("a", gsd=1))
    search()
    fill(api, make_item("a", gsd=2))

    def fail(client: Any, moment: str) -> None:
        client.execute_sql(f"SELECT * FROM {client.make_qualified_table_name('nowhere')}")

    said = "its old rows or its new ones" if warehouse.has_transactions else "its new ones, or none"
    with monkeypatch.context() as patched, pytest.raises(StoreFailed, match=said):
        patched.setattr(SqlClientBase, "execute_many", merging(fail))
        search()
    assert items(warehouse) == (by_id(old) if warehouse.has_transactions else {})


@pytest.fixture
def hosts() -> Iterator[list[Forker]]:
    """Two hosts."""
    with ExitStack() as stack:
        yield [stack.enter_context(Forker()) for _ in range(2)]


def test_two_hosts_that_store_at_once_lose_no_rows(
    warehouse: StandIn, api: StacApi, hosts: list[Forker], tmp_path: Path
) -> None:
    fill(api, make_item("a"), make_item("b", datetime=f"{SECOND}T00:00:00Z"))
    search((FIRST, SECOND))
    new = by_id(make_item("a", gsd=2), make_item("b", datetime=f"{SECOND}T00:00:00Z", gsd=3))
    fill(api, *new.values())
    calls = [
        host.start(load_day_elsewhere, day=day, folder=str(tmp_path / day))
        for host, day in zip(hosts, (FIRST, SECOND), strict=True)
    ]
    ended = [call.ended() for call in calls]
    assert [each.raised for each in ended] == ["", ""]
    assert items(warehouse) == new


def test_a_column_that_another_host_adds_meanwhile_is_no_failure(
    warehouse: StandIn, api: StacApi, forker: Forker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(api, make_item("a"), make_item("b", datetime=f"{SECOND}T00:00:00Z"))
    search((FIRST, SECOND))
    new = by_id(make_item("a", gsd=2), make_item("b", datetime=f"{SECOND}T00:00:00Z", gsd=3))
    fill(api, *new.values())
    altering, came_first = SqlClientBase.execute_many, []

    def behind(self: Any, statements: Sequence[str], *arguments: Any, **named: Any) -> Any:
        if not came_first and any("gsd" in each and each.startswith("ALTER") for each in statements):
            came_first.append(forker.run(load_day_elsewhere, day=SECOND, folder=str(tmp_path)))
        return altering(self, statements, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(SqlClientBase, "execute_many", behind)
        search(FIRST)
    assert [each.raised for each in came_first] == [""]
    assert items(warehouse) == new


def test_a_dataset_that_another_host_makes_meanwhile_is_no_failure(
    warehouse: StandIn, api: StacApi, forker: Forker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(api, a := make_item("a"), b := make_item("b", datetime=f"{SECOND}T00:00:00Z"))
    making, came_first = SqlJobClientBase.initialize_storage, []

    def behind(self: Any, *arguments: Any, **named: Any) -> Any:
        if not came_first:
            came_first.append(forker.run(load_day_elsewhere, day=SECOND, folder=str(tmp_path)))
        return making(self, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(SqlJobClientBase, "initialize_storage", behind)
        search(FIRST)
    assert [each.raised for each in came_first] == [""]
    assert items(warehouse) == by_id(a, b)
