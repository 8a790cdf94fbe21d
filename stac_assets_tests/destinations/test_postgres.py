"""PostgreSQL as a destination: its types, its indexes, its names, and what it cannot hold.

That partitions are exact and items lossless there is what the suite of DuckDB says too, which runs with
`--destination=postgres`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

from stac_assets.pipeline.destinations.postgres import INDEXES, index_name
from stac_assets.source.columns import CATALOG_COLUMNS, ITEM_COLUMNS, ITEM_TABLES, REJECTED, REJECTED_COLUMNS
from stac_assets.source.dialects import DIALECTS
from stac_assets.source.rows import item_from_row
from stac_assets_tests.jsonb import spelled_by_jsonb
from stac_assets_tests.loads import ids, items, load_catalog, load_days
from stac_assets_tests.reading import DATASET, POSTGRES_URL, in_postgres, query_postgres, rows
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_lossless import BAD, NOON

POSTGRES_TYPES = {
    "text": "character varying",
    "double": "double precision",
    "bigint": "bigint",
    "bool": "boolean",
    "timestamp": "timestamp with time zone",
    "json": "jsonb",
}
CATALOG = ("client_root", "conformance", "landing_pages", "collections", "collection", "queryables")


@pytest.fixture(autouse=True)
def in_postgresql(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    monkeypatch.setenv(POSTGRES_URL, postgres_url)
    assert in_postgres()


def types_of(table: str) -> dict[str, str]:
    """PostgreSQL's own name of the type of each column."""
    found = query_postgres(
        "SELECT column_name AS name, data_type AS type FROM information_schema.columns "
        f"WHERE table_schema = '{DATASET}' AND table_name = '{table}' ORDER BY ordinal_position"
    )
    return {row["name"]: row["type"] for row in found}


def indexes() -> dict[str, str]:
    """How each index of the dataset is made, by its name."""
    found = query_postgres(f"SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = '{DATASET}'")
    return {row["indexname"]: row["indexdef"] for row in found}


def test_the_nine_tables_and_the_rejected_have_the_types_that_postgresql_offers(api: StacApi) -> None:
    api.collections = [make_collection("c1")]
    api.put(make_item("a", gsd=10, title="T", published="2024-01-01T00:00:00Z"))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    for table in ITEM_TABLES:
        load_days(api, table, item_ids=["a", "nan"] if table == "item" else None)
    for table in CATALOG:
        load_catalog(api, table, ["c1"])

    described = {**dict.fromkeys(ITEM_TABLES, ITEM_COLUMNS), **CATALOG_COLUMNS, REJECTED: REJECTED_COLUMNS}
    assert len(described) == 10
    for table, columns in described.items():
        wanted = {name: POSTGRES_TYPES[str(column.get("data_type"))] for name, column in columns.items()}
        found = types_of(table)
        assert {name: found[name] for name in wanted} == wanted, table
    promoted = {"gsd": "double precision", "title": "character varying"}
    assert types_of("search").items() >= {**promoted, "published": "timestamp with time zone"}.items()


# Indexes ---------------------------------------------------------------------------------------------


@contextmanager
def executed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that dlt's client executes, with their values."""
    statements: list[str] = []
    execute = Psycopg2SqlClient.execute_sql

    def execute_sql(self: Psycopg2SqlClient, sql: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(self.native_connection.cursor().mogrify(sql, args or None).decode())
        return execute(self, sql, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Psycopg2SqlClient, "execute_sql", execute_sql)
        yield statements


def fill(table: str, days: int = 500, each: int = 400) -> None:
    """Give a table many rows of many days, as few bytes as they can be."""
    query_postgres(
        f"INSERT INTO {DATASET}.{table} (id, collection, _partition_key, _dlt_load_id) "
        f"SELECT 'i' || day || '-' || number, 'c1', 'c1|' || (DATE '2000-01-01' + day), '1' "
        f"FROM generate_series(1, {days}) AS day, generate_series(1, {each}) AS number"
    )
    with_autocommit(f"VACUUM ANALYZE {DATASET}.{table}")


def with_autocommit(sql: str) -> None:
    import os

    import psycopg2

    connection = psycopg2.connect(os.environ[POSTGRES_URL])
    connection.autocommit = True
    try:
        connection.cursor().execute(sql)
    finally:
        connection.close()


def plan(statement: str) -> str:
    """How PostgreSQL would execute a statement, which knows nothing of what is staged."""
    return "\n".join(row["QUERY PLAN"] for row in query_postgres(f"EXPLAIN {statement}"))


@pytest.mark.parametrize("days", [1, 60])
@pytest.mark.parametrize("resource", ["search", "collection_items", "item"])
def test_of_many_rows_a_load_reads_only_those_that_it_replaces(
    api: StacApi, monkeypatch: pytest.MonkeyPatch, resource: str, days: int
) -> None:
    for number in range(days):
        api.put(
            make_item(f"new-{number}", datetime=f"2024-0{1 + number // 28}-{1 + number % 28:02}T12:00:00Z")
        )
    asked: dict[str, Any] = {"item_ids": [f"new-{n}" for n in range(days)]} if resource == "item" else {}
    last = "2024-01-01" if days == 1 or resource == "item" else "2024-03-04"
    load_days(api, resource, last=last, **asked)
    fill(resource)
    for number in range(days):
        day = f"2024-0{1 + number // 28}-{1 + number % 28:02}"
        api.put(make_item(f"new-{number}", datetime=f"{day}T12:00:00Z", changed=True))
    with executed(monkeypatch) as statements:
        load_days(api, resource, last=last, **asked)
    about = [sql for sql in statements if f'"{DATASET}"."{resource}"' in sql]
    (merge,) = [sql for sql in about if sql.startswith("DELETE")]
    for statement in (merge, *(sql for sql in about if sql.startswith("SELECT DISTINCT"))):
        found = plan(statement.partition(";")[0])
        table = f"{resource} d" if f'"{resource}" as d' in statement else f"{resource} "
        assert f"Seq Scan on {table}" not in found, found
        column = "id" if resource == "item" else "_partition_key"
        assert index_name(resource, column) in found, found
    assert len(query_postgres(f"SELECT id FROM {DATASET}.{resource}")) == 200_000 + days


def test_an_index_is_where_a_condition_of_ours_needs_one(api: StacApi) -> None:
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    for table in ITEM_TABLES:
        load_days(api, table, item_ids=["a"] if table == "item" else None)
    wanted = {index_name(table, column) for table, made in INDEXES.items() for _, column in made}
    assert wanted <= set(indexes())
    assert all(len(name.encode()) <= 63 for name in indexes())
    assert "USING btree (_partition_key)" in indexes()["search_partition_key_index"]
    assert "USING hash (id)" in indexes()["item_id_index"]
    staging = query_postgres("SELECT tablename FROM pg_indexes WHERE schemaname LIKE '%staging'")
    assert staging == [], "rows come and go there; an index would only cost"


def test_tables_of_an_earlier_version_get_their_indexes_with_the_next_load(api: StacApi) -> None:
    api.put(make_item("a"))
    load_days(api)
    before = indexes()
    for name in ("search_partition_key_index", "search_id_index"):
        query_postgres(f'DROP INDEX {DATASET}."{name}"')
    api.put(make_item("a", changed=True))
    load_days(api)
    assert indexes() == before


def test_whoever_wants_no_index_gets_none(api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREATE_INDEXES", "false")
    api.put(make_item("a"))
    load_days(api)
    load_days(api)
    assert [name for name in indexes() if name.endswith("_index")] == []
    assert ids() == ["a"]


def test_an_id_may_be_longer_than_an_entry_of_an_index(api: StacApi) -> None:
    from random import Random

    long = "".join(chr(Random(number).randrange(0x4E00, 0x9FFF)) for number in range(3000))
    api.put(make_item(long))
    load_days(api)
    load_days(api)
    assert ids() == [long]


# Names -----------------------------------------------------------------------------------------------


def test_names_of_properties_that_are_longer_than_a_name_may_be(api: StacApi) -> None:
    long = "x" * 70
    properties = {
        f"{long}1": "first",
        f"{long}2": "second",
        "straße:" + "ü" * 60: "several bytes",
        "é" * 63: "nothing but several bytes",
        "n" * 63: "just fits",
        "n" * 64: "just does not",
    }
    sent = make_item("a", **properties)  # type: ignore[arg-type]
    api.put(sent)
    for _ in range(2):
        result = load_days(api)
        assert result.misfits == {}
        (row,) = rows()
        assert row["n" * 63] == "just fits"
        values = [value for name, value in row.items() if name not in ITEM_COLUMNS and name != "_dlt_load_id"]
        assert {"first", "second", "several bytes", "just fits", "just does not"} <= set(values)
        assert all(len(name.encode()) <= 63 for name in row)
        assert items()["c1", "a"] == sent


def test_a_dataset_may_have_the_longest_name(api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "d" * 63
    monkeypatch.setenv("PIPELINE__DATASET_NAME", name)
    api.put(make_item("a"))
    for _ in range(2):
        load_days(api)
        assert query_postgres(f'SELECT id FROM "{name}".search') == [{"id": "a"}]


def test_properties_for_which_a_table_has_no_room_stay_in_the_document(
    api: StacApi, caplog: pytest.LogCaptureFixture
) -> None:
    sent = [
        make_item(f"i{n:04}", **{f"p{number:04}": 1.5 for number in range(n, n + 100)})  # type: ignore[arg-type]
        for n in range(0, 1700, 100)
    ]
    for item in sent:
        api.put(item)
    load_days(api)
    assert len(types_of("search")) == 1600
    assert list(items().values()) == sent
    assert rows()[0]["p0000"] == 1.5
    (told,) = [record.getMessage() for record in caplog.records if "at most 1600" in record.getMessage()]
    assert "123 properties have none and stay in `properties`: p1577, p1578, p1579 …" in told


def test_the_room_of_a_table_is_what_earlier_loads_have_left(
    api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = len(ITEM_COLUMNS) + 1 + 3
    monkeypatch.setitem(DIALECTS, "postgres", replace(DIALECTS["postgres"], most_columns=most))
    first = make_item("a", p1=1, p2=2)
    second = make_item("b", p0=0, p1=1, p2=2, p3=3)
    for item in (first, second, first):
        api.clear()
        api.put(item)
        result = load_days(api)
        assert items() == {("c1", item["id"]): item}
        assert result.misfits == {}
    assert len(types_of("search")) == most
    assert {"p0", "p1", "p2"} <= types_of("search").keys()


# Documents -------------------------------------------------------------------------------------------

NUMBERS = [
    *("1", "1.0", "1.00", "-0", "-0.0", "0.1", "1e0", "1E+2", "1.5e3", "123456789012345678901234567890"),
    *("1e22", "1e23", "1e308", "5e-324", "1e-400", "2.2250738585072014e-308", "3.141592653589793238462643"),
]


def with_value(text: str) -> str:
    """An item with a property of which this is the JSON text."""
    return '{"id":"a","properties":{"datetime":"2024-01-01T12:00:00Z","v":' + text + "}}"


def test_numbers_are_those_that_were_sent(api: StacApi) -> None:
    """However they were written: jsonb keeps every digit, and the number of decimals, but no exponent."""
    text = with_value(f"[{','.join(NUMBERS)}]")
    api.put(RawItem(text.encode(), "c1", NOON, NOON, "a"))
    load_days(api)
    found = items()["c1", "a"]["properties"]["v"]
    sent = json.loads(text)["properties"]["v"]
    assert found == spelled_by_jsonb(sent)
    assert list(map(float, found)) == list(map(float, sent))
    assert [str(number) for number in found[:4]] == ["1", "1.0", "1.0", "0"]


@pytest.mark.parametrize(
    "number", ["1e-20000", "0e200000", "1e-131072", "0e-99999999999", "-0E+1", "0.0e999"]
)
def test_numbers_at_the_edge_of_what_jsonb_takes(api: StacApi, number: str) -> None:
    text = with_value(number)
    api.put(RawItem(text.encode(), "c1", NOON, NOON, "a"))
    api.put(make_item("b"))
    result = load_days(api)
    assert result.figures.items + result.figures.rejected_items == 2
    if result.figures.rejected_items:
        assert [row["document"] for row in rows("rejected_items")] == [text]
        assert ids() == ["b"]
    else:
        assert float(items()["c1", "a"]["properties"]["v"]) == float(number)


def test_the_order_of_names_and_names_that_come_twice(api: StacApi) -> None:
    text = b'{"id":"a","properties":{"datetime":"2024-01-01T12:00:00Z","zz":1,"b":{"y":1,"x":2},"zz":3}}'
    api.put(RawItem(text, "c1", NOON, NOON, "a"))
    load_days(api)
    assert items()["c1", "a"] == json.loads(text)


def test_rows_of_the_driver_as_they_come_are_items(api: StacApi) -> None:
    sent = make_item("a", gsd=1.5, nothing=None)
    api.put(sent)
    load_days(api)
    (row,) = query_postgres(f"SELECT * FROM {DATASET}.search", as_text=False)
    assert isinstance(row["properties"], dict)
    assert item_from_row(row) == sent


def test_nul_is_rejected_as_text_wherever_it_is(api: StacApi) -> None:
    nul = {
        "property": make_item("property", note="a\0b"),
        "name": make_item("name", **{"a\0b": 1}),  # type: ignore[arg-type]
        "asset": {**make_item("asset"), "assets": {"\0": {}}},
        "extra": {**make_item("extra"), "\0": 1},
        "i\0d": {**make_item("i\0d"), "properties": {"datetime": "yesterday"}},
    }
    for id, item in (*nul.items(), ("good", make_item("good", note="a\\u0000b"))):
        api.put(RawItem(json.dumps(item).encode(), "c1", NOON, NOON, id))
    load_days(api)
    assert ids() == ["good"]
    found = [json.loads(row["document"]) for row in rows("rejected_items")]
    assert {item["id"]: item for item in found} == nul


def test_a_destination_with_a_name_of_its_own_is_postgresql_too(
    api: StacApi, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "warehouse")
    monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
    monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", postgres_url)
    api.put(make_item("a"))
    api.put(make_item("nul", note="a\0b"))
    result = load_days(api)
    assert result.figures.rejected_items == 1
    assert query_postgres(f"SELECT id FROM {DATASET}.search") == [{"id": "a"}]
    assert "search_partition_key_index" in indexes()


def test_an_empty_text_is_not_nothing(api: StacApi) -> None:
    texts = {
        "title": "",
        "note": '"',
        "quoted": '""',
        "line": "a\nb\r\n",
        "back": "\\N",
        "point": "\\.",
        "space": " ",
    }
    sent = {**make_item("a", **texts), "stac_version": ""}  # type: ignore[arg-type]
    absent = make_item("b", title="T", nothing=None)
    del absent["stac_version"]
    for item in (sent, absent):
        api.put(item)
    load_days(api)
    assert items() == {("c1", "a"): sent, ("c1", "b"): absent}
    first, second = rows()
    assert {name: first[name] for name in texts} == texts
    assert (first["stac_version"], second["stac_version"], second["note"]) == ("", None, None)
