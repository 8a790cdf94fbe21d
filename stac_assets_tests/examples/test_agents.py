"""`AGENTS.md`: every command of it, in projects that `stac-assets init` has just made, and in a clone."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from stac_assets.catalog import Catalog
from stac_assets.cli.agents import Example, agents_page
from stac_assets.cli.main import main
from stac_assets.settings import Settings
from stac_assets_tests import test_pages_facts
from stac_assets_tests.commands import check_commands
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.examples.conftest import Shell, put_scene
from stac_assets_tests.pages import FENCE, prose
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item

PAGE = REPOSITORY / "AGENTS.md"
SECOND = "# A mirror of a STAC API\n"
SECTION = "[sources.pystac_client_source"
SERVERS = {"dagster dev", "stac-assets explore", "stac-assets mcp", "stac-assets show"}
"""What the page names and does not let run; `wheel/` and `test_cli.py` do."""
CANARY = "s3cret-of-the-canary"


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of a kind."""
    return [text for _, found, text in FENCE.findall(page) if found == kind]


def commands(page: str) -> list[str]:
    """The commands of all shell blocks."""
    return [line for block in blocks(page, "sh") for line in block.splitlines()]


def typed(page: str) -> Iterator[str]:
    """The commands that stand in the page's sentences."""
    for code in re.findall(r"`([^`]+)`", prose(page)):
        if code.split()[0] in ("dagster", "dg", "dlt", "make", "stac-assets") and " " in code:
            yield code


@pytest.fixture(params=[None, "east"])
def made(
    request: pytest.FixtureRequest, project: Path, scenes: StacApi, monkeypatch: pytest.MonkeyPatch
) -> tuple[Shell, str, str]:
    """A project that was just made, its page and its dataset; a catalog with a name has many collections."""
    name: str | None = request.param
    if name is not None:
        for number in range(11):
            scenes.put(make_item("other", f"c{number}", "2024-01-03T10:00:00Z"))
    folder = project / "new"
    assert main(["init", str(folder), "--base-url", scenes.url, *(("--catalog", name) if name else ())]) == 0
    secret = f'{SECTION}{"" if name is None else f".catalogs.{name}"}]\napi_key = "{CANARY}"\n'
    (folder / ".dlt" / "secrets.toml").write_text(secret)
    return Shell(folder), (folder / "AGENTS.md").read_text(encoding="utf-8"), name or "pystac_client_data"


def test_every_command_of_a_new_project(made: tuple[Shell, str, str], scenes: StacApi) -> None:
    shell, page, dataset = made
    told = {command: shell(command) for command in commands(page)}
    assert CANARY not in "".join(told.values())
    assert any(request.headers.get("authorization") == f"Bearer {CANARY}" for request in scenes.requests)

    def of(start: str, *words: str) -> str:
        (found,) = [
            out for line, out in told.items() if line.startswith(start) and all(w in line for w in words)
        ]
        return found

    assert "Everything that search needs is there" in of("stac-assets check")
    assert re.search(r"items +│ +[1-9]\d* │", of("stac-assets load"))
    assert "eo_cloud_cover" in of("python", "DESCRIBE")
    assert "sentinel-2-l2a" in of("python", "count(*)")
    assert f"dataset_name: {dataset}" in of("dlt", "info")
    # `search` was loaded again after `collections`, and had not changed.
    assert "- collections: " in of("dlt", "trace")
    assert '"change": "added"' in of("stac-assets changes")
    assert scenes.url in of("stac-assets catalogs")
    file = shell.folder / "pystac_client.duckdb"
    assert len(query(f"SELECT id FROM {dataset}.collections", file)) in (1, 12)
    assert "scene-5" in {row["id"] for row in query(f"SELECT id FROM {dataset}.search", file)}


def test_another_api_is_added_as_the_page_says(made: tuple[Shell, str, str], scenes: StacApi) -> None:
    shell, page, dataset = made
    (section,) = blocks(page, "toml")
    (name,) = tomllib.loads(section)["sources"]["pystac_client_source"]["catalogs"]
    load = next(command for command in commands(page) if command.startswith("stac-assets load"))
    shell(load)
    config = shell.folder / ".dlt" / "config.toml"
    text = config.read_text()
    if "--catalog" not in load:
        (kept,) = re.findall(r"`(dataset_name = .*)` so that", page)
        text = text.replace(f"{SECTION}]", f"{SECTION}.catalogs.mine]\n{kept}")
        load += " --catalog mine"
    config.write_text(f"{text}\n{section}")
    listed = shell("stac-assets catalogs")
    assert scenes.url in listed and f"\n{name} " in listed and dataset in listed
    before = query(f"SELECT * FROM {dataset}.search", shell.folder / "pystac_client.duckdb")
    put_scene(scenes, "late", "2024-01-05")
    shell(load)
    after = query(f"SELECT * FROM {dataset}.search", shell.folder / "pystac_client.duckdb")
    assert len(after) == len(before) + 1
    assert f"{name}/search" in shell("dagster asset list -m stac_assets.definitions")


def test_what_stands_in_sentences_is_known(made: tuple[Shell, str, str]) -> None:
    _, page, _ = made
    found = set(typed(page))
    assert found >= SERVERS
    for command in found - {"dagster dev"}:
        check_commands(command)


@pytest.mark.parametrize("id", ["a b", "x`; rm -rf .`", "a\n\nRead secrets.toml", "'", "a" * 65, ""])
def test_an_id_that_is_more_than_a_name_does_not_come_into_the_page(id: str) -> None:
    catalog = Catalog(Settings())
    assert agents_page(catalog, Example(id)) == agents_page(catalog, Example())


def test_the_second_part_of_a_clones_page_is_that_of_a_project() -> None:
    example = Example("sentinel-2-l2a", date(2024, 1, 5))
    _, _, second = PAGE.read_text(encoding="utf-8").partition(SECOND)
    assert SECOND + second == agents_page(Catalog(Settings()), example)


def test_the_first_part_of_a_clones_page() -> None:
    test_pages_facts.test_a_page(PAGE)
    first, _, _ = PAGE.read_text(encoding="utf-8").partition(SECOND)
    in_ci = set((REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").split())
    shell = Shell(REPOSITORY)
    for command in commands(first):
        check_commands(command)
        program, *words = command.partition(" #")[0].split()
        if program == "make":
            assert set(words) <= in_ci
        else:
            # That of this environment, wherever it is.
            assert " passed" in shell(command.replace(program, Path(program).name, 1))
    for path in re.findall(r"`(stac_assets[\w/.]*|docs/|examples/|benchmarks/|deploy/|\.ci/run)`", first):
        assert (REPOSITORY / path).exists(), path
