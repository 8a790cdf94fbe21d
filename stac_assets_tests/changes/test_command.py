"""`stac-assets changes`."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stac_assets_tests.changes.test_feed import put
from stac_assets_tests.commanding import Run
from stac_assets_tests.loads import load_days
from stac_assets_tests.reading import DUCKDB_FILE
from stac_assets_tests.stac_api import StacApi

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def loaded(project: Path, api: StacApi) -> StacApi:
    """An API of which two loads were made."""
    put(api, "a")
    put(api, "b")
    load_days(api)
    put(api, "a", gsd=1)
    api.remove("c1", "b")
    load_days(api)
    return api


@pytest.mark.usefixtures("loaded")
def test_it_prints_a_table(run: Run) -> None:
    said = run("changes")
    heading, *lines = said.out.splitlines()
    assert said.status == 0 and heading.split() == [
        "seen_at",
        "change",
        "resource",
        "collection",
        "day",
        "id",
    ]
    assert [line.split()[1:] for line in lines] == [
        ["added", "search", "c1", "2024-01-01", "a"],
        ["added", "search", "c1", "2024-01-01", "b"],
        ["changed", "search", "c1", "2024-01-01", "a", "(properties.gsd)"],
        ["removed", "search", "c1", "2024-01-01", "b"],
    ]


@pytest.mark.usefixtures("loaded")
def test_it_prints_json_lines(run: Run) -> None:
    found = [json.loads(line) for line in run("changes", "--format", "jsonl").out.splitlines()]
    assert [row["change"] for row in found] == ["added", "added", "changed", "removed"]
    assert found[2]["changed_members"] == ["properties.gsd"] and found[2]["day"] == "2024-01-01"
    between = datetime.fromisoformat(found[2]["seen_at"]) - timedelta(microseconds=1)
    later = run("changes", "--format", "jsonl", "--since", between.isoformat().replace("+00:00", "Z"))
    assert [json.loads(line) for line in later.out.splitlines()] == found[2:]


@pytest.mark.usefixtures("loaded")
def test_it_chooses_by_day_and_collection(run: Run) -> None:
    assert len(run("changes", "--since", "2024-01-01", "--collection", "c1").out.splitlines()) == 5
    for flags in (("--since", "2999-01-01"), ("--collection", "other")):
        said = run("changes", *flags)
        assert (said.status, said.out) == (0, "") and "no changes" in said.err


def test_what_cannot_be_done_is_told_in_a_line(run: Run, api: StacApi) -> None:
    said = run("changes")
    assert said.status == 1 and "no table item_changes" in said.err and not DUCKDB_FILE.exists()
    put(api, "a")
    load_days(api, item_changes=False)
    assert "no table item_changes" in run("changes").err
    said = run("changes", "--since", "yesterday")
    assert said.status == 1 and "--since is 'yesterday'; expected a UTC day" in said.err


@pytest.mark.usefixtures("loaded")
def test_a_configured_collection_is_no_choice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__COLLECTIONS", "other")
    assert len(run("changes").out.splitlines()) == 5


def test_an_id_stays_in_its_line_and_as_it_is(run: Run, api: StacApi) -> None:
    names = ["two\nlines", "red \x1b[31m", "ü 😀"]
    for name in names:
        put(api, name)
    load_days(api)
    told = [line.partition("2024-01-01  ")[2] for line in run("changes").out.splitlines()]
    assert told[1:] == ["red \\x1b[31m", "two\\nlines", "ü 😀"]
    lines = run("changes", "--format", "jsonl").out
    assert lines.isascii() and {json.loads(line)["id"] for line in lines.splitlines()} == {*names}
