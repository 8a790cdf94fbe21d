"""The SQL that counts what a table holds: valid in every warehouse, against the tables made there."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from dlt.destinations.job_client_impl import SqlJobClientBase
from sqlglot import expressions as exp
from sqlglot.optimizer.qualify import qualify

from stac_assets.pipeline.inspection import _Reader, compared
from stac_assets.source import running
from stac_assets.source.columns import CATALOG_COLUMNS, ITEM_COLUMNS, type_of
from stac_assets.source.dialects import OTHER
from stac_assets.source.fetch import Fetched, fetch
from stac_assets.source.request import LoadRequest
from stac_assets.source.running import held_keys
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Granularity, windows
from stac_assets_tests.destinations.dry import Dry, run_dry
from stac_assets_tests.loads import settings_for
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_lossless import BAD, NOON

pytestmark = pytest.mark.usefixtures("no_network")

YEAR = date(2024, 1, 1), date(2024, 12, 31)


class Recorder:
    """A warehouse's own client, which writes down what it is asked instead of asking."""

    def __init__(self, dry: Dry) -> None:
        self._client = dry.client.sql_client
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def execute_sql(self, sql: str, *values: Any) -> Any:
        """A row that makes the reader ask on, where it is one of counts."""
        self.asked.append((sql, values))
        if "GROUP BY" in sql and "count(DISTINCT" in sql:
            noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
            return [("c1|2024-01-01", "c1", 2, 2, noon, noon, 1)]
        return [(0,)] if sql.startswith("SELECT count(*) FROM") else []


def assert_valid(dry: Dry, sql: str, values: tuple[Any, ...]) -> None:
    """Every name in a query is a column of a table that the warehouse has by then."""
    assert sql.count("%s") == len(values)
    for value in values:
        literal = f"TIMESTAMP '{value.isoformat()}'" if isinstance(value, datetime) else f"'{value}'"
        sql = sql.replace("%s", literal, 1)
    (statement,) = sqlglot.parse(sql, dialect=dry.dialect)
    assert statement is not None
    schema: dict[str, Any] = {}
    for name in ("search", "item", "collections", "collection", "rejected_items"):
        created = dry.parsed(dry.ddl(name)[0])
        table = created.find(exp.Table)
        at = schema
        for part in (table.args.get("catalog"), table.args.get("db")):
            at = at.setdefault(part.sql(dry.dialect), {}) if part else at
        at[table.this.sql(dry.dialect)] = {
            column.this.sql(dry.dialect): column.args["kind"].sql(dry.dialect)
            for column in created.find_all(exp.ColumnDef)
        }
    qualify(statement, schema=schema, dialect=dry.dialect, validate_qualify_columns=True)


@pytest.fixture
def dry(warehouse: str, api: StacApi, tmp_path: Path) -> Dry:
    api.collections = [make_collection("c1")]
    api.put(make_item("a", gsd=1, platform="p", published="2024-01-01T00:00:00Z"))
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    return run_dry(
        warehouse, api, "search", "item", "collections", "collection", folder=tmp_path / "dry", item_ids=["a"]
    )


def reader(dry: Dry, table: str) -> tuple[_Reader, Recorder]:
    client = Recorder(dry)
    return _Reader(client, dict(dry.client.schema.tables[table])), client


def fetched(api: StacApi, resource: str, folder: Path) -> Fetched:
    folder.mkdir()
    settings = settings_for(api)
    windows = tuple(settings.windows("c1", NOON.date(), NOON.date()))
    ids = dict.fromkeys(windows, ("a",)) if resource == "item" else {}
    request = LoadRequest(ENDPOINTS[resource], windows, item_ids=ids)
    return fetch(request, settings, folder, OTHER)


@pytest.mark.parametrize("resource", ["search", "item"])
def test_what_is_counted_of_partitions(dry: Dry, api: StacApi, tmp_path: Path, resource: str) -> None:
    read, client = reader(dry, resource)
    of_job = fetched(api, resource, tmp_path / "spool")
    found = dict(read.windows(of_job))
    read.rejected(of_job, found)
    assert [part.rows for part in found.values()] == [2]
    assert len(client.asked) == 6, "counts, those outside, odd ones, a sample, strays, rejected"
    for sql, values in client.asked:
        assert_valid(dry, sql, values)


def test_what_is_read_of_catalog_tables(dry: Dry) -> None:
    read, client = reader(dry, "collection")
    read.catalog_rows("c1")
    read, others = reader(dry, "collections")
    read.catalog_rows()
    read.query(f"SELECT id FROM {read.table}")
    for sql, values in (*client.asked, *others.asked):
        assert_valid(dry, sql, values)


def test_the_days_that_a_table_has_are_asked_for_by_ranges(dry: Dry, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Recorder(dry)

    class Connected:
        def __enter__(self) -> Recorder:
            return client

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(dry.pipeline, "sql_client", Connected)
    monkeypatch.setattr(running, "running_pipeline", lambda: dry.pipeline)
    year = [window for name in ("c1", "c2") for window in windows(name, *YEAR, Granularity.DAILY)]
    assert held_keys("search", Owners(year), dry.client.schema) == []
    ((sql, values),) = client.asked
    assert_valid(dry, sql, values)


TOLD = {
    "snowflake": {"DECIMAL(19, 0)": ("NUMBER", 19, 0), "DOUBLE": ("FLOAT", None, None),
                  "VARCHAR": ("TEXT", None, None), "TIMESTAMPLTZ": ("TIMESTAMP_LTZ", None, None)},
    "redshift": {"VARCHAR(MAX)": ("character varying", None, None)},
    "databricks": {"VARIANT": ("variant", None, None)},
}  # fmt: skip
"""How a warehouse's information schema tells a type of its DDL, where it says something else."""


@pytest.mark.parametrize("table", ["search", "collections"])
def test_columns_of_a_warehouse_are_those_that_were_promised(dry: Dry, table: str) -> None:
    """Snowflake tells their names in capitals; each has a type for each of ours."""
    created = dry.parsed(dry.ddl(table)[0])
    stored: dict[str, Any] = {}
    told: Any
    for column in created.find_all(exp.ColumnDef):
        kind = column.args["kind"].sql(dry.dialect)
        told = TOLD.get(dry.warehouse, {}).get(kind)
        if told is None:
            told = (kind.lower() if dry.warehouse == "redshift" else kind, None, None)
        stored[column.name] = {"name": column.name, **dry.client._from_db_type(*told)}
    assert (dry.warehouse == "snowflake") == ("ID" in stored)
    described = ITEM_COLUMNS if table == "search" else CATALOG_COLUMNS[table]
    promised = {name: type_of(column) for name, column in described.items()}
    assert isinstance(dry.client, SqlJobClientBase)
    prepared = dict(dry.client.prepare_load_table(table))
    found = compared(dry.client.capabilities, prepared, described, promised, stored, set(promised))
    assert (found.missing, found.changed) == ([], [])
    assert {name: found.found[name] for name in described} == {n: type_of(c) for n, c in described.items()}
    assert set(found.new) >= {"_dlt_load_id"} and "ID" not in found.new

    del stored["ID" if dry.warehouse == "snowflake" else "id"]
    again = compared(dry.client.capabilities, prepared, described, promised, stored, set())
    assert again.missing == ["id"], "a column that is not there is missed"
