"""Connections to PostgreSQL that an administrator, or a server that goes down, ends while rows are stored."""

import os
import re
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from stac_assets import load
from stac_assets.pipeline.errors import StoreFailed
from stac_assets.pipeline.inspection import inspect
from stac_assets_tests.commanding import Run
from stac_assets_tests.loads import DATASET, ids, load_days
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import Runs

WAITING = "FROM pg_stat_activity WHERE datname = current_database() AND {me} = ANY (pg_blocking_pids(pid))"


@pytest.fixture(autouse=True)
def in_postgresql(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, postgres_url)


@contextmanager
def killing(times: int = 100, mode: str = "EXCLUSIVE") -> Iterator[None]:
    """A block in which each connection is ended that waits to change the table, as often as that."""
    with (
        closing(psycopg2.connect(os.environ[POSTGRES_URL])) as holder,
        closing(psycopg2.connect(os.environ[POSTGRES_URL])) as administrator,
        ThreadPoolExecutor(1) as thread,
    ):
        holder.cursor().execute(f"LOCK TABLE {DATASET}.search IN {mode} MODE")
        waiting = WAITING.format(me=holder.info.backend_pid)
        administrator.autocommit = True
        is_over: list[bool] = []

        def kill() -> int:
            killed = 0
            while killed < times and not is_over:
                with administrator.cursor() as cursor:
                    cursor.execute(f"SELECT pg_terminate_backend(pid, 10000) {waiting}")
                    killed += cursor.rowcount
            holder.rollback()
            return killed

        done = thread.submit(kill)
        try:
            yield
        finally:
            is_over.append(True)
            assert done.result() > 0


def two_items(api: StacApi) -> None:
    """One is stored, the other one is to be."""
    api.put(make_item("a"))
    load_days(api)
    api.put(make_item("b"))


def told(message: str) -> bool:
    """Whether a message says what has happened, what is stored, and what to do."""
    said = r"the connection to postgres, dataset \w+ was lost \((terminating|server closed|.*already).*\)\. "
    return bool(
        re.search(said + "Nothing is stored by halves: .* the same run again makes it exact", message)
    )


def test_a_connection_that_is_ended_once_is_made_again(api: StacApi) -> None:
    two_items(api)
    with killing(1):
        load_days(api)
    assert ids() == ["a", "b"]


def test_a_script_ends_in_our_line(api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    two_items(api)
    with killing(), pytest.raises(StoreFailed) as raised:
        load("search", base_url=api.url, collections=["c1"], start="2024-01-01", end="2024-01-01")
    assert told(str(raised.value)) and ids() == ["a"]
    assert "psycopg2" not in "".join(traceback.format_exception(raised.value))


def test_a_command_ends_in_our_line(api: StacApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    two_items(api)
    with killing():
        said = run("load", "--start", "2024-01-01", "--end", "2024-01-01")
    assert said.status == 1 and told(said.err), said
    assert "Traceback" not in said.err + said.out and ids() == ["a"]


def test_a_run_of_dagster_ends_in_our_line(
    api: StacApi, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    two_items(api)
    with killing():
        result = Runs(api, instance)("search", "c1|2024-01-01")
    assert not result.success and ids() == ["a"]
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    text = "".join(str(failure.error) for failure in failures)
    assert told(text.replace("\n", " ")) and "psycopg2" not in text, text


def test_rows_that_are_stored_are_not_said_to_be_lost(api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is ended that counts what was stored."""
    two_items(api)

    def count(*given: Any) -> Any:
        with killing(mode="ACCESS EXCLUSIVE"):
            return inspect(*given)

    monkeypatch.setattr("stac_assets.pipeline.load.inspect", count)
    with pytest.raises(StoreFailed, match=r"was lost \(.*\)\. The rows are stored, but were not counted"):
        load_days(api, inspected=True)
    assert ids() == ["a", "b"]
