"""The commands with several catalogs: `--catalog` names one, and `catalogs` lists them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stac_assets.cli.main import main
from stac_assets_tests.catalogs.naming import configure, variable
from stac_assets_tests.commanding import Run, runner
from stac_assets_tests.loads import QUICK
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item

DAY = ("--start", "2024-01-01", "--end", "2024-01-01")


@pytest.fixture
def apis() -> Iterator[tuple[StacApi, StacApi]]:
    """Two APIs, of which each has an item of its own."""
    with StacApi(items=[make_item("e", "c1")]) as east, StacApi(items=[make_item("w", "c2")]) as west:
        yield east, west


@pytest.fixture
def run(
    project: Path,
    apis: tuple[StacApi, StacApi],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command in a project folder with the two of them as catalogs."""
    east, west = apis
    configure(project, monkeypatch, common=QUICK, east={"base_url": east.url}, west={"base_url": west.url})
    return runner(capsys)


def test_each_is_loaded_into_a_schema_of_its_own(run: Run, apis: tuple[StacApi, StacApi]) -> None:
    for name in ("east", "west"):
        assert run("load", "--catalog", name, *DAY).status == 0
    found = "SELECT id FROM east.search UNION ALL SELECT id FROM west.search ORDER BY 1"
    assert query(found) == [{"id": "e"}, {"id": "w"}]
    east, west = apis
    west.remove("c2", "w")
    west.put(make_item("w2", "c2"))
    east.clear()
    assert run("load", "--catalog", "west", *DAY).status == 0
    assert query(found) == [{"id": "e"}, {"id": "w2"}]


@pytest.mark.parametrize("command", ["load", "check", "show"])
def test_a_command_without_a_name_lists_them_and_does_nothing(
    run: Run, apis: tuple[StacApi, StacApi], command: str
) -> None:
    said = run(command)
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("error: several catalogs are configured: east, west; name one by --catalog")
    said = run(command, "--catalog", "wets")
    assert "there is no catalog 'wets'; did you mean 'west'?" in said.err
    assert not any(api.requests for api in apis)


def test_check_asks_one_of_them(run: Run, apis: tuple[StacApi, StacApi]) -> None:
    east, west = apis
    said = run("check", "--catalog", "west")
    assert said.status == 0
    assert west.requests and not east.requests
    assert f"API    {west.url}" in said.out
    assert "[sources.pystac_client_source.catalogs.west]" in said.out  # what it recommends
    assert "in range: from 1900-01-01" in said.out
    said = run("check", "--catalog", "new", "--base-url", east.url)
    assert said.status == 0 and east.requests


def test_an_advice_names_the_section(run: Run, apis: tuple[StacApi, StacApi]) -> None:
    apis[0].has_search = False
    said = run("check", "--catalog", "east")
    assert "under [sources.pystac_client_source.catalogs.east]" in said.err


def test_show_names_the_catalog_that_was_not_loaded(run: Run) -> None:
    said = run("show", "--catalog", "west", "--headless")
    assert "holds no pipeline west" in said.err
    assert "Run `stac-assets load --catalog west` first" in said.err


def test_catalogs_are_listed_without_asking(run: Run, apis: tuple[StacApi, StacApi], project: Path) -> None:
    said = run("catalogs")
    assert (said.status, said.err) == (0, "")
    head, *lines = (line.split() for line in said.out.splitlines())
    assert head == ["catalog", "API", "collections", "dataset", "where"]
    file = str(project / "pystac_client.duckdb")
    assert lines == [
        [name, api.url, "*", name, file] for name, api in zip(("east", "west"), apis, strict=True)
    ]
    assert not any(api.requests for api in apis)
    assert not (project / "pystac_client.duckdb").exists()


def test_one_that_cannot_be_used_does_not_hide_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("west", "page_size"), "many")
    said = run("catalogs")
    assert said.status == 1
    assert [line.split()[0] for line in said.out.splitlines()] == ["catalog", "east"]
    assert "error: [sources.pystac_client_source.catalogs.west]: page_size is 'many'" in said.err
    assert run("load", "--catalog", "east", *DAY).status == 0


def test_the_unnamed_one_is_listed_as_such(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogs"]) == 0
    line = capsys.readouterr().out.splitlines()[1].split()
    assert line[:4] == [
        "(unnamed)",
        "https://earth-search.aws.element84.com/v1",
        "sentinel-2-l2a",
        "pystac_client_data",
    ]


def test_a_load_of_one_that_has_another_base_url_now(run: Run, apis: tuple[StacApi, StacApi]) -> None:
    """Its dataset mirrors one API, and the error says where another dataset is named for this catalog."""
    assert run("load", "--catalog", "east", *DAY).status == 0
    said = run("load", "--catalog", "east", "--base-url", apis[1].url, *DAY)
    assert said.status == 1
    assert f"this dataset mirrors {apis[0].url}, not {apis[1].url}" in said.err
    assert "`dataset_name` under [sources.pystac_client_source.catalogs.east]" in said.err
