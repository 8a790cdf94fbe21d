"""The way of rows into PostgreSQL: every value arrives as it was sent, in whatever form it is copied."""

import json
import os
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from stac_assets.pipeline.errors import StoreFailed
from stac_assets_tests.loads import items, load_days
from stac_assets_tests.reading import DATASET, POSTGRES_URL, query_postgres, rows
from stac_assets_tests.stac_api import StacApi, make_item

TEXTS = [
    *(
        "",
        " ",
        "\\N",
        "\\.",
        "\\",
        "\\\\n",
        '"',
        '""',
        "'",
        ",",
        ";",
        "\t",
        "NULL",
        "null",
        "NaN",
        "{}",
        "true",
    ),
    *(
        "a\nb",
        "a\r\nb",
        "\n\\.\n",
        "\x01\x7f",
        "\u2028",
        "\ufeff",
        "ü",
        "雪",
        "🛰",
        "\U0010ffff",
        "x" * 70_000,
    ),
]
NUMBERS = [0, -1, 1.5, -0.0, 1e308, -5e-324, 0.1, 2**53, -(2**53), 1e22, 123456789.123456789]
TIMES = [
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "2000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9Z",
]


@pytest.fixture(autouse=True)
def in_postgresql(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, postgres_url)


def execute(sql: str) -> None:
    """Execute a statement on the server as its owner would."""
    with psycopg2.connect(os.environ[POSTGRES_URL]) as connection, connection.cursor() as cursor:
        cursor.execute(sql)


def odd_items() -> list[dict[str, Any]]:
    """Items with values of each type, each of which some item lacks, and some item has as null."""
    number = max(map(len, (TEXTS, NUMBERS, TIMES)))
    found: list[dict[str, Any]] = []
    for at in range(number):
        values: dict[str, Any] = {"title": TEXTS[at % len(TEXTS)], "nothing": None}
        if at % 3:
            values["number"] = NUMBERS[at % len(NUMBERS)]
        if at % 4:
            values["published"] = TIMES[at % len(TIMES)]
        if at % 2:
            values["flag"] = at % 4 == 1
        item = make_item(f"i{at:02}", **values)
        if at % 5 == 0:
            del item["stac_version"], item["links"]
        item["assets"] = {TEXTS[at]: {"href": TEXTS[at], "title": TEXTS[-1 - at]}}
        found.append(item)
    return found


def with_a_double(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties whose number is as it was sent: jsonb writes all digits of it, and no exponent."""
    number = properties.get("number")
    return properties if number is None else {**properties, "number": float(number)}


def check(sent: list[dict[str, Any]]) -> None:
    """Assert that the table holds these items, and the values of their columns."""
    assert [with_a_double(item["properties"]) for item in items().values()] == [
        item["properties"] for item in sent
    ]
    assert [{**item, "properties": {}} for item in items().values()] == [
        {**item, "properties": {}} for item in sent
    ]
    for row, item in zip(rows(), sent, strict=True):
        properties = item["properties"]
        assert row["title"] == properties["title"]
        assert row["flag"] == properties.get("flag")
        assert row["number"] == properties.get("number")
        assert (row["published"] is None) is ("published" not in properties)
        if "published" in properties and not properties["published"].startswith(("0001", "9999")):
            assert row["published"].isoformat().replace("+00:00", "Z") == properties["published"]


def test_every_value_arrives_as_it_was_sent(api: StacApi) -> None:
    sent = odd_items()
    for item in sent:
        api.put(item)
    for _ in range(2):
        result = load_days(api)
        assert result.misfits == {}
        check(sent)


@pytest.mark.parametrize(
    ("column", "data_type"),
    [("title", "text"), ("title", "varchar(80000)"), ("properties", "json")],
)
def test_a_column_of_another_type_that_holds_the_values_is_filled(
    api: StacApi, column: str, data_type: str
) -> None:
    sent = odd_items()
    for item in sent:
        api.put(item)
    load_days(api)
    execute(f"ALTER TABLE {DATASET}.search ALTER {column} TYPE {data_type}")
    load_days(api)
    (row,) = query_postgres(f"SELECT title, number FROM {DATASET}.search WHERE id = 'i01'")
    assert (row["title"], float(row["number"])) == (" ", -1)
    documents = query_postgres(f"SELECT properties::text FROM {DATASET}.search ORDER BY id")
    found = [with_a_double(json.loads(row["properties"])) for row in documents]
    assert found == [item["properties"] for item in sent]


def test_columns_that_come_later_and_those_of_somebody_else(api: StacApi) -> None:
    api.put(make_item("a", title="T"))
    load_days(api)
    execute(f"ALTER TABLE {DATASET}.search ADD seen boolean DEFAULT true")
    api.put(make_item("b", gsd=10))
    load_days(api)
    found = query_postgres(f"SELECT id, title, gsd, seen FROM {DATASET}.search ORDER BY id")
    assert [tuple(row.values()) for row in found] == [("a", "T", None, True), ("b", None, 10, True)]


@pytest.mark.parametrize("data_type", ["bigint", "timestamptz", "integer", "real", "numeric", "text"])
def test_a_column_of_somebody_else_is_not_filled_with_the_bytes_of_another_type(
    api: StacApi, data_type: str
) -> None:
    api.put(make_item("a", title="T"))
    load_days(api)
    execute(f"ALTER TABLE {DATASET}.search ADD gsd {data_type}")
    api.put(make_item("b", gsd=10.5))
    with pytest.raises(StoreFailed, match=r"column gsd of the table search is .+ double precision"):
        load_days(api)
    assert query_postgres(f"SELECT id, gsd FROM {DATASET}.search") == [{"id": "a", "gsd": None}]
    execute(f"ALTER TABLE {DATASET}.search RENAME gsd TO mine")
    load_days(api)
    found = query_postgres(f"SELECT gsd FROM {DATASET}.search ORDER BY id")
    assert [row["gsd"] for row in found] == [None, 10.5]


def test_a_column_whose_type_is_a_domain_is_filled(api: StacApi) -> None:
    api.put(make_item("a", title="T"))
    load_days(api)
    execute("CREATE DOMAIN document AS jsonb")
    execute(f"ALTER TABLE {DATASET}.search ALTER assets TYPE document")
    load_days(api)
    assert list(items().values()) == [make_item("a", title="T")]


def compressions() -> set[str | None]:
    found = query_postgres(f"SELECT pg_column_compression(assets) AS how FROM {DATASET}.search")
    return {row["how"] for row in found}


def test_long_documents_are_compressed_as_fast_as_the_server_can(api: StacApi) -> None:
    ((offered,),) = [
        row.values()
        for row in query_postgres(
            "SELECT 'lz4' = ANY(enumvals) AS lz4 FROM pg_settings WHERE name = 'default_toast_compression'"
        )
    ]
    api.put({**make_item("a"), "assets": {"a": {"href": "x" * 10_000}}})
    load_days(api)
    assert compressions() == {"lz4" if offered else "pglz"}
    (name,) = query_postgres("SELECT current_database() AS name")
    execute(f"ALTER DATABASE {name['name']} SET default_toast_compression = 'pglz'")
    load_days(api)
    assert compressions() == {"pglz"}, "somebody has chosen that"
