"""Two hosts that store into one PostgreSQL dataset at the same time."""

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stac_assets.pipeline.exclusion.own_staging import ABANDONED, new_layout
from stac_assets_tests.concurrency.hosts import Host
from stac_assets_tests.concurrency.postgres import ask, datasets, ids, merges_wait, until
from stac_assets_tests.loads import DATASET, load_days
from stac_assets_tests.stac_api import StacApi, make_item

FIRST, SECOND = "2024-01-01", "2024-01-02"


@pytest.fixture
def server(project: Path, api: StacApi, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server whose table `search` has two days of old items, of which the API has new ones."""
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres_url)
    publish(api, "old")
    load_days(api, first=FIRST, last=SECOND)
    assert ids(postgres_url) == ["first-old", "second-old"]
    publish(api, "new")
    return postgres_url


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Host]]:
    folder = tmp_path_factory.mktemp("hosts")
    with Host(folder, "here") as here, Host(folder, "there") as there:
        yield here, there


def publish(api: StacApi, version: str) -> None:
    api.clear()
    for name, day in (("first", FIRST), ("second", SECOND)):
        api.put(make_item(f"{name}-{version}", datetime=f"{day}T12:00:00Z", version=version))


def load_across(server: str, api: StacApi, hosts: tuple[Host, Host], protection: str) -> list[str]:
    """Let both hosts load, the second from before the first one's merge; what the second said."""
    here, there = hosts
    with merges_wait(server) as waiting:
        first = here.load(api.url, FIRST, protection)
        waiting(1)
        second = there.load(api.url, SECOND, protection)
        if protection == "lock":
            said = [second.heard()]
        else:
            said = []
            waiting(2)
    for call in (first, second):
        ended = call.ended()
        assert ended.returned == 1, ended.raised
    return said


def test_without_protection_rows_are_lost_and_both_report_success(
    server: str, api: StacApi, hosts: tuple[Host, Host]
) -> None:
    """https://github.com/dlt-hub/dlt/issues/4297: this is what the others below are for."""
    load_across(server, api, hosts, "none")
    assert ids(server) != ["first-new", "second-new"]
    assert "first-new" not in ids(server)


def test_with_the_lock_they_store_in_turn(server: str, api: StacApi, hosts: tuple[Host, Host]) -> None:
    (said,) = load_across(server, api, hosts, "lock")
    assert ids(server) == ["first-new", "second-new"]
    holder = r"load on here @\S+:\d+ \(server process \d+.*, since 20\d\d-"
    assert re.match(rf"waiting for the dataset {DATASET} on the server, .* held by {holder}", said), said


def test_with_staging_datasets_of_their_own_they_lose_nothing(
    server: str, api: StacApi, hosts: tuple[Host, Host]
) -> None:
    old, recent = (datetime.now(UTC) - ABANDONED + timedelta(minutes=sign) for sign in (-1, 60))
    crashed, alive = (new_layout(time) % DATASET for time in (old, recent))
    for name in (crashed, alive):
        ask(server, f"CREATE SCHEMA {name}; CREATE TABLE {name}.search (id text); SELECT 1")
    load_across(server, api, hosts, "own staging")
    assert ids(server) == ["first-new", "second-new"]
    assert datasets(server) == [DATASET, alive]


def test_the_limit_of_the_wait(server: str, api: StacApi, hosts: tuple[Host, Host]) -> None:
    here, there = hosts
    with merges_wait(server) as waiting:
        first = here.load(api.url, FIRST)
        waiting(1)
        ended = there.load(api.url, SECOND, lock_timeout=0.3).ended()
    said = ended.raised.splitlines()[-1]
    assert "DatasetBusy" in said and "load on here" in said, ended.raised
    assert "0.3 s (`lock_timeout`)" in said and said.endswith("nothing was stored")
    assert first.ended().returned == 1
    assert ids(server) == ["first-new", "second-old"]


def test_a_host_that_is_killed_holds_nothing(server: str, api: StacApi, hosts: tuple[Host, Host]) -> None:
    here, there = hosts
    with merges_wait(server) as waiting:
        first = here.load(api.url, FIRST)
        waiting(1)
        first.kill()
        assert first.ended().status == -signal.SIGKILL
    ended = there.load(api.url, SECOND, lock_timeout=5).ended()
    assert ended.returned == 1, ended.raised
    assert ids(server) == ["first-old", "second-new"]
    assert here.load(api.url, FIRST).ended().returned == 1
    assert ids(server) == ["first-new", "second-new"]


def test_a_lock_that_is_lost_is_told(server: str, api: StacApi, hosts: tuple[Host, Host]) -> None:
    here, _ = hosts
    with merges_wait(server) as waiting:
        call = here.load(api.url, FIRST)
        waiting(1)
        lost = ask(
            server, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
        assert lost == [(True,)]
    assert "another host may have stored at the same time" in call.ended().raised.splitlines()[-1]


def test_reading_waits_for_nobody(server: str, api: StacApi, hosts: tuple[Host, Host]) -> None:
    """A second run asks who owns the dataset and fetches while the first one stores."""
    here, there = hosts
    with merges_wait(server) as waiting:
        first = here.load(api.url, FIRST)
        waiting(1)
        api.reset()
        second = there.load(api.url, SECOND)
        until(lambda: any(request.path == "/search" for request in api.requests), "the second one's fetch")
    assert first.ended().returned == second.ended().returned == 1
