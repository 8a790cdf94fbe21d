"""`stac-assets export`: what it says, and what it refuses."""

from pathlib import Path

import pytest

from stac_assets_tests.commanding import QUICK, SETTING, Run, runner
from stac_assets_tests.geoparquet.exporting import ids_in, names, scene
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi


@pytest.fixture
def run(
    api: StacApi, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs commands on a table with items of three days."""
    for name, value in {**QUICK, "BASE_URL": api.url}.items():
        monkeypatch.setenv(SETTING + name, value)
    for day in (1, 2, 3):
        api.put(scene(1, day, odd=day if day < 3 else "three"))
    load_days(api, last="2024-01-03")
    return runner(capsys)


def test_it_says_what_it_wrote_and_what_the_format_cannot_hold(run: Run, project: Path) -> None:
    said = run("export", "--collection", "c1", "--to", "out")
    assert said.status == 0 and "c1 → 3 items in 3 files" in said.out
    assert "properties of several types, or of more than 100 members, as text: 1: odd" in said.out
    assert "without the document of the collection" in said.out
    assert len(names(project / "out")) == 3


def test_days_and_one_file(run: Run, project: Path) -> None:
    days = ("--start", "2024-01-02", "--end", "2024-01-03")
    said = run("export", "--collection", "c1", *days, "--to", "some.parquet")
    assert said.status == 0 and "2 items in 1 file" in said.out
    assert sorted(ids_in(project / "some.parquet")) == ["scene-2-1", "scene-3-1"]


def test_nothing_to_export(run: Run) -> None:
    said = run("export", "--collection", "c2", "--to", "out")
    assert said.status == 1 and "holds no items of c2" in said.err


def test_what_it_refuses(run: Run) -> None:
    assert run("export", "--collection", "*", "--to", "out").status == 1
    assert run("export", "--collection", "c1", "--start", "yesterday", "--to", "out").status == 1
    assert "is no place for files" in run("export", "--collection", "c1", "--to", "nosuch://items").err
    backwards = ("--start", "2024-01-03", "--end", "2024-01-01")
    assert "is after --end" in run("export", "--collection", "c1", *backwards, "--to", "out").err
    with pytest.raises(SystemExit):
        run("export", "--collection", "c1", "--collection", "c2", "--to", "out.parquet")
    with pytest.raises(SystemExit):
        run("export", "--collection", "c1")
