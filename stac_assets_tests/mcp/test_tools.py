"""What an assistant is told, wherever the tables are."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stac_assets_tests.commanding import MODULE, SETTING
from stac_assets_tests.conftest import REPOSITORY, enter_project
from stac_assets_tests.destinations.lake import Lake
from stac_assets_tests.loads import load_days
from stac_assets_tests.mcp.assistant import PIPELINE, asked, assistant
from stac_assets_tests.pages import table
from stac_assets_tests.reading import DUCKDB_FILE
from stac_assets_tests.stac_api import StacApi, make_item

pytest_plugins = ["stac_assets_tests.destinations.lakes"]


def clouds(percent: int) -> dict[str, Any]:
    """A property whose name is none in Python."""
    return {"eo:cloud_cover": percent}


def test_every_tool_tells_what_is_stored(mirrored: StacApi, destination: str, project: Path) -> None:
    for day in (1, 2, 4):
        mirrored.put(make_item(f"i{day}", datetime=f"2024-01-0{day}T10:00:00Z", **clouds(day)))
    load_days(mirrored, last="2024-01-05")
    mirrored.put(make_item("i2", datetime="2024-01-02T10:00:00Z", **clouds(70)))
    broken = make_item("odd", datetime="2024-01-02T11:00:00Z", extra={"id": ""})
    mirrored.on_page = lambda page, request: {**page, "features": [*page["features"], broken]}
    load_days(mirrored, first="2024-01-02")
    with assistant(project) as ask:
        assert ask.told("list_pipelines") == [PIPELINE]
        tables = set(ask.told("list_tables", pipeline_name=PIPELINE)["tables"])
        assert {"search", "item_changes", "rejected_items"} <= tables
        counts = ask.told("get_row_counts", pipeline_name=PIPELINE, output_format="jsonl").splitlines()
        counted = {row["table_name"]: row["row_count"] for row in map(json.loads, counts)}
        assert counted["search"] == 3 and counted["item_changes"] == 4 and set(counted) == tables
        assert "| i2 | c1 |" in ask.told("preview_table", pipeline_name=PIPELINE, table_name="search")

        found = ask.told("get_table_schema", pipeline_name=PIPELINE, table_name="search")
        assert found["columns"]["eo_cloud_cover"]["data_type"] == "double"
        assert found["sql_dialect"] == ("postgres" if destination == "postgres" else "duckdb")
        identifier, column = found["sql_identifier"], found["columns"]["eo_cloud_cover"]["sql_identifier"]
        create = ask.told("get_table_create_sql", pipeline_name=PIPELINE, table_name="search")
        assert (
            create.startswith(f"CREATE TABLE {identifier} (") and '"id" ' in create and "Identifier" in create
        )
        assert ask.rows(f"SELECT id, {column} AS c, datetime FROM {identifier} WHERE {column} > 5") == [
            {"id": "i2", "c": 70, "datetime": "2024-01-02T10:00:00+00:00"}
        ]
        assert ask.rows("SELECT count(*) AS n FROM search") == [{"n": 3}]

        (catalog,) = ask.told("list_catalogs")["catalogs"]
        assert catalog["api"] == mirrored.url and catalog["pipeline"] == PIPELINE
        assert ask.told("list_partitions")["collections"][0]["rows"] == 3
        state = ask.told("list_partitions", collection="c1")
        assert [(each["partition"][3:], each["rows"]) for each in state["partitions"]] == [
            ("2024-01-04", 1),
            ("2024-01-02", 1),
            ("2024-01-01", 1),
        ]
        assert state["partitions"][1]["last_change"] > state["partitions"][0]["last_change"]
        assert all(each["last_load"] for each in state["partitions"])
        assert [(r["first"][-2:], r["last"][-2:]) for r in state["without_rows"]["ranges"]] == [
            ("03", "03"),
            ("05", "10"),
        ]
        (rejected,) = state["rejected"]
        assert rejected["partition"] == "c1|2024-01-02" and rejected["documents"] == 1 and rejected["reason"]
        few = ask.told("list_partitions", collection="c1", limit=1)
        assert few["partitions"][0]["partition"] == "c1|2024-01-04" and few["cut"]

        told = ask.told("list_changes")
        assert [each["change"] for each in told["changes"]] == ["added"] * 3 + ["changed"]
        assert told["changes"][3]["changed_members"] == ["properties.eo:cloud_cover"]
        assert told["totals"] == {"added": 3, "changed": 1} and "cut" not in told
        assert ask.told("list_changes", limit=1)["changes"] == told["changes"][3:]
        since = told["changes"][3]["seen_at"]
        assert ask.told("list_changes", since=since, collections=["c1"])["changes"] == told["changes"][3:]
        assert ask.told("list_changes", collections=["it's none"])["changes"] == []
        assert "since is 'soon'" in ask.refused("list_changes", since="soon")


@pytest.mark.parametrize("lake", ["delta-s3"], indirect=True)
def test_a_bucket_is_told_of_without_sql(mirrored: StacApi, lake: Lake, project: Path) -> None:
    mirrored.put(make_item("a"))
    load_days(mirrored)
    with assistant(project) as ask:
        told = ask.refused("execute_sql_query", **asked("SELECT 1"))
        assert "SQL is not run here: tables in a bucket are read with its credentials" in told
        counts = ask.told("get_row_counts", pipeline_name=PIPELINE, output_format="jsonl").splitlines()
        assert {"table_name": "search", "row_count": 1} in map(json.loads, counts)
        assert "| a | c1 |" in ask.told("preview_table", pipeline_name=PIPELINE, table_name="search")
        assert ask.told("list_partitions", collection="c1")["stored"]["rows"] == 1
        assert [each["id"] for each in ask.told("list_changes", since="2024-01-01")["changes"]] == ["a"]


def test_check_asks_the_api_as_the_command_does(mirrored: StacApi, project: Path) -> None:
    mirrored.put(make_item("a"))
    with assistant(project) as ask:
        told = ask.told("check", collections=["c1"])
        assert (
            told["is_complete"]
            and not told["problems"]
            and "1 item in the first page of c1" in told["report"]
        )
        mirrored.fault("/v1/search", status=404, times=None)
        mirrored.fault("/search", status=404, times=None)
        told = ask.told("check", collections=["c1"])
        assert not told["is_complete"] and "collection_items" in told["problems"][0]


def test_answers_are_cut_and_say_so(mirrored: StacApi, destination: str, project: Path) -> None:
    for number in range(120):
        mirrored.put(make_item(f"i{number:03}", text="x" * 3000))
    load_days(mirrored)
    with assistant(project) as ask:
        *rows, told = ask.rows("SELECT id FROM search ORDER BY id")
        assert [row["id"] for row in rows] == [f"i{number:03}" for number in range(100)]
        assert "first 100 rows" in told["_cut"] and "there are more" in told["_cut"]
        assert len(ask.rows("SELECT id FROM search", max_rows=120)) == 120
        *rows, told = ask.rows("SELECT text FROM search")
        assert len(rows) < 40 and "60,000 characters" in told["_cut"]
        assert rows[0]["text"] == "x" * 2000 + "… (3,000 characters)"
        series = "range(10000000)" if destination != "postgres" else "generate_series(1, 10000000)"
        endless = f"SELECT count(*) FROM {series} AS a, {series} AS b"
        assert "ended after 0.5 s" in ask.refused("execute_sql_query", **asked(endless), timeout=0.5)


def test_a_project_in_which_nothing_was_loaded(mirrored: StacApi, destination: str, project: Path) -> None:
    before = {path for path in project.rglob("*") if path.is_file()}
    with assistant(project) as ask:
        assert ask.told("list_pipelines") == [PIPELINE]
        assert len(ask.told("list_catalogs")["catalogs"]) == 1
        for tool in ("list_tables", "get_row_counts"):
            assert "nothing was loaded" in ask.refused(tool, pipeline_name=PIPELINE)
        for tool in ("list_partitions", "list_changes"):
            assert "run `stac-assets load`" in ask.refused(tool)
        assert ask.call("execute_sql_query", **asked("SELECT * FROM search")).is_error
        assert "there is no catalog or pipeline 'dea'" in ask.refused("list_tables", pipeline_name="dea")
        assert "there is no catalog or pipeline '../x'" in ask.refused("list_tables", pipeline_name="../x")
        mirrored.put(make_item("a"))
        load_days(mirrored)  # while the server runs
        assert ask.rows("SELECT id FROM search") == [{"id": "a"}]
        assert "it has " in ask.refused("preview_table", pipeline_name=PIPELINE, table_name="none")
    assert destination != "duckdb" or DUCKDB_FILE.exists()
    assert before <= {path for path in project.rglob("*") if path.is_file()}


def test_loads_and_the_server_do_not_lock_each_other_out(mirrored: StacApi, project: Path) -> None:
    mirrored.put(make_item("a"))
    load_days(mirrored)
    with assistant(project) as ask:
        assert ask.rows("SELECT id FROM search") == [{"id": "a"}]
        mirrored.put(make_item("b"))
        load_days(mirrored)
        assert len(ask.rows("SELECT id FROM search")) == 2
        with duckdb.connect(str(DUCKDB_FILE)):  # as a load has it while it stores
            for tool, arguments in {
                "execute_sql_query": asked("SELECT id FROM search"),
                "get_row_counts": {"pipeline_name": PIPELINE},
                "list_partitions": {},
            }.items():
                told = ask.refused(tool, **arguments)
                assert f"{DUCKDB_FILE} is busy" in told and "PID" in told and "Ask again" in told
        assert len(ask.rows("SELECT id FROM search")) == 2


def test_two_catalogs_in_one_file(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with StacApi(items=[make_item("w", "c2")]) as west:
        api.put(make_item("e"))
        for name, url in {"EAST": api.url, "WEST": west.url}.items():
            monkeypatch.setenv(f"{SETTING}CATALOGS__{name}__BASE_URL", url)
        enter_project(project, monkeypatch)
        for name, collection in {"east": "c1", "west": "c2"}.items():
            days = ["--collection", collection, "--start", "2024-01-01", "--end", "2024-01-01"]
            subprocess.run([*MODULE, "load", "--catalog", name, *days], check=True, capture_output=True)
        with assistant(project) as ask:
            assert ask.told("list_pipelines") == ["east", "west"]
            told = ask.refused("list_partitions")
            assert "several catalogs are configured; name one of: east, west" in told
            assert ask.told("list_partitions", catalog="west")["collections"][0]["collection"] == "c2"
            query = "SELECT catalog, id FROM stac.items UNION ALL SELECT 'west', id FROM west.search"
            found = [(row["catalog"], row["id"]) for row in ask.rows(query, "east")]
            assert sorted(found) == [("east", "e"), ("west", "w"), ("west", "w")]
            assert ask.rows("SELECT id FROM search", "west") == [{"id": "w"}]
            assert len(ask.told("list_changes", catalog="east")["changes"]) == 1


def test_only_the_protocol_goes_to_stdout_and_nobody_else_is_called(
    mirrored: StacApi, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is called is written down by the interpreter, in the server and in what it starts."""
    mirrored.put(make_item("a"))
    load_days(mirrored)
    spy, calls = tmp_path / "spy", tmp_path / "calls"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(
        "import sys\n"
        "def hook(event, given):\n"
        "    if event == 'socket.getaddrinfo' or (event == 'socket.connect' and given[0].family != 1):\n"
        f"        open({str(calls)!r}, 'a').write(str(given[0 if 'addr' in event else 1]) + '\\n')\n"
        "sys.addaudithook(hook)\n"
    )
    telling = {"RUNTIME__DLTHUB_TELEMETRY": "true", "RUNTIME__LOG_LEVEL": "DEBUG"}
    with assistant(project, "-vv", PYTHONPATH=f"{spy}:{REPOSITORY}", **telling) as ask:
        # the client fails at a line that is none of the protocol
        ask.told("check", collections=["c1"])
        assert len(ask.rows("SELECT id FROM search")) == 1
    called = set(calls.read_text().split("\n")) - {""}
    assert called and all("127.0.0.1" in each or "localhost" in each for each in called), called


def test_the_tools_are_those_of_the_page(mirrored: StacApi, project: Path) -> None:
    documented = {row["tool"].strip("`") for row in table("docs/assistants.md", "tool")}
    with assistant(project) as ask:
        tools = ask.tools()
    assert set(tools) == documented
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools.values())


def test_the_file_that_registers_it_starts_it(project: Path) -> None:
    for file in (REPOSITORY / ".mcp.json", REPOSITORY / "stac_assets" / "cli" / "project" / "mcp.json"):
        (server,) = json.loads(file.read_text(encoding="utf-8"))["mcpServers"].items()
        assert server[0] == "stac-assets" and server[1]["args"] == ["mcp"]
        command = Path(sys.executable).parent / Path(server[1]["command"]).name
        asked_for = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
        done = subprocess.run(
            [command, "mcp"], cwd=project, input=asked_for, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and json.loads(done.stdout)["id"] == 1


def test_dlt_itself_finds_the_pipeline_of_a_project(mirrored: StacApi, project: Path) -> None:
    from dlt._workspace.cli.utils import list_local_pipelines

    mirrored.put(make_item("a"))
    load_days(mirrored)
    for folder, names in ((project, [PIPELINE]), (project.parent, [])):
        _, found, _ = list_local_pipelines(run_dir=str(folder))
        assert [each["name"] for each in found] == names
