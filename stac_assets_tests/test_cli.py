"""The command `stac-assets`, over real HTTP into real DuckDB files."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stac_assets.cli.console import sized
from stac_assets.cli.flags import settings_given
from stac_assets.cli.main import build_parser, main
from stac_assets.cli.progress import Tally
from stac_assets.settings import SETTINGS
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Granularity, parse_day, windows
from stac_assets.stac.wording import counted
from stac_assets_tests.conftest import REPOSITORY, enter_project, make_project
from stac_assets_tests.loads import DUCKDB_FILE, ids, query, rows
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item

SETTING = "SOURCES__PYSTAC_CLIENT_SOURCE__"
QUICK = {"BACKOFF": "0.001", "MAX_BACKOFF": "0.002", "MAX_RETRIES": "1", "COLLECTIONS": '["c1"]'}
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
CLOUDY: dict[str, Any] = {"eo:cloud_cover": 3}
ODDLY_CLOUDY: dict[str, Any] = {"eo:cloud_cover": "many"}
TOKEN = "s3cret-t0ken-of-a-user"
MODULE = [sys.executable, "-m", "stac_assets.cli.main"]
WEEK = ["--start", "2024-01-01", "--end", "2024-01-07"]


class Said(NamedTuple):
    status: int
    out: str
    err: str

    def figure(self, name: str) -> str:
        """A value of the table that ends a load."""
        found = re.search(rf"│ {re.escape(name)} +│ +(.*?) +│", self.out)
        assert found, self.out
        return found[1]


Run = Callable[..., Said]


@pytest.fixture
def run(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command in a project folder that is configured for `api`."""
    for name, value in {**QUICK, "BASE_URL": api.url}.items():
        monkeypatch.setenv(SETTING + name, value)

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        status = main(list(arguments))
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return run


@pytest.fixture
def by_date(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads ask by date, although a collection of so few items would be read whole."""
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__LARGEST_WHOLE_COLLECTION", "0")


def environment(api: StacApi, **others: str) -> dict[str, str]:
    """The environment of a process of its own."""
    settings = {SETTING + name: value for name, value in {**QUICK, "BASE_URL": api.url}.items()}
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), **settings, **others}


def run_in(folder: Path, environment: dict[str, str], *command: str) -> str:
    """What a command in another process says; it must succeed."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def day_items(first: int, last: int, per_day: int = 1, **properties: Any) -> list[dict[str, Any]]:
    return [
        make_item(f"i{day}-{n}", datetime=f"2024-01-{day:02}T12:00:00Z", **properties)
        for day in range(first, last + 1)
        for n in range(per_day)
    ]


def fill(api: StacApi, items: list[dict[str, Any]]) -> None:
    for item in items:
        api.put(item)


# The command line ---------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from stac_assets.cli.main import build_parser; build_parser().format_help();"
        "print({'dlt', 'duckdb', 'dagster', 'requests', 'msgspec', 'rich', 'pyarrow', 'pydantic'}"
        " & set(sys.modules))"
    )
    assert run_in(REPOSITORY, dict(os.environ), sys.executable, "-c", code).strip() == "set()"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fetch"],
        ["load", "--resource", "items"],
        ["load", "--start", "2024-13-01"],
        ["load", "--start", "yesterday"],
        ["load", "--granularity", "hourly"],
        ["load", "--max-items", "0"],
        ["load", "--base-url", "earth-search"],
        ["load", "--id", "a"],
        ["check", "--end", "2024-1-1"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: stac-assets" in capsys.readouterr().err


SETTING_FLAGS = {
    "load": {
        "--base-url": "base_url",
        "--collection": "collections",
        "--start": "start_date",
        "--end": "end_date",
        "--granularity": "granularity",
        "--destination": "destination",
        "--max-items": "max_items",
    },
    "check": {
        "--base-url": "base_url",
        "--collection": "collections",
        "--start": "start_date",
        "--end": "end_date",
    },
}


@pytest.mark.parametrize("command", SETTING_FLAGS)
def test_flags_say_of_a_setting_what_the_model_says(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    told = re.split(r"\n  (?=-)", capsys.readouterr().out)
    for flag, name in SETTING_FLAGS[command].items():
        setting = SETTINGS[name]
        (text,) = [text for text in told if text.startswith(f"{flag} ")]
        assert setting.sentence[1:].rstrip(".").replace("`", "'") in text
        assert f"or else {setting.default})" in text if setting.default else "as configured)" in text
        assert flag == "--collection" or all(choice in text for choice in setting.choices)


def test_flags_are_the_settings_of_a_command() -> None:
    week = ["--start", "2024-01-01", "--end", "2024-01-07", "--collection", "a", "--collection", "b"]
    given = settings_given(build_parser().parse_args(["load", *week, "--max-items", "3"]))
    expected = dict.fromkeys(SETTING_FLAGS["load"].values())
    days = {"start_date": date(2024, 1, 1), "end_date": date(2024, 1, 7)}
    assert given == {**expected, **days, "collections": ["a", "b"], "max_items": 3}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out.startswith("stac-assets ")


# load ---------------------------------------------------------------------------------------------


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
    assert "load package(s) were loaded to destination pystac_client" in run("load", "-v", *WEEK).err


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


# Ctrl-C -------------------------------------------------------------------------------------------


@contextmanager
def loading(folder: Path, api: StacApi) -> Iterator[subprocess.Popen[str]]:
    """A load in another process, which has begun to ask for items and hears Ctrl-C."""
    process = subprocess.Popen(
        [*MODULE, "load", "--end", "2024-01-02"],
        cwd=folder,
        env=environment(api),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 60
        while not any(request.path == "/search" for request in api.requests):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_stops_a_load_and_says_that_nothing_was_stored(project: Path, api: StacApi) -> None:
    fill(api, day_items(1, 2))
    api.fault("/search", times=None, drip=0.2)
    with loading(project, api) as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "error: interrupted while search was being fetched; nothing was stored of it" in err
    assert "Traceback" not in err
    assert not list((project / ".dlt" / "runs").iterdir())
    tables = query("SELECT table_name FROM duckdb_tables()") if DUCKDB_FILE.exists() else []
    assert tables == []


def test_a_second_ctrl_c_does_not_wait_for_a_silent_server(project: Path, api: StacApi) -> None:
    fill(api, day_items(1, 2))
    api.fault("/search", times=None, delay=50)
    with loading(project, api) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
    assert process.returncode == 130


# check --------------------------------------------------------------------------------------------


def presence(said: Said, endpoint: str) -> str:
    """What `check` says of an endpoint."""
    found = re.search(rf"│ {endpoint} +│ (.*?) +│", said.out)
    assert found, said.out
    return found[1]


def test_check_tells_what_the_api_has_before_anything_loads(run: Run, api: StacApi, project: Path) -> None:
    fill(api, day_items(1, 8, per_day=3))

    said = run("check", *WEEK)

    assert said.status == 0
    assert "token  not configured" in said.out
    for endpoint in ("client_root", "conformance", "landing_pages", "collections", "collection"):
        assert presence(said, endpoint) == "yes"
    for endpoint in ("queryables", "collection_items", "search", "item"):
        assert presence(said, endpoint) == "yes"
    assert "POST; 10 items in the first page of c1" in said.out
    assert re.search(r"│ c1 +│ +21 │ +\d+ B │ +[\d.]+ kB │", said.out)
    assert "Everything that search needs is there." in said.out
    asked = {(request.method, request.path) for request in api.requests}
    assert asked >= {
        *(("GET", path) for path in ("/", "/conformance", "/api", "/collections", "/collections/c1")),
        *(("GET", path) for path in ("/queryables", "/collections/c1/items", "/collections/c1/items/i1-0")),
        ("POST", "/search"),
    }
    assert [path.name for path in project.iterdir()] == [".dlt"]


def test_check_estimates_the_size_of_all_items_from_a_page(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1, per_day=100, padding="x" * 10_000))
    said = run("check", "--end", "2024-01-01")
    assert re.search(r"│ c1 +│ +100 │ +10\.\d kB │ +1\.0 MB │", said.out)


def test_check_says_which_method_searches(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    api.post_search = False
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert "GET; 1 item in the first page of c1" in said.out


@pytest.mark.parametrize(("per_day", "count"), [(20, "unknown"), (5, "5")])
def test_check_counts_only_what_it_knows(run: Run, api: StacApi, per_day: int, count: str) -> None:
    fill(api, day_items(1, 1, per_day=per_day))
    api.number_matched = None
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert re.search(rf"│ c1 +│ +{count} │", said.out)


def test_check_of_a_range_without_items(run: Run, api: StacApi) -> None:
    api.collections.append(make_collection("c1"))
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert presence(said, "item") == "not asked"
    assert re.search(r"│ c1 +│ +0 │ unknown │ +0 B │", said.out)


def test_check_names_what_is_missing_and_what_to_do(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    api.has_search = False

    said = run("check", "--end", "2024-01-01")

    assert said.status == 1
    assert presence(said, "search") == "no"
    assert 'error: search: the API does not have it; set `item_assets = ["collection_items"]`' in said.err
    assert re.search(r"│ c1 +│ +1 │", said.out)  # counted by the endpoint that is there


def test_an_api_without_collections_can_be_searched_and_check_says_so(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    api.has_collections = False
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert (presence(said, "collections"), presence(said, "search")) == ("no", "yes")
    assert run("load", "--end", "2024-01-01").status == 0
    assert ids() == ["i1-0"]


def test_check_names_a_filter_that_the_api_does_not_claim_to_know(
    run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(api, day_items(1, 1))
    monkeypatch.setenv(SETTING + "QUERY", '{"gsd": {"lt": 20}}')
    unclaimed = run("check", "--end", "2024-01-01")
    assert "`query` narrows the search, and the API does not claim the query extension" in unclaimed.out
    assert "Everything" not in unclaimed.out
    api.extensions = ("query",)
    assert "does not claim" not in run("check", "--end", "2024-01-01").out


def test_check_asks_for_what_the_item_assets_need(
    run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(api, day_items(1, 1))
    api.has_search = False
    monkeypatch.setenv(SETTING + "ITEM_ASSETS", '["collection_items"]')
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert "Everything that collection_items needs is there." in said.out


def test_check_finds_a_collection_that_does_not_exist(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    said = run("check", "--collection", "c1", "--collection", "c11", "--end", "2024-01-01")
    assert said.status == 1
    assert re.search(r"│ c1 +│ +1 │", said.out)
    assert re.search(r"│ c11 +│ not readable │", said.out)
    assert "error: c11: " in said.err
    assert "near matches: c1." in said.err


def test_check_of_all_collections(run: Run, api: StacApi) -> None:
    fill(api, [make_item("a"), make_item("b", collection="c2")])
    said = run("check", "--collection", "*", "--end", "2024-01-01")
    assert said.status == 0
    assert re.search(r"│ c1 +│ +1 │", said.out) and re.search(r"│ c2 +│ +1 │", said.out)


@pytest.mark.parametrize(
    ("needed", "given", "told", "status"),
    [
        (TOKEN, TOKEN, "accepted (api_key)", 0),
        (TOKEN, "wrong", "refused (api_key)", 1),
        (TOKEN, None, "not configured, and the API asks for one", 1),
        (TOKEN, "your_api_key_here", "not configured, and the API asks for one", 1),
        (None, None, "not configured", 0),
    ],
)
def test_check_tells_what_became_of_the_token(
    run: Run,
    api: StacApi,
    monkeypatch: pytest.MonkeyPatch,
    needed: str | None,
    given: str | None,
    told: str,
    status: int,
) -> None:
    fill(api, day_items(1, 1))
    api.token = needed
    if given is not None:
        monkeypatch.setenv(SETTING + "API_KEY", given)
    said = run("check", "--end", "2024-01-01")
    assert said.status == status
    assert f"token  {told}\n" in said.out
    if status:
        assert "error: client_root: answered 40" in said.err
        assert ".dlt/secrets.toml" in said.err


def test_check_of_what_is_no_stac_api(run: Run, api: StacApi) -> None:
    api.fault("/", times=None, body=b"<html>welcome</html>")
    said = run("check")
    assert said.status == 1
    assert "is no STAC API" in said.err
    assert said.out == ""


# show ---------------------------------------------------------------------------------------------


def test_show_before_anything_was_loaded(run: Run) -> None:
    said = run("show", "--headless")
    assert said.status == 1
    assert "Run `stac-assets load` first" in said.err


def test_show_names_the_extra_that_it_needs(run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "marimo", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "dlt._workspace.helpers.dashboard.runner", raising=False)
    fill(api, day_items(1, 1))
    assert run("load", "--end", "2024-01-01").status == 0
    said = run("show", "--headless")
    assert said.status == 1
    assert "marimo" in said.err
    assert "pip install 'stac-assets[dashboard]' (in a clone: pip install" in said.err


def test_show_serves_the_dashboard_on_this_machine_only(run: Run, api: StacApi, project: Path) -> None:
    pytest.importorskip("marimo")
    pytest.importorskip("ibis")
    fill(api, day_items(1, 1))
    assert run("load", "--end", "2024-01-01").status == 0
    command = [*MODULE, "show", "--headless", "--port", "27189"]
    dashboard = subprocess.Popen(command, cwd=project, env=environment(api), stdin=subprocess.DEVNULL)
    try:
        assert "dlt" in eventually("http://127.0.0.1:27189/", dashboard)
    finally:
        dashboard.terminate()
        dashboard.wait(20)


def eventually(url: str, process: subprocess.Popen[bytes]) -> str:
    """The page at `url`, as soon as it is there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.URLError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)


# What a progress display says ---------------------------------------------------------------------


def test_a_tally_counts_what_the_api_counts() -> None:
    first, second = windows("c1", parse_day("2024-01-01", ""), parse_day("2024-01-02", ""), Granularity.DAILY)
    tally = Tally(2)
    assert (tally.read, tally.total) == (0, None)

    figures = Figures(items=5, duplicates=1, items_owned_elsewhere=2, rejected_items=1, number_matched=12)
    tally.note(first, figures)
    figures.items = 99  # a copy was noted
    assert (tally.read, tally.total, tally.is_total_final) == (9, 12, False)
    assert str(tally).startswith("9 of 12+ items, ")

    tally.note(second, Figures(items=3, pages=1, number_matched=3))
    assert (tally.read, tally.total, tally.is_total_final) == (12, 15, True)
    assert str(tally).startswith("12 of 15 items in 1 page, ")

    tally.note(second, Figures(items=3, pages=2))
    assert tally.total is None
    assert str(tally).startswith("12 items in 2 pages, ")


def test_a_tally_of_a_sample_or_of_named_items() -> None:
    window = windows("c1", parse_day("2024-01-01", ""), parse_day("2024-01-01", ""), Granularity.DAILY)[0]
    sample = Tally(1, max_items=10)
    sample.note(window, Figures(items=2, number_matched=500))
    assert sample.total == 10
    assert Tally(1, expected=4).total == 4


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (999, "999 B"), (17_234, "17.2 kB"), (3.2e9, "3.2 GB"), (5e15, "5,000.0 TB")],
)
def test_sizes(size: float, told: str) -> None:
    assert sized(size) == told


def test_counts() -> None:
    assert [counted(number, "item") for number in (0, 1, 1200)] == ["0 items", "1 item", "1,200 items"]
    assert [counted(number, "row is", "rows are") for number in (1, 2)] == ["1 row is", "2 rows are"]
