"""BigQuery, Snowflake, Redshift and Databricks, checked dry: tables, partition replacement and load files.

Nobody here has an account. What is checked is what dlt's own client would send: its DDL and its merge are
parsed as that warehouse's SQL, and the load files of items that were really fetched are read.
"""

import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.destinations.job_client_impl import SqlLoadJob
from sqlglot import expressions as exp

from stac_assets.source.columns import CATALOG_COLUMNS, ITEM_COLUMNS, ITEM_TABLES, REJECTED, REJECTED_COLUMNS
from stac_assets.source.dialects import dialect_of
from stac_assets.source.emitters import emit
from stac_assets.source.rows import item_from_row
from stac_assets_tests.destinations.dry import Dry, run_dry, text_of
from stac_assets_tests.destinations.variant import copied
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.strategies import canonical
from stac_assets_tests.test_lossless import BAD, NOON

pytestmark = pytest.mark.usefixtures("no_network")

TABLES: dict[str, Any] = {
    **dict.fromkeys(ITEM_TABLES, ITEM_COLUMNS),
    **CATALOG_COLUMNS,
    REJECTED: REJECTED_COLUMNS,
}
DLT_TYPES = ("text", "double", "bool", "bigint", "timestamp", "json")
TYPES: dict[str, dict[str, str]] = {
    warehouse: dict(zip(DLT_TYPES, types, strict=True))
    for warehouse, types in {
        "bigquery": ("STRING", "FLOAT64", "BOOL", "INT64", "TIMESTAMP", "JSON"),
        "snowflake": ("VARCHAR", "DOUBLE", "BOOLEAN", "DECIMAL(19, 0)", "TIMESTAMPLTZ", "VARIANT"),
        "redshift": (
            "VARCHAR(MAX)",
            "DOUBLE PRECISION",
            "BOOLEAN",
            "BIGINT",
            "TIMESTAMP WITH TIME ZONE",
            "SUPER",
        ),
        "databricks": ("STRING", "DOUBLE", "BOOLEAN", "BIGINT", "TIMESTAMP", "VARIANT"),
    }.items()
}
"""By warehouse and dlt's type: the type of the column, as sqlglot writes it. All timestamps have a zone."""

ODD = make_item(
    "odd", gsd=10, title="it's \\ \"quoted\"\nand more %s {} ;", one=1.0, big=2**63, tiny=5e-324, empty="",
    nested={"A b": [1, None, {"x": 1.5, "eo:y": True}]}, listed=[], nothing=None, mark="\uf0262024",
    日本="ü😀",
)  # fmt: skip


@pytest.fixture
def dry(warehouse: str, api: StacApi, tmp_path: Path) -> Dry:
    """Everything, loaded as far as to the files."""
    api.collections = [make_collection("c1", keywords=["a"])]
    api.queryables = {"gsd": {"type": "number"}, "anything": True}
    for item in (ODD, make_item("plain", published="2024-01-01T00:00:00Z")):
        api.put(item)
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    return run_dry(
        warehouse, api, *[t for t in TABLES if t != REJECTED], folder=tmp_path, item_ids=["odd", "gone"]
    )


def test_the_tables(dry: Dry) -> None:
    types = TYPES[dry.warehouse]
    for table, columns in TABLES.items():
        found = dry.types(table)
        wanted = {name: types[str(column.get("data_type"))] for name, column in columns.items()}
        assert {name: found[name] for name in wanted} == wanted, table
        definitions = dry.columns(table)
        for name, column in columns.items():
            constraints = [type(each.kind) for each in definitions[name].constraints]
            assert (exp.NotNullColumnConstraint in constraints) == (not column.get("nullable")), (table, name)
        assert not dry.parsed(dry.ddl(table)[0]).find(exp.PrimaryKey, exp.PrimaryKeyColumnConstraint)
    promoted = dry.types("search")
    assert promoted.items() >= {
        "gsd": types["double"], "title": types["text"], "published": types["timestamp"],
    }.items()  # fmt: skip


LAYOUT = {
    "bigquery": [
        "PARTITION BY TIMESTAMP_TRUNC(`datetime`, MONTH)",
        "CLUSTER BY `collection`, `_partition_key`",
    ],
    "snowflake": ['CLUSTER BY ("COLLECTION","DATETIME")'],
    "redshift": ['"datetime" timestamp with time zone SORTKEY'],
    "databricks": ["CLUSTER BY (`collection`,`datetime`)"],
}


def test_the_layout_of_item_tables_and_of_no_others(dry: Dry) -> None:
    for table in TABLES:
        ddl = "\n".join(dry.ddl(table))
        found = re.findall(r"PARTITION BY|CLUSTER BY|SORTKEY|DISTKEY", ddl)
        if table in ITEM_TABLES:
            assert [part for part in LAYOUT[dry.warehouse] if part not in ddl] == []
            assert len(found) == len(LAYOUT[dry.warehouse])
        else:
            assert found == [], table
        dry.parsed(dry.ddl(table)[0])


@pytest.mark.parametrize("table", ["search", "collection_items", REJECTED])
def test_a_partition_is_deleted_by_its_key_and_then_inserted_without_tombstones(dry: Dry, table: str) -> None:
    delete, insert = map(dry.parsed, dry.replacement(table))
    assert isinstance(delete, exp.Delete) and isinstance(insert, exp.Insert)
    assert delete.this.name.lower() == table
    (equal,) = delete.find_all(exp.EQ)
    assert {column.name.lower() for column in equal.find_all(exp.Column)} == {"_partition_key"}
    assert not delete.find(exp.Or), "of two conditions the one or the other cannot be looked up"

    source = insert.expression
    assert source.find(exp.Table).db.lower().endswith("_staging")
    condition = source.args["where"].this.sql(dry.dialect).lower().replace('"', "").replace("`", "")
    assert condition == "(_deleted is null or _deleted = false)"
    assert not source.find(exp.Window), "dlt would deduplicate by a primary key, which there is not"
    names = [column.name.lower() for column in insert.this.expressions]
    assert names == [column.name.lower() for column in source.expressions]
    assert set(TABLES[table]) <= set(names)


def test_of_item_the_replaced_unit_is_the_item(dry: Dry) -> None:
    delete, insert = map(dry.parsed, dry.replacement("item"))
    names = {column.name.lower() for column in delete.find(exp.Where).find_all(exp.Column)}  # type: ignore[union-attr]
    assert names == {"collection", "id"}
    assert isinstance(insert, exp.Insert)


@pytest.mark.parametrize(
    "table", ["collections", "queryables", "client_root", "conformance", "landing_pages"]
)
def test_a_table_that_is_replaced_whole_is_emptied_in_the_transaction_that_fills_it(
    dry: Dry, table: str
) -> None:
    first, insert = map(dry.parsed, dry.replacement(table))
    assert isinstance(insert, exp.Insert)
    ends_transactions = ("redshift", "snowflake")
    assert isinstance(first, exp.Delete if dry.warehouse in ends_transactions else exp.TruncateTable)


@pytest.mark.parametrize("table", ["search", "collections"])
def test_a_replacement_is_one_transaction_where_there_are_any(
    dry: Dry, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    @contextmanager
    def begin_transaction() -> Any:
        told.append("BEGIN")
        yield
        told.append("COMMIT")

    client = dry.client.sql_client
    monkeypatch.setattr(client, "begin_transaction", begin_transaction)
    monkeypatch.setattr(
        client, "execute_many", lambda statements: told.extend(s.split()[0] for s in statements)
    )
    chain = [dry.client.prepare_load_table(table)]
    (request,) = dry.client.create_table_chain_completed_followup_jobs(chain)
    job = dry.client.create_load_job(chain[0], request.new_file_path(), "1")  # type: ignore[attr-defined]
    assert isinstance(job, SqlLoadJob)
    job._job_client = dry.client
    job.run()
    first = {"search": "DELETE", "collections": dry.replacement("collections")[0].split()[0]}[table]
    whole = [first, "INSERT"]
    has_transactions = dry.warehouse != "databricks"
    assert told == (["BEGIN", *whole, "COMMIT"] if has_transactions else whole)


# Load files ------------------------------------------------------------------------------------------


def rows_in_files(dry: Dry, table: str) -> list[dict[str, Any]]:
    """The rows of a table's load files; native JSON parsed as the warehouse does it."""
    if dry.warehouse == "redshift":
        return [row for file in dry.files[table] for row in inserted(text_of(file))]
    if dry.warehouse == "databricks":
        return copied(dry, table)
    return dry.rows(table)


def inserted(text: str) -> list[dict[str, Any]]:
    """The rows of an INSERT, of which `json_parse` makes values."""
    import sqlglot

    assert text.startswith("INSERT INTO {}(") and text.splitlines()[1] == "VALUES"
    if len(text.splitlines()) == 2:
        return []
    assert text.endswith(";")
    statement = sqlglot.parse_one(text.replace("{}", "t", 1), dialect="redshift")
    names = [column.name for column in statement.this.expressions]
    return [
        dict(zip(names, map(value_of, row.expressions), strict=True))
        for row in statement.expression.expressions
    ]


def value_of(cell: Any) -> Any:
    match cell:
        case exp.Null():
            return None
        case exp.Boolean():
            return cell.this
        case exp.ParseJSON():
            return json.loads(cell.this.this)
        case exp.Literal() if cell.is_string:
            return cell.this
        case _:
            return float(cell.sql())


def test_the_load_files_hold_native_json_and_the_whole_items(dry: Dry) -> None:
    found = {row["id"]: row for row in rows_in_files(dry, "search")}
    odd = found["odd"]
    for name in ("geometry", "properties", "assets", "links", "stac_extensions", "bbox", "extra"):
        assert isinstance(odd[name], dict | list), name
    assert canonical(item_from_row(odd)) == canonical(ODD)
    assert isinstance(odd["gsd"], float) and odd["gsd"] == 10.0
    assert (odd["title"], odd["empty"], odd["mark"]) == (
        ODD["properties"]["title"], "", ODD["properties"]["mark"],
    )  # fmt: skip
    assert str(odd["datetime"]).replace("+00:00", "Z").replace(" ", "T") == "2024-01-01T10:00:00Z"
    assert odd.get("_deleted") is None and odd.get("updated") is None
    assert len(found) == 2, "a table that is not there yet holds nothing that would be deleted"
    assert {row["_dlt_load_id"] for row in found.values()} == set(
        dry.pipeline.list_normalized_load_packages()
    )


def test_the_other_tables_have_their_rows(dry: Dry) -> None:
    collection, listed = rows_in_files(dry, "collection"), rows_in_files(dry, "collections")
    for (row,) in (collection, listed):
        assert row["document"]["keywords"] == ["a"] and row["id"] == "c1"
    schemas = {row["name"]: row["schema"] for row in rows_in_files(dry, "queryables")}
    assert schemas["anything"] is True
    rejected = [row for row in rows_in_files(dry, REJECTED) if not row.get("_deleted")]
    assert [row["document"] for row in rejected] == [BAD["nan"].decode()] * 2
    gone = [row["id"] for row in rows_in_files(dry, "item") if row.get("_deleted")]
    assert gone == ["gone"]


def test_a_destination_that_nobody_looked_at_gets_python_values() -> None:
    table = pa.table({"id": ["a"], "properties": ['{"a": [1.0]}'], "_partition_key": ["c1|2024-01-01"]})
    columns = {name: ITEM_COLUMNS[name] for name in table.column_names}
    (item,) = emit(table, columns, dialect_of("dlt.destinations.mssql"), ["insert_values"])
    assert item.data == [{"id": "a", "properties": {"a": [1.0]}, "_partition_key": "c1|2024-01-01"}]


def test_tables_without_rows_are_emptied(warehouse: str, api: StacApi, tmp_path: Path) -> None:
    """A file of no rows is there, or dlt would leave the table as it is."""
    api.queryables = {}
    api.collections = [make_collection("c1")]
    dry = run_dry(warehouse, api, "queryables", "search", folder=tmp_path)
    (file,) = dry.files["queryables"]
    if warehouse == "databricks":
        assert pq.read_table(file).num_rows == 0
    elif warehouse == "redshift":
        header, values = text_of(file).splitlines()
        assert header.startswith("INSERT INTO {}(") and values == "VALUES"
    else:
        assert text_of(file) == ""
    assert rows_in_files(dry, "search") == []
    assert len(dry.replacement("queryables")) == 2


@pytest.mark.parametrize(
    ("number", "warehouses"),
    [
        (2**64 - 1, ("bigquery", "snowflake", "redshift", "databricks")),
        (-(2**63) - 1, ("snowflake", "redshift", "databricks")),
        (10**38 - 1, ("snowflake", "redshift", "databricks")),
        (10**38, ()),
    ],
)
def test_an_integer_that_a_warehouse_would_round_is_rejected(
    warehouse: str, api: StacApi, tmp_path: Path, number: int, warehouses: tuple[str, ...]
) -> None:
    sent = make_item("a", nested=[{"n": number}])
    api.put(sent)
    dry = run_dry(warehouse, api, "search", folder=tmp_path)
    stored = [item_from_row(row) for row in rows_in_files(dry, "search") if not row.get("_deleted")]
    if warehouse in warehouses:
        assert stored == [sent]
        assert REJECTED not in dry.files
    else:
        assert stored == []
        (row,) = [row for row in rows_in_files(dry, REJECTED) if not row.get("_deleted")]
        assert json.loads(row["document"]) == sent and str(number)[:40] in row["reason"]


@pytest.mark.parametrize(("levels", "is_stored"), [(400, True), (501, False), (960, False)])
def test_an_item_that_is_nested_too_deeply_for_a_warehouse_is_rejected(
    warehouse: str, api: StacApi, tmp_path: Path, levels: int, is_stored: bool
) -> None:
    begin = b'{"id":"deep","collection":"c1","properties":{"datetime":"2024-01-01T12:00:00Z"},"assets":'
    text = begin + b'{"[":' * (levels - 1) + b"{}" + b"}" * levels
    api.put(RawItem(text, "c1", NOON, NOON, "deep"))
    dry = run_dry(warehouse, api, "search", folder=tmp_path)
    stored = [row["id"] for row in rows_in_files(dry, "search") if not row.get("_deleted")]
    assert stored == (["deep"] if is_stored else [])
    rejected = [row.get("reason") for row in rows_in_files(dry, REJECTED)] if REJECTED in dry.files else []
    assert any("500 levels" in str(reason) for reason in rejected) != is_stored


def test_texts_that_are_longer_than_redshift_holds(warehouse: str, api: StacApi, tmp_path: Path) -> None:
    """No column holds them, but their item's JSON does; of a document that is rejected the begin is kept."""
    api.put(make_item("a", title="ü" * 40_000, note="short"))
    text = BAD["nan"].replace(b"NaN", b'NaN,"w":"' + b"x" * 70_000 + b'"')
    api.put(RawItem(text, "c1", NOON, NOON, "nan"))
    dry = run_dry(warehouse, api, "search", folder=tmp_path)
    (row,) = [row for row in rows_in_files(dry, "search") if not row.get("_deleted")]
    assert item_from_row(row)["properties"]["title"] == "ü" * 40_000
    assert (row.get("title"), row["note"]) == (None if warehouse == "redshift" else "ü" * 40_000, "short")
    (rejected,) = [row for row in rows_in_files(dry, REJECTED) if not row.get("_deleted")]
    assert rejected["document"] == (text.decode()[:65_535] if warehouse == "redshift" else text.decode())


def test_nul_is_rejected_where_it_cannot_be_held(warehouse: str, api: StacApi, tmp_path: Path) -> None:
    api.put(make_item("a", note="a\0b"))
    dry = run_dry(warehouse, api, "search", folder=tmp_path)
    stored = [row for row in rows_in_files(dry, "search") if not row.get("_deleted")]
    assert len(stored) == (0 if warehouse == "redshift" else 1)
