"""What only some destinations can hold, and features that are no objects."""

import json
from pathlib import Path

import pytest

from stac_assets_tests.loads import items, load_days, rows
from stac_assets_tests.stac_api import StacApi, make_item

NUL = make_item("nul", note="a\0b")
ESCAPED = make_item("escaped", note="a\\u0000b")


def test_duckdb_holds_a_nul(project: Path, api: StacApi) -> None:
    for item in (NUL, ESCAPED):
        api.put(item)
    load_days(api)
    assert items() == {("c1", item["id"]): item for item in (NUL, ESCAPED)}


def test_postgres_refuses_a_nul_and_only_that(
    project: Path, api: StacApi, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg2

    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres_url)
    for item in (NUL, ESCAPED):
        api.put(item)
    result = load_days(api, destination="postgres")
    assert (result.figures.items, result.figures.rejected_items) == (1, 1)
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM pystac_client_data.search")
        assert cursor.fetchall() == [("escaped",)]
        cursor.execute("SELECT reason, document FROM pystac_client_data.rejected_items")
        ((reason, document),) = cursor.fetchall()
    assert "U+0000" in reason
    assert json.loads(document) == NUL


def test_a_feature_that_is_no_object_is_rejected_and_counted(project: Path, api: StacApi) -> None:
    api.put(make_item("a"))

    def with_scalars(page: dict, request: object) -> dict:
        return {**page, "features": [3, *page["features"], None]}

    api.on_page = with_scalars
    result = load_days(api)
    assert result.figures.rejected_items == 2
    assert [row["id"] for row in rows()] == ["a"]
    assert {row["document"] for row in rows("rejected_items")} == {"3", "null"}
