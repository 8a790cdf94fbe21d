"""Rows of PostgreSQL with hundreds of filled columns: what no page holds stays in the document."""

from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.loads import items, load_days, rows, without_load_id
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi, make_item


@pytest.fixture(autouse=True)
def in_postgresql(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, postgres_url)


def mixed(number: int) -> Any:
    """A number, a truth, or a text: short, just short enough to be stored within the row, or long."""
    return (1.5, True, "s", "t" * 23, "é" * 12, "u" * 300)[number % 6]


MANY: dict[str, dict[str, Any]] = {
    "texts within the row": {f"p{n:04}": "t" * 23 for n in range(400)},
    "mixed": {f"p{n:04}": mixed(n) for n in range(600)},
    "truths and numbers": {f"p{n:04}": (True, 2.5)[n % 2] for n in range(1000)},
}


@pytest.mark.parametrize("kind", MANY)
def test_a_row_keeps_what_it_holds_and_the_rest_is_counted(api: StacApi, kind: str) -> None:
    sent = [
        make_item("few", p0000=MANY[kind]["p0000"], p0399=MANY[kind]["p0399"]),
        make_item("many", **MANY[kind]),
    ]
    for item in sent:
        api.put(item)
    result = load_days(api)
    assert list(items().values()) == sent
    few, many = rows()
    assert few["p0399"] == MANY[kind]["p0399"], "a row of few values keeps all"
    kept = [name for name in MANY[kind] if many[name] is not None]
    assert {name: many[name] for name in kept} == {name: MANY[kind][name] for name in kept}
    assert result.misfits == dict.fromkeys(MANY[kind].keys() - set(kept), 1)
    assert len(kept) >= 300 and result.misfits

    before = without_load_id(rows())
    api.remove("c1", "few")
    again = load_days(api)
    assert without_load_id(rows()) == before[1:] and again.misfits == result.misfits


def test_as_many_as_fit_lose_nothing(api: StacApi) -> None:
    properties = {f"p{n:04}": 0.5 for n in range(900)}
    api.put(make_item("a", **properties))  # type: ignore[arg-type]
    result = load_days(api)
    (row,) = rows()
    assert result.misfits == {} and all(row[name] == 0.5 for name in properties)
