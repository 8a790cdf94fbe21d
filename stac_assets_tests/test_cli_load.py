"""`stac-assets load`, over real HTTP into real DuckDB files."""

import re
import sys
from pathlib import Path

import pytest

from stac_assets_tests.commanding import (
    CLOUDY,
    MODULE,
    NOON,
    ODDLY_CLOUDY,
    SETTING,
    TOKEN,
    WEEK,
    Run,
    day_items,
    environment,
    fill,
    run_in,
)
from stac_assets_tests.conftest import enter_project, make_project
from stac_assets_tests.loads import DUCKDB_FILE, ids, rows
from stac_assets_tests.stac_api import RawItem, StacApi, make_item


@pytest.mark.usefixtures("by_date")
def test_load_stores_every_day_of_the_range_and_says_what_it_did(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 8, per_day=3))
    api.put(make_item("late", datetime="2024-01-07T23:59:59.9995Z"))

    said = run("load", "--resource", "search", "--collection", "c1", *WEEK)

    assert said.status == 0
    assert len(ids()) == 7 * 3 + 1
    assert "late" in ids(day="2024-01-07")
    assert not ids(day="2024-01-08")
    assert "load package" not in said.out + said.err
    assert str(DUCKDB_FILE) in said.out
    assert "search → " in said.out
    assert said.figure("partitions") == "7"
    assert said.figure("items") == "22"
    assert said.figure("rejected") == "0"
    assert re.search(r"fetching search: \d+ of \d+\+? items in \d+ pages?, \d+ items/s", said.err)
    assert "search: 22 of 22 items in 7 pages" in said.err
    assert said.figure("changes") == "22 added"
    again = run("load", *WEEK)
    assert "7 partitions found unchanged, and left as they are" in again.err
    assert again.figure("changes") == "none"
    api.put(make_item("new", datetime="2024-01-07T20:00:00Z"))
    assert "load package(s) were loaded to destination pystac_client" in run("load", "-v", *WEEK).err


def test_load_says_which_days_it_takes_where_windows_have_more(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 8))
    said = run("load", "--start", "2024-01-02", "--end", "2024-01-03", "--granularity", "weekly")
    assert "search: takes whole windows, which are the days 2024-01-01 to 2024-01-07" in said.err
    assert said.figure("items") == "7"
    assert "whole windows" not in run("load", *WEEK).err


@pytest.mark.usefixtures("by_date")
def test_load_tells_what_did_not_become_a_row_or_a_column(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1, **CLOUDY))
    api.put(make_item("odd", **ODDLY_CLOUDY))
    api.put(RawItem(b'{"type": "Feature", "id": "bad", "properties": {"x": NaN}}', "c1", NOON, NOON))
    api.put(make_item("before", start="2023-12-30T00:00:00Z", end="2024-01-02T00:00:00Z"))

    said = run("load", "--start", "2024-01-01", "--end", "2024-01-01")

    assert said.status == 0
    assert said.figure("values that fit no column") == "eo:cloud_cover: 1"
    assert said.figure("owned by other partitions") == "1"
    assert said.figure("rejected") == "1"


def test_dlt_and_its_python_api_find_what_was_loaded(run: Run, api: StacApi, project: Path) -> None:
    fill(api, day_items(1, 7, **CLOUDY))
    assert run("load", *WEEK).status == 0

    here = environment(api)
    dlt = str(Path(sys.executable).with_name("dlt"))
    assert "pystac_client_pipeline" in run_in(
        project, here, dlt, "pipeline", "pystac_client_pipeline", "info"
    )
    assert "search" in run_in(project, here, dlt, "pipeline", "pystac_client_pipeline", "trace")
    assert read_with_dlt(project, here, "print(len(frame), frame.eo_cloud_cover.dtype)") == "7 float64"


def test_two_projects_on_one_machine_read_their_own_rows_and_columns(
    run: Run, api: StacApi, project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    make_project(other)
    fill(api, [make_item("a", **CLOUDY)])
    assert run("load", "--end", "2024-01-01").status == 0
    with StacApi(items=[make_item("b", gsd=10), make_item("c")]) as second:
        there = environment(second)
        run_in(other, there, *MODULE, "load", "--end", "2024-01-01")

        shown = "print(sorted(frame.id), 'gsd' in frame.columns, 'eo_cloud_cover' in frame.columns)"
        assert read_with_dlt(project, environment(api), shown) == "['a'] False True"
        assert read_with_dlt(other, there, shown) == "['b', 'c'] True False"


def read_with_dlt(folder: Path, environment: dict[str, str], code: str) -> str:
    """What `code` prints of the table as dlt's own Python API gives it, in a process of its own."""
    reading = (
        "import dlt; frame = dlt.pipeline('pystac_client_pipeline', destination='duckdb',"
        f" dataset_name='pystac_client_data').dataset().search.df(); {code}"
    )
    return run_in(folder, environment, sys.executable, "-c", reading).strip()


def test_resources_load_in_the_order_in_which_one_needs_another(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 2))

    said = run("load", "--resource", "item", "--resource", "search", "--resource", "collections", *WEEK)

    assert said.status == 0
    assert re.findall(r"^(\w+) → ", said.out, re.MULTILINE) == ["collections", "search", "item"]
    assert ids("item") == ids("search") == ["i1-0", "i2-0"]
    assert [row["id"] for row in rows("collections")] == ["c1"]
    assert "of 2 items, " in said.err  # the ids are known before the API is asked, and there are no pages


def test_a_star_is_every_collection(run: Run, api: StacApi) -> None:
    fill(api, [make_item("a"), make_item("b", collection="c2")])

    assert run("load", "--collection", "*", "--end", "2024-01-01").status == 0

    assert ids() == ["a", "b"]


def test_a_start_inside_a_week_begins_that_week(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 7))

    said = run("load", "--start", "2024-01-04", "--end", "2024-01-05", "--granularity", "weekly")

    assert said.figure("partitions") == "1"
    assert len(ids()) == 7


def test_named_items_are_refreshed_and_those_gone_deleted(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 3))
    assert run("load", "--resource", "item", "--id", "i1-0", "--id", "i3-0").status == 0
    assert ids("item") == ["i1-0", "i3-0"]

    api.remove("c1", "i3-0")
    said = run("load", "--resource", "item", "--id", "i3-0")

    assert said.figure("ids without a row now") == "1"
    assert ids("item") == ["i1-0"]


def test_items_without_ids_need_a_loaded_search(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    said = run("load", "--resource", "item", "--end", "2024-01-01")
    assert said.status == 1
    assert "load `search` first, or name items with --id" in said.err


def test_a_sample_says_that_it_is_one(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1, per_day=5))
    said = run("load", "--end", "2024-01-01", "--max-items", "2")
    assert said.figure("items") == "2"
    assert said.figure("complete") == "no, a sample (max_items)"
    assert "2 of 2 items" in said.err


@pytest.mark.usefixtures("by_date")
def test_windows_that_fail_are_named_and_the_others_stored(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 3))
    api.fault(lambda request: "2024-01-02T" in str(request.body)[:400], times=None, status=500)

    said = run("load", "--start", "2024-01-01", "--end", "2024-01-04")

    assert said.status == 1
    assert ids() == ["i3-0"]  # the window of the first ends at the second's start
    assert "error: 2 partitions failed and are as they were before, 2 stored" in said.err
    assert "c1, 2024-01-01: " in said.err
    assert "c1, 2024-01-02: " in said.err
    assert "Traceback" not in said.err
    assert said.figure("partitions") == "2 (2 failed)"


def test_what_the_api_lacks_does_not_keep_the_rest_from_loading(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    api.has_queryables = False

    said = run("load", "--resource", "queryables", "--resource", "search", "--end", "2024-01-01")

    assert said.status == 1
    assert "queryables" in said.err
    assert ids() == ["i1-0"]


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        ("duckbd", r"there is no destination 'duckbd'; near matches: duckdb\. Set `destination` under "),
        (
            "postgres",
            r"postgres needs credentials \(database, username, host\); put them under "
            r"\[destination\.postgres\.credentials\] in \.dlt/secrets\.toml\.",
        ),
        ("filesystem", r"filesystem needs bucket_url, which belongs under \[destination\.filesystem\] in "),
    ],
)
def test_a_destination_that_is_not_configured_is_told_in_a_line(
    run: Run, api: StacApi, destination: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS__PASSWORD", TOKEN)
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__TABLE_FORMAT", "parquet")  # the other needs deltalake
    said = run("load", "--end", "2024-01-01", "--destination", destination)
    assert said.status == 1
    assert re.fullmatch(rf"error: {told}.*Nothing was fetched\n", said.err)
    assert not api.requests
    assert TOKEN not in said.err + run("load", "--destination", destination, "-vv").err


def test_credentials_in_the_wrong_file_are_told_in_a_line(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = project / ".dlt" / "config.toml"
    config.write_text(f'{config.read_text()}\n[destination.postgres]\ncredentials = "{TOKEN}"\n')
    enter_project(project, monkeypatch)
    said = run("load", "--end", "2024-01-01", "--destination", "postgres")
    told = "destination.postgres.credentials stands in config.toml; dlt takes it from .dlt/secrets.toml only"
    assert said.err == f"error: {told}. Nothing was fetched\n"


def test_an_error_is_a_line_and_with_v_a_traceback_too(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    said = run("load", "--collection", "c2", "--end", "2024-01-01")
    assert said.status == 1
    assert "error: " in said.err and "has no collection 'c2'; near matches: c1" in said.err
    assert "Traceback" not in said.err

    for flags in (["-v", "load"], ["load", "-vv"]):
        said = run(*flags, "--collection", "c2", "--end", "2024-01-01")
        assert "INFO where it happened\nTraceback" in said.err


def test_a_day_range_without_days_is_an_error(run: Run) -> None:
    said = run("load", "--start", "2124-01-01")
    assert (said.status, said.err.count("error: there is no day from 2124-01-01")) == (1, 1)


def test_a_token_is_never_shown(run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(api, day_items(1, 1))
    monkeypatch.setenv(SETTING + "API_KEY", TOKEN)
    for token in (TOKEN, "another"):
        api.token = token
        for command in ("load", "check"):
            said = run(command, "--end", "2024-01-01", "-vv")
            assert said.status == (0 if token == TOKEN else 1)
            assert TOKEN not in said.out + said.err
    assert "api_key` under [sources.pystac_client_source]" in said.err
