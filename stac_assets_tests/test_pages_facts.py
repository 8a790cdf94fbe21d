"""What the documentation says of the code, held against the code: tables, links, paths, lengths."""

import re
from pathlib import Path

import pytest

from stac_assets.orchestration.checks import checks_of
from stac_assets.source.columns import ITEM_COLUMNS, ITEM_TABLES
from stac_assets.source.dialects import DIALECTS, Locking
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.commands import make_targets
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.pages import FENCE, LINK, PAGES, anchors, prose, read, table

CODE = re.compile(r"`([^`]+)`")


def named(cell: str) -> list[str]:
    """What stands in a cell as code."""
    return CODE.findall(cell)


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 162


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_a_page(page: Path) -> None:
    text = read(page)
    assert text.count("```") == 2 * len(FENCE.findall(text)), "a fence that no test would find"
    assert not re.search(r"(?<=\n\n)(    |\t)\S", prose(text)), (
        "code without a fence, which no test would find"
    )
    for link in LINK.findall(prose(text)):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(REPOSITORY) and target.exists(), link
        if fragment:
            assert fragment in anchors(read(target)), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {(REPOSITORY / link.partition("#")[0]).resolve() for link in LINK.findall(read("README.md"))}
    assert {page for page in PAGES if page.name != "README.md"} <= reached


def test_the_assets() -> None:
    rows = table("README.md", "asset = table")
    partitions = {(): "–", ("collection",): "collection", ("collection", "date"): "collection × date"}
    assert {row["asset = table"]: row["partitions"] for row in rows} == {
        f"`{name}`": partitions[endpoint.partitioned_by] for name, endpoint in ENDPOINTS.items()
    }


def test_the_columns_of_search() -> None:
    told = {
        row["column"].strip("`"): (row["type"], row["meaning"]) for row in table("docs/query.md", "column")
    }
    assert told == {
        name: (
            f"{column.get('data_type')}{'' if column.get('nullable', True) else ', never null'}",
            column.get("description"),
        )
        for name, column in ITEM_COLUMNS.items()
    }


def test_the_checks() -> None:
    every, of_items, of_collections = (
        set(checks_of(ENDPOINTS[name])) for name in ("client_root", ITEM_TABLES[0], "collections")
    )
    expected = {
        "every asset": every,
        "item tables": of_items - every,
        "`collections`": of_collections - every,
    }
    told: dict[str, set[str]] = {}
    for row in table("docs/dagster.md", "check"):
        told.setdefault(row["on"], set()).update(named(row["check"]))
    assert told == expected


def test_the_targets_of_make() -> None:
    told = [name for row in table("docs/development.md", "target") for name in named(row["target"])]
    assert len(told) == len(set(told))
    shown = set(told) | {f"make {name}" for name in ("demo", "ui", "check")}
    assert shown == {f"make {name}" for name in make_targets()}


def test_the_house_has_the_rooms_that_are_named() -> None:
    text = read("docs/architecture.md")
    for name in named(text):
        if re.fullmatch(r"[\w/]+(/|\.py)", name):
            folders = (REPOSITORY, REPOSITORY / "stac_assets")
            assert any((folder / name).exists() for folder in folders) or name == "__init__.py", name


def test_the_glossary_is_short() -> None:
    assert 0 < len(table("docs/architecture.md", "word")) <= 20


def test_what_keeps_stores_apart() -> None:
    names = {"delta tables": "filesystem", "plain parquet": "filesystem", "postgresql": "postgres"}
    told: list[tuple[set[str], set[Locking]]] = []
    for row in table("docs/operations.md", "destination"):
        named_here = {names.get(name, name) for name in row["destination"].lower().split(", ")}
        told.append((named_here, {DIALECTS[name].locking for name in named_here}))
    assert all(len(locking) == 1 for _, locking in told)
    assert set().union(*(named_here for named_here, _ in told)) == set(DIALECTS)
