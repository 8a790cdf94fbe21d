"""Databricks: JSON is parsed by the statement that copies a file, checked dry."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlglot
from dlt.common.destination.client import RunnableLoadJob
from dlt.common.storages import FilesystemConfiguration
from dlt.destinations.job_impl import ReferenceFollowupJobRequest
from sqlglot import expressions as exp

from stac_assets.pipeline.inspection_result import LACKING, ODD_BOXES
from stac_assets.source import pystac_client_source, resources
from stac_assets.source.columns import CATALOG_COLUMNS, ITEM_TABLES, REJECTED
from stac_assets.source.rows import item_from_row
from stac_assets_tests.destinations.dry import Dry, run_dry
from stac_assets_tests.destinations.variant import copied
from stac_assets_tests.loads import IMPATIENT
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.test_lossless import BAD, NOON

pytestmark = [
    pytest.mark.usefixtures("no_network"),
    pytest.mark.parametrize("warehouse", ["databricks"], indirect=True),
]

WITHOUT_JSON = {"conformance", REJECTED}
TABLES = {*ITEM_TABLES, *CATALOG_COLUMNS, REJECTED}


class Recorder:
    """The sql client of a dry run, which writes down what it is told."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.told: list[str] = []
        self.native_connection: Any = type("Connection", (), {})()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def execute_sql(self, sql: str) -> None:
        self.told.append(" ".join(sql.split()))


def told(dry: Dry, table: str, file: Path | str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that load a file of a table."""
    prepared = dry.client.prepare_load_table(table)
    recorder = Recorder(dry.client.sql_client)
    job = dry.client.create_load_job(prepared, str(file), "1")
    assert isinstance(job, RunnableLoadJob)
    job.set_run_vars("1", dry.client.schema, prepared)
    job._job_client = dry.client
    with monkeypatch.context() as patched:
        patched.setattr(dry.client, "sql_client", recorder)
        job.run()
    return recorder.told


def test_a_copy_parses_the_json_columns_and_takes_the_others_as_they_are(
    warehouse: str, api: StacApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(make_item("a", gsd=10))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    dry = run_dry(warehouse, api, *(TABLES - {REJECTED}), folder=tmp_path, item_ids=["a"])
    for table in TABLES:
        (file,) = dry.files[table]
        volume, put, copy = told(dry, table, file, monkeypatch)
        assert volume.startswith("CREATE VOLUME IF NOT EXISTS") and put.startswith("PUT ")
        statement = sqlglot.parse_one(copy, dialect=dry.dialect)
        assert isinstance(statement, exp.Copy)
        assert statement.this.name == table and copy.endswith("FILEFORMAT = PARQUET")
        select = statement.find(exp.Select)
        assert (select is None) == (table in WITHOUT_JSON)
        if select is None:
            continue
        variants = {name for name, kind in dry.types(table).items() if kind == "VARIANT"}
        parsed = {column.alias for column in select.expressions if isinstance(column, exp.Alias)}
        assert parsed == variants
        for column in select.expressions:
            if isinstance(column, exp.Alias):
                assert isinstance(column.this, exp.ParseJSON) and column.this.this.name == column.alias
            else:
                assert isinstance(column, exp.Column)
        names = [column.alias_or_name for column in select.expressions]
        assert sorted(names) == sorted(dry.types(table)) == sorted(pq.read_schema(file).names)
        location = select.args["from_"].this.this.this
        assert put.endswith(f"INTO '{location}/{file.name}' OVERWRITE")


def test_json_is_moved_and_looked_for_but_never_compared(
    warehouse: str, api: StacApi, tmp_path: Path
) -> None:
    """A VARIANT cannot be compared, grouped or ordered, nor can a table be clustered by it."""
    api.put(make_item("a"))
    dry = run_dry(warehouse, api, *(TABLES - {REJECTED}), folder=tmp_path, item_ids=["a"])
    users: set[type] = set()
    for table in TABLES - {REJECTED}:
        variants = {name for name, kind in dry.types(table).items() if kind == "VARIANT"}
        statements = map(dry.parsed, dry.replacement(table))
        columns = [column for statement in statements for column in statement.find_all(exp.Column)]
        users |= {type(column.parent) for column in columns if column.name in variants}
    assert users == {exp.Select}
    variants = {name for name, kind in dry.types("search").items() if kind == "VARIANT"}
    for condition in (*LACKING.values(), *ODD_BOXES.values()):
        for column in sqlglot.parse_one(condition, dialect=dry.dialect).find_all(exp.Column):
            assert column.name not in variants or isinstance(column.parent, exp.Is)


def test_a_column_of_earlier_loads_is_in_the_file_too(
    warehouse: str, api: StacApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the statement, which names all columns of the table, would fail."""
    api.put(make_item("a", gsd=10))
    dry = run_dry(warehouse, api, "search", folder=tmp_path)
    api.put(make_item("a", title="new"))
    # no warehouse is there that could tell which days it holds
    monkeypatch.setattr(resources, "held_keys", lambda table, owners, schema: list(owners.day_keys()))
    source = pystac_client_source(
        api.url, collections=["c1"], start_date="2024-01-01", end_date="2024-01-01", **IMPATIENT
    )
    dry.pipeline.extract(source.with_resources("search"))
    dry.pipeline.normalize()
    newest = max(dry.pipeline.list_normalized_load_packages())
    jobs = dry.pipeline.get_load_package_info(newest).jobs["new_jobs"]
    (file,) = [job.file_path for job in jobs if job.job_file_info.table_name == "search"]
    names = pq.read_schema(file).names
    assert {"gsd", "title"} <= set(names)
    copy = told(dry, "search", file, monkeypatch)[2]
    select = sqlglot.parse_one(copy, dialect=dry.dialect).find(exp.Select)
    assert select is not None
    assert sorted(column.alias_or_name for column in select.expressions) == sorted(names)


def test_a_file_in_a_bucket_is_selected_from_with_its_credential(
    warehouse: str, api: StacApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the manual `WITH (CREDENTIAL …)` is part of the source, and so within the parentheses."""
    monkeypatch.setenv("DESTINATION__DATABRICKS__STAGING_CREDENTIALS_NAME", "my_credential")
    dry = run_dry(warehouse, api, "collections", folder=tmp_path)
    dry.client.config.staging_config = FilesystemConfiguration("s3://bucket")  # type: ignore[attr-defined]
    (file,) = dry.files["collections"]
    reference = ReferenceFollowupJobRequest(file.name, [f"s3://bucket/{file.name}"]).new_file_path()
    (copy,) = told(dry, "collections", reference, monkeypatch)
    assert "parse_json(`document`) AS `document`" in copy
    assert copy.endswith(
        f" FROM 's3://bucket/{file.name}' WITH(CREDENTIAL my_credential )) FILEFORMAT = PARQUET"
    )


def test_json_is_such_that_it_can_be_parsed(warehouse: str, api: StacApi, tmp_path: Path) -> None:
    """Spark refuses a member that is there twice, and Jackson a number of more than 1,000 digits."""
    sent = (
        b'{"id":"a","properties":{"datetime":"2024-01-01T12:00:00Z","long":0.' + b"1" * 1001 + b"},"
        rb'"assets":{"x":{"href":"old","href":"new"},"y":null,"x":{"href":"1","href":"2\\ \"3\"\n\u0000"}}}'
    )
    api.put(RawItem(sent, "c1", NOON, NOON, "a"))
    dry = run_dry(warehouse, api, "search", folder=tmp_path)
    (row,) = [row for row in copied(dry, "search") if not row.get("_deleted")]
    assert item_from_row(row) == {
        "id": "a",
        "properties": {"datetime": "2024-01-01T12:00:00Z", "long": 1 / 9},
        "assets": {"x": {"href": '2\\ "3"\n\0'}, "y": None},
    }
