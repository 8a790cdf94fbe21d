"""`stac-assets init`: the files that it writes, what it takes from the API, the commands that it prints."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stac_assets.cli.main import main
from stac_assets.cli.new_project import FILES
from stac_assets.settings import Settings, read_settings
from stac_assets.stac.windows import Granularity
from stac_assets_tests.conftest import REPOSITORY, enter_project
from stac_assets_tests.stac_api import StacApi, make_collection, make_item

SECTION = "sources.pystac_client_source"


@pytest.fixture
def dense(api: StacApi) -> StacApi:
    """An API that sorts, with two collections, which begin on different days."""
    api.extensions = ("sortby",)
    for day in range(1, 10):
        api.put(make_item(f"a{day}", "c1", f"2023-05-{day:02}T10:00:00Z"))
    api.put(make_item("b", "c2", "2023-04-03T10:00:00Z"))
    return api


def init(folder: Path, *flags: str) -> int:
    return main(["init", str(folder), *flags])


def configured(folder: Path, section: str = SECTION) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((folder / ".dlt" / "config.toml").read_text(encoding="utf-8"))
    for name in section.split("."):
        found = found[name]
    return found


def printed(out: str) -> list[str]:
    """The commands that it says come next."""
    return [line.strip() for line in out.partition("Next:\n")[2].splitlines()]


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_the_api_has_is_in_the_settings_and_the_first_command_loads_it(
    project: Path, dense: StacApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "new" / "it's mine"
    assert init(folder, "--base-url", dense.url) == 0
    assert written(folder) == set(FILES)
    settings = configured(folder)
    assert settings.pop("granularity") in set(Granularity)
    assert settings == {"base_url": dense.url, "collections": ["c1", "c2"], "start_date": "2023-04-03"}
    first, second = printed(capsys.readouterr().out)
    assert " load --collection c" in first
    done = subprocess.run(["bash", "-c", first], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(folder / "pystac_client.duckdb", read_only=True) as database:
        (count,) = database.execute("SELECT count(*) FROM pystac_client_data.search").fetchall()[0]
    assert count >= 1
    assert second.endswith("dagster dev") and second.startswith("cd ")
    enter_project(folder, monkeypatch)
    assert read_settings().collections == ("c1", "c2")


def test_commands_of_an_api_that_does_not_sort_name_what_it_claims(project: Path, api: StacApi) -> None:
    extent = {"temporal": {"interval": [["2023-04-03T00:00:00Z", "2023-05-09T00:00:00Z"]]}}
    api.collections.append({**make_collection("claimed"), "extent": extent})
    api.put(make_item("a", "claimed", "2023-05-02T10:00:00Z"))
    assert init(project / "new", "--base-url", api.url) == 0
    page = (project / "new" / "AGENTS.md").read_text(encoding="utf-8")
    assert "stac-assets load --collection claimed --start 2023-05-09 --end 2023-05-09" in page


def test_links_that_lead_nowhere_are_not_written_through(project: Path, dense: StacApi) -> None:
    for name in ("AGENTS.md", ".dlt"):
        folder = project / f"with {name}"
        folder.mkdir()
        (folder / name).symlink_to(project / "nowhere")
        assert init(folder, "--base-url", dense.url) == 1
        assert [path.name for path in folder.iterdir()] == [name] and not (project / "nowhere").exists()


def test_of_many_collections_all_are_written(project: Path, api: StacApi) -> None:
    for number in range(11):
        api.put(make_item("a", f"c{number}", "2023-05-01T10:00:00Z"))
    assert init(project / "new", "--base-url", api.url) == 0
    assert configured(project / "new")["collections"] == "*"


def test_an_api_without_search_is_loaded_by_what_it_has(
    project: Path, dense: StacApi, capsys: pytest.CaptureFixture[str]
) -> None:
    dense.fault("/search", status=404, times=None)
    assert init(project / "new", "--base-url", dense.url) == 0
    assert configured(project / "new")["item_assets"] == ["collection_items"]
    first, _ = printed(capsys.readouterr().out)
    assert first.endswith("stac-assets check")
    done = subprocess.run(["bash", "-c", first], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_search_that_is_refused_by_post_is_asked_by_get(project: Path, dense: StacApi) -> None:
    dense.fault(lambda request: request.method == "POST", status=405, times=None)
    assert init(project / "new", "--base-url", dense.url) == 0
    assert configured(project / "new")["search_method"] == "GET"


def test_nothing_is_overwritten(project: Path, dense: StacApi, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project / "new"
    for number, name in enumerate(FILES):
        file = folder / str(number) / name
        file.parent.mkdir(parents=True)
        file.write_text("mine")
        assert init(folder / str(number), "--base-url", dense.url) == 1
        assert f"has {name} already" in capsys.readouterr().err
        assert written(folder / str(number)) == {name} and file.read_text() == "mine"
    (project / "file").write_text("mine")
    assert init(project / "file") == 1
    assert "is no folder" in capsys.readouterr().err
    assert dense.requests == []


def test_a_preset_that_cannot_be_asked_is_written_all_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # so that nobody is asked
    assert init(project / "new", "--preset", "cmr/LPCLOUD") == 0
    assert configured(project / "new") == {"preset": "cmr/LPCLOUD", "collections": "*"}
    out = capsys.readouterr().out
    assert "https://cmr.earthdata.nasa.gov/stac/LPCLOUD told nothing of its collections and days:" in out
    assert printed(out)[0].endswith("stac-assets check")
    assert "stac-api/cmr.earthdata.nasa.gov 2" in (project / "new" / "dagster.yaml").read_text()
    assert init(project / "other", "--preset", "cmr") == 1
    assert "expected 'cmr/PROVIDER'" in capsys.readouterr().err
    assert not (project / "other").exists()


def test_a_catalog_has_a_section_of_its_own(
    project: Path, dense: StacApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(project / "new", "--base-url", dense.url, "--catalog", "east") == 0
    assert configured(project / "new", f"{SECTION}.catalogs.east")["collections"] == ["c1", "c2"]
    assert configured(project / "new").keys() == {"catalogs"}
    secrets = (project / "new" / ".dlt" / "secrets.toml.example").read_text()
    assert tomllib.loads(secrets)["sources"]["pystac_client_source"]["catalogs"]["east"]["api_key"]
    assert "[sources.pystac_client_source.catalogs.east.credentials]" in secrets
    first, second = printed(capsys.readouterr().out)
    assert first.endswith(" --catalog east") and second.endswith("dagster dev")
    assert init(project / "other", "--base-url", dense.url, "--catalog", "Not So") == 1
    assert not (project / "other").exists()


def test_the_files_are_those_of_a_clone() -> None:
    source = REPOSITORY / "stac_assets" / "cli" / "project"
    for name in ("dagster.yaml", "workspace.yaml"):
        assert (source / name).read_text() == (REPOSITORY / name).read_text()
    ours = tomllib.loads((REPOSITORY / ".dlt" / "config.toml").read_text())
    new = tomllib.loads((source / "config.toml").read_text())
    assert new == ours | {"sources": {"pystac_client_source": {}}}
    assert Settings().base_url == ours["sources"]["pystac_client_source"]["base_url"]  # what `init DIR` asks
    assert set((source / "gitignore").read_text().splitlines()[1:]) < set(
        (REPOSITORY / ".gitignore").read_text().splitlines()
    )


def test_presets_are_listed_and_one_is_printed_with_its_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    out = capsys.readouterr().out
    assert "cdse  https://stac.dataspace.copernicus.eu/v1\n    Copernicus" in out
    assert "    requests_per_second = 5\n" in out
    assert "cmr/PROVIDER  https://cmr.earthdata.nasa.gov/stac/{provider}\n" in out
    for name in ("cmr", "cmr/LPCLOUD"):
        assert main(["presets", name]) == 0
        assert "nasa/cmr-stac#152" in capsys.readouterr().out
    assert main(["presets", "cdsee"]) == 1
    assert "expected one of" in capsys.readouterr().err
